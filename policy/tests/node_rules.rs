//! Each rule about a node, by a node that meets it and one that fails it alone.
#![allow(clippy::disallowed_methods, reason = "tests, with an invented vendor")]

use crate::node::{
    self, EXPIRES, MACHINE, NOT_BEFORE, NOW, chip, codes, in_force, inventory, inventory_with,
    reasons, text, verified, verified_of,
};
use attestation::{IdentityKey, Manifest, NodeClaims, Nonce, UnixTime, Verified, snp::Product};
use policy::{Action, HardwareId, Target};
use tee_sim::{
    GpuMachine, Machine, PolicyText, Publisher, Vendor, nvidia::Nvidia, policy_text::GpuText,
};

/// A node, the documents beside the policy, and the time.
struct Setting {
    manifest: fn(&mut Manifest),
    publish: fn(&mut Publisher),
    /// When the evidence was verified, in seconds after [`NOW`].
    at: i64,
    /// When the policy is asked, in seconds after [`NOW`].
    asked: i64,
}

const GOOD: Setting = Setting {
    manifest: |_| {},
    publish: |_| {},
    at: 0,
    asked: 0,
};

/// What the tables `policy` say of two settings.
struct Case {
    code: &'static str,
    policy: &'static str,
    accepts: Setting,
    denies: Setting,
}

fn time(seconds: i64) -> UnixTime {
    UnixTime(NOW.0.checked_add_signed(seconds).unwrap())
}

fn judged(policy: &str, setting: &Setting) -> Vec<&'static str> {
    let in_force = in_force(&text(policy), setting.publish);
    let verified = verified(time(setting.at), setting.manifest);
    codes(in_force.evaluate(verified, time(setting.asked)))
}

const MODEL: &str = r#"
[[models.accepted]]
name = "great"
digest = "0202020202020202020202020202020202020202020202020202020202020202"
"#;

/// The rules of a model's own life: `2026-06-01T00:00:00Z` is [`NOW`].
const MODEL_WITH_A_LIFE: &str = r#"
[[models.accepted]]
name = "great"
digest = "0202020202020202020202020202020202020202020202020202020202020202"
approved_by = "review board"
approved = 2026-05-31T23:50:00Z
from = 2026-05-31T23:55:00Z
until = 2026-06-01T00:00:10Z
tokenizer = "0303030303030303030303030303030303030303030303030303030303030303"
template = "0404040404040404040404040404040404040404040404040404040404040404"
"#;

const RETIRED: &str = r#"
[[models.accepted]]
name = "great"
digest = "0202020202020202020202020202020202020202020202020202020202020202"
retired = 2026-06-01T00:00:10Z
"#;

const RUNTIME: &str = r#"
[[runtime.accepted]]
name = "runtime"
digest = "0101010101010101010101010101010101010101010101010101010101010101"
"#;

const ENGINE: &str = r#"
[engine]
modes = ["cpu/deterministic"]
isa = ["avx512-vnni", "scalar"]
[[engine.kernels]]
name = "kernels"
digest = "0505050505050505050505050505050505050505050505050505050505050505"
"#;

const AIBOM: &str = r#"
[aibom]
required = true
[[aibom.accepted]]
name = "bill"
digest = "0808080808080808080808080808080808080808080808080808080808080808"
"#;

const CHANNEL: &str = "[channel]\nminimum_padding = \"default\"\ncache_scopes = [\"request\"]\n";

const LIMITS: &str = "[limits]\nmaximum_context_tokens = 8192\nmaximum_request_bytes = 65536\n";

const RESIDENCY: &str =
    "[residency]\ncountries = [\"DE\", \"NL\"]\nsites = [\"fra1\"]\nowners = [\"hospital\"]\n";

const LEASE: &str = "[lease]\nmax_age_seconds = 60\nwhen_absent = \"stop\"\n";

const LISTED: Setting = Setting {
    publish: |team| team.publish_inventory(&inventory(chip())),
    ..GOOD
};

const STAMPED: Setting = Setting {
    publish: |team| team.stamp(NOW, NOW.plus(3600)),
    ..GOOD
};

/// Something else is stopped.
const OTHERWISE_STOPPED: Setting = Setting {
    publish: |team| {
        team.publish_inventory(&inventory(chip()));
        let others = [
            Target::Node("another".to_owned()),
            Target::Hardware(HardwareId::SnpChip([1; 64])),
            Target::Model([0; 32]),
            Target::Measurement([0; 48]),
            Target::Tenant([0; 32]),
            Target::Site("ams2".to_owned()),
        ];
        team.order(NOW, Action::Stop, &others);
    },
    ..GOOD
};

fn stop(team: &mut Publisher, target: Target) {
    team.publish_inventory(&inventory(chip()));
    team.order(NOW, Action::Stop, &[target]);
}

fn cases() -> Vec<Case> {
    let mut cases = standing_cases();
    cases.extend(residency_cases());
    cases.extend(stop_cases());
    cases.extend(model_cases());
    cases.extend(service_cases());
    cases
}

fn case(code: &'static str, policy: &'static str, denies: Setting) -> Case {
    Case {
        code,
        policy,
        accepts: GOOD,
        denies,
    }
}

fn standing_cases() -> Vec<Case> {
    let at = |at, asked| Setting { at, asked, ..GOOD };
    vec![
        case("policy.not_before", "", at(-1001, -1001)),
        case("policy.expired", "", at(100_001, 100_001)),
        case("policy.freshness", "", at(0, 3601)),
        Case {
            accepts: Setting {
                asked: 60,
                ..STAMPED
            },
            ..case(
                "policy.lease",
                LEASE,
                Setting {
                    asked: 61,
                    ..STAMPED
                },
            )
        },
        Case {
            accepts: STAMPED,
            ..case("policy.lease", LEASE, GOOD)
        },
    ]
}

fn residency_cases() -> Vec<Case> {
    let case = |code, publish| Case {
        accepts: LISTED,
        ..case(code, RESIDENCY, Setting { publish, ..GOOD })
    };
    vec![
        case("policy.residency.unlisted", |_| {}),
        case("policy.residency.unlisted", |team| {
            team.publish_inventory(&inventory(HardwareId::SnpChip([1; 64])));
        }),
        case("policy.residency.unlisted", |team| {
            let ended =
                |entry: &mut policy::Placement| entry.valid_until = Some(UnixTime(NOW.0 - 1));
            team.publish_inventory(&inventory_with(chip(), ended));
        }),
        case("policy.residency.country", |team| {
            let moved = |entry: &mut policy::Placement| entry.country = "FR".to_owned();
            team.publish_inventory(&inventory_with(chip(), moved));
        }),
        case("policy.residency.site", |team| {
            let moved = |entry: &mut policy::Placement| entry.site = "fra2".to_owned();
            team.publish_inventory(&inventory_with(chip(), moved));
        }),
        case("policy.residency.owner", |team| {
            let sold = |entry: &mut policy::Placement| entry.owner = "somebody".to_owned();
            team.publish_inventory(&inventory_with(chip(), sold));
        }),
    ]
}

fn stop_cases() -> Vec<Case> {
    let case = |code, publish| Case {
        accepts: OTHERWISE_STOPPED,
        ..case(code, "", Setting { publish, ..GOOD })
    };
    vec![
        case("policy.stopped.everything", |team| {
            stop(team, Target::Everything)
        }),
        case("policy.stopped.hardware", |team| {
            stop(team, Target::Hardware(chip()))
        }),
        case("policy.stopped.model", |team| {
            stop(team, Target::Model([2; 32]))
        }),
        case("policy.stopped.measurement", |team| {
            stop(team, Target::Measurement(MACHINE.report().measurement));
        }),
        case("policy.stopped.site", |team| {
            stop(team, Target::Site("fra1".to_owned()))
        }),
    ]
}

fn model_cases() -> Vec<Case> {
    let manifest = |manifest| Setting { manifest, ..GOOD };
    let at = |at| Setting {
        at,
        asked: at,
        ..GOOD
    };
    vec![
        case("policy.model", MODEL, manifest(|m| m.model_digest[0] ^= 1)),
        case(
            "policy.model",
            MODEL,
            manifest(|m| m.model = "greater".to_owned()),
        ),
        case("policy.model.window", MODEL_WITH_A_LIFE, at(11)),
        case("policy.model.window", MODEL_WITH_A_LIFE, at(-301)),
        case("policy.model.retired", RETIRED, at(10)),
        case(
            "policy.model.tokenizer",
            MODEL_WITH_A_LIFE,
            manifest(|m| m.tokenizer_digest[0] ^= 1),
        ),
        case(
            "policy.model.template",
            MODEL_WITH_A_LIFE,
            manifest(|m| m.template_digest[0] ^= 1),
        ),
    ]
}

fn service_cases() -> Vec<Case> {
    let case = |code, policy, manifest| case(code, policy, Setting { manifest, ..GOOD });
    vec![
        case("policy.runtime", RUNTIME, |m| m.runtime_digest[0] ^= 1),
        case("policy.engine.mode", ENGINE, |m| {
            m.engine = "cpu/fast".to_owned()
        }),
        case("policy.engine.kernels", ENGINE, |m| {
            m.kernels_digest[0] ^= 1
        }),
        case("policy.engine.isa", ENGINE, |m| m.isa = "avx2".to_owned()),
        case("policy.aibom", AIBOM, |m| m.aibom_digest = None),
        case("policy.aibom", AIBOM, |m| m.aibom_digest = Some([9; 32])),
        case("policy.channel.padding", CHANNEL, |m| {
            m.padding = "off".to_owned()
        }),
        case("policy.channel.padding", CHANNEL, |m| {
            m.padding = "stricter".to_owned()
        }),
        case("policy.limits.context_tokens", LIMITS, |m| {
            m.max_context_tokens += 1
        }),
        case("policy.limits.request_bytes", LIMITS, |m| {
            m.max_request_bytes += 1
        }),
    ]
}

#[test]
fn each_rule_accepts_one_node_and_denies_another_for_itself_alone() {
    for case in cases() {
        let (code, policy) = (case.code, case.policy);
        assert_eq!(judged(policy, &case.accepts), [""; 0], "{code}");
        assert_eq!(judged(policy, &case.denies), [code], "{code}");
    }
}

#[test]
fn without_its_table_a_rule_denies_nothing() {
    for case in cases().iter().filter(|case| !case.policy.is_empty()) {
        assert_eq!(judged("", &case.denies), [""; 0], "{}", case.code);
    }
}

#[test]
fn both_ends_of_a_models_life_belong_to_it() {
    for at in [-300, 10] {
        let setting = Setting {
            at,
            asked: at,
            ..GOOD
        };
        assert_eq!(judged(MODEL_WITH_A_LIFE, &setting), [""; 0], "{at}");
    }
    let setting = Setting {
        at: 9,
        asked: 9,
        ..GOOD
    };
    assert_eq!(judged(RETIRED, &setting), [""; 0]);
}

#[test]
fn a_stricter_profile_is_enough() {
    let strict = Setting {
        manifest: |m| m.padding = "strict".to_owned(),
        ..GOOD
    };
    assert_eq!(judged(CHANNEL, &strict), [""; 0]);
}

#[test]
fn without_a_list_of_bills_any_will_do_and_none_need_be() {
    let none = |required: bool| {
        let table = format!("[aibom]\nrequired = {required}\n");
        let in_force = in_force(&text(&table), |_| {});
        codes(in_force.evaluate(verified(NOW, |m| m.aibom_digest = None), NOW))
    };
    assert_eq!(none(false), [""; 0]);
    assert_eq!(none(true), ["policy.aibom"]);
}

#[test]
fn a_lease_that_continues_denies_nothing() {
    let lease = LEASE.replace("stop", "continue");
    let in_force = in_force(&text(&lease), |_| {});
    let admitted = in_force.evaluate(verified(NOW, |_| {}), NOW).unwrap();
    assert_eq!(admitted.not_after(), NOW.plus(3600));
}

#[test]
fn an_admission_ends_with_the_entries_that_it_rests_on() {
    let end = |policy: &str, publish: fn(&mut Publisher)| {
        let in_force = in_force(&text(policy), publish);
        let admitted = in_force.evaluate(verified(NOW, |_| {}), NOW).unwrap();
        admitted.not_after().since(NOW)
    };
    assert_eq!(end(MODEL_WITH_A_LIFE, |_| {}), 10);
    assert_eq!(end(RETIRED, |_| {}), 9);
    assert_eq!(end(LEASE, |team| team.stamp(NOW, NOW.plus(3600))), 60);
    assert_eq!(end(LEASE, |team| team.stamp(NOW, NOW.plus(30))), 30);
    let ends_soon = |team: &mut Publisher| {
        let soon = |entry: &mut policy::Placement| entry.valid_until = Some(NOW.plus(20));
        team.publish_inventory(&inventory_with(chip(), soon));
    };
    assert_eq!(end(RESIDENCY, ends_soon), 20);
    let expires_soon = |team: &mut Publisher| {
        let mut inventory = inventory(chip());
        inventory.expires = NOW.plus(15);
        team.publish_inventory(&inventory);
    };
    assert_eq!(end(RESIDENCY, expires_soon), 15);
    assert_eq!(end("", ends_soon), 3600);
}

#[test]
fn an_admission_says_where_the_inventory_places_the_cpu() {
    let placed = |publish: fn(&mut Publisher)| {
        let in_force = in_force(&text(""), publish);
        let admitted = in_force.evaluate(verified(NOW, |_| {}), NOW).unwrap();
        admitted.placement().map(|placement| placement.site.clone())
    };
    assert_eq!(placed(LISTED.publish).as_deref(), Some("fra1"));
    assert_eq!(placed(|_| {}), None);
}

#[test]
fn a_policy_by_itself_denies_what_only_other_documents_can_answer() {
    let alone = |tables: &str| {
        let in_force = in_force(&text(tables), LISTED.publish);
        codes(in_force.policy().evaluate(verified(NOW, |_| {}), NOW))
    };
    assert_eq!(alone(RESIDENCY), ["policy.residency.unlisted"]);
    assert_eq!(alone(LEASE), ["policy.lease"]);
}

#[test]
fn a_masked_chip_stands_nowhere() {
    let masked = node::machine().with_report(|report| report.chip_id = [0; 64]);
    let masked = masked.with_certificate(|vek| vek.hwid = vec![0; 64]);
    let in_force = in_force(&text(RESIDENCY), LISTED.publish);
    let verified = verified_of(&masked, NOW, |_| {});
    assert_eq!(
        codes(in_force.evaluate(verified, NOW)),
        ["policy.residency.masked"]
    );
}

#[test]
fn a_masked_chip_is_stopped_with_any_chip_and_any_site() {
    let masked = node::machine().with_report(|report| report.chip_id = [0; 64]);
    let masked = masked.with_certificate(|vek| vek.hwid = vec![0; 64]);
    let verified = verified_of(&masked, NOW, |_| {});
    let judged = |target: Target| {
        let in_force = in_force(&text(""), |team| {
            team.order(NOW, Action::Stop, std::slice::from_ref(&target));
        });
        codes(in_force.evaluate(verified.clone(), NOW))
    };
    let hardware = ["policy.stopped.hardware"];
    assert_eq!(judged(Target::Site("fra1".to_owned())), hardware);
    assert_eq!(
        judged(Target::Hardware(HardwareId::SnpChip([1; 64]))),
        hardware
    );
    let device = HardwareId::NvidiaDevice([1; 8]);
    assert_eq!(judged(Target::Hardware(device)), [""; 0]);
    assert_eq!(judged(Target::Node("n".to_owned())), [""; 0]);
}

#[test]
fn a_milan_is_denied_unless_its_chip_is_in_the_inventory() {
    let milan = Machine::new(&Vendor::invent(Product::Milan));
    let verified = verified_of(&milan, NOW, |_| {});
    let policy = PolicyText::admitting(milan.report(), NOT_BEFORE, EXPIRES).to_toml();
    let judged = |publish: fn(&mut Publisher)| {
        codes(in_force(&policy, publish).evaluate(verified.clone(), NOW))
    };
    assert_eq!(judged(|_| {}), ["policy.snp.milan"]);
    let another = |team: &mut Publisher| {
        team.publish_inventory(&inventory(HardwareId::SnpChip([1; 64])));
    };
    assert_eq!(judged(another), ["policy.snp.milan"]);
    let mut listed = Publisher::new(NOW, &policy);
    listed.publish_inventory(&inventory(HardwareId::of_cpu(verified.claims()).unwrap()));
    let listed = listed
        .in_force(NOW)
        .map_policy(policy::danger::accept_custom_anchors);
    assert_eq!(codes(listed.evaluate(verified.clone(), NOW)), [""; 0]);
}

#[test]
fn a_site_stays_stopped_when_the_entrys_time_has_passed() {
    let moved = in_force(&text(""), |team| {
        let ended = |entry: &mut policy::Placement| entry.valid_until = Some(UnixTime(NOW.0 - 1));
        team.publish_inventory(&inventory_with(chip(), ended));
        team.order(NOW, Action::Stop, &[Target::Site("fra1".to_owned())]);
    });
    let verified = verified(NOW, |_| {});
    assert_eq!(
        codes(moved.evaluate(verified, NOW)),
        ["policy.stopped.site"]
    );
}

#[test]
fn names_tenants_and_standing_are_judged_without_evidence() {
    let stopped = in_force(&text(LEASE), |team| {
        let targets = [Target::Node("n1".to_owned()), Target::Tenant([4; 32])];
        team.order(NOW, Action::Stop, &targets);
    });
    assert_eq!(
        stopped.judge_name("n1").unwrap().code,
        "policy.stopped.node"
    );
    assert_eq!(stopped.judge_name("n2"), None);
    assert_eq!(
        stopped.judge_tenant(&[4; 32]).unwrap().code,
        "policy.stopped.tenant"
    );
    assert_eq!(stopped.judge_tenant(&[5; 32]), None);
    let standing: Vec<_> = stopped.judge_standing(NOW).iter().map(|r| r.code).collect();
    assert_eq!(standing, ["policy.lease"]);
    let all = in_force(&text(""), |team| {
        team.order(NOW, Action::Stop, &[Target::Everything])
    });
    let standing: Vec<_> = all.judge_standing(NOW).iter().map(|r| r.code).collect();
    assert_eq!(standing, ["policy.stopped.everything"]);
}

#[test]
fn a_receipts_cache_scope_is_judged_where_the_policy_lists_any() {
    let judged = |tables: &str, scope: &str| {
        let in_force = in_force(&text(tables), |_| {});
        in_force
            .policy()
            .judge_cache_scope(scope)
            .map(|reason| reason.code)
    };
    assert_eq!(judged(CHANNEL, "request"), None);
    assert_eq!(
        judged(CHANNEL, "tenant"),
        Some("policy.channel.cache_scope")
    );
    assert_eq!(judged("", "tenant"), None);
}

/// A verdict over the machine with one GPU, and the policy that admits it.
fn with_a_gpu() -> (Verified<NodeClaims>, String) {
    let nvidia = Nvidia::invent(NOW);
    let machine = GpuMachine::new(node::machine(), vec![nvidia.clone()]);
    let verifier = node::verifier(&nvidia).with_collateral(machine.collateral());
    let (nonce, identity) = (Nonce([9; 32]), IdentityKey([7; 32]));
    let manifest = verified(NOW, |_| {}).claims().manifest.to_cbor();
    let bundle = tee_sim::bundle(&machine, identity, manifest, &nonce);
    let verified = verifier.verify(&bundle, Some(&nonce), NOW).unwrap();
    let gpu = &verified.claims().devices.as_ref().unwrap().devices[0].device;
    let gpu = GpuText {
        count: 1,
        driver: gpu.driver_version.clone().unwrap(),
        vbios: gpu.vbios_version.clone(),
    };
    let policy = PolicyText {
        gpu: Some(gpu),
        ..PolicyText::admitting(MACHINE.report(), NOT_BEFORE, EXPIRES)
    };
    (verified, policy.to_toml())
}

#[test]
fn residency_looks_at_devices_unless_it_is_about_the_cpu_alone() {
    let (verified, policy) = with_a_gpu();
    let judged = |scope: &str| {
        let table = format!("{RESIDENCY}devices = {scope:?}\n");
        let in_force = in_force(&(policy.clone() + &table), LISTED.publish);
        reasons(in_force.evaluate(verified.clone(), NOW))
    };
    assert_eq!(judged("cpu"), []);
    let all = judged("all");
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].code, "policy.residency.unlisted");
    assert!(all[0].actual.starts_with("nvidia:"), "{}", all[0].actual);
}

#[test]
fn old_collateral_of_a_device_is_denied_and_ends_an_admission() {
    let (verified, policy) = with_a_gpu();
    let device = &verified.claims().devices.as_ref().unwrap().devices[0];
    let asked = NOW.plus(100);
    let age_seconds = asked.since(device.window.not_before);
    let judged = |most: u64| {
        let age = format!("[freshness]\nmax_collateral_age_seconds = {most}\n");
        let in_force = in_force(&policy.replacen("[freshness]\n", &age, 1), |_| {});
        in_force.evaluate(verified.clone(), asked)
    };
    assert_eq!(codes(judged(age_seconds - 1)), ["policy.collateral.age"]);
    let admitted = judged(age_seconds + 5).unwrap();
    assert_eq!(admitted.not_after(), asked.plus(5));
}
