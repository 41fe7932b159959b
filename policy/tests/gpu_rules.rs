//! The table `[gpu]`, rule by rule, on claims that are wrong in one point.

use attestation::{
    UnixTime, Window,
    nvidia::{Architecture, Device, DeviceClaims, Feature, Pdi},
};
use policy::{Policy, Reason};

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);

/// A policy with these lines in `[gpu]`.
fn text(lines: &str) -> String {
    format!(
        r#"
schema = 1
version = 1
name = "test"
not_before = 2026-01-01T00:00:00Z
expires = 2027-01-01T00:00:00Z
[freshness]
max_age_seconds = 600
[gpu]
architectures = ["hopper"]
modes = ["ppcie"]
{lines}
[tdx]
statuses = ["UpToDate"]
minimum_evaluation_number = 17
service_td = "forbid"
[[tdx.mrtd]]
name = "firmware"
digest = "{}"
[tdx.attributes]
sept_ve_disable = "require"
migratable = "forbid"
pks = "allow"
perfmon = "forbid"
"#,
        "11".repeat(48)
    )
}

const ONE: &str = "count = 1\ndrivers = [\"570.124.06\"]\nvbios = [\"96.00.BC.00.01\"]\n";
const MACHINE: &str = "count = 2\nswitches = 2\ndrivers = [\"570.124.06\"]\nvbios = [\"96.00.BC.00.01\", \"96.10.6D.00.01\"]\n";

fn window() -> Window {
    Window {
        not_before: UnixTime(0),
        not_after: NOW.plus(1_000_000),
    }
}

fn device(architecture: Architecture, id: u8, links: &[u8]) -> DeviceClaims {
    let is_gpu = architecture != Architecture::Ls10;
    let text = |text: &str| is_gpu.then(|| text.to_owned());
    let device = Device {
        architecture,
        chip: if is_gpu { "GH100" } else { "LS10" }.to_owned(),
        pdi: Pdi([id; 8]),
        serial_number: vec![id; 16],
        driver_version: text("570.124.06"),
        vbios_version: if is_gpu {
            "96.00.BC.00.01"
        } else {
            "96.10.6D.00.01"
        }
        .to_owned(),
        project: text("1010"),
        project_sku: text("0200"),
        chip_sku: text("882"),
        feature: is_gpu.then_some(Feature::Ppcie),
        fwid: None,
        nvdec0: None,
        links: links.iter().map(|id| Pdi([*id; 8])).collect(),
        position_id: None,
        lock_status: None,
        nonce: [0; 32],
        opaque: Vec::new(),
        window: window(),
    };
    DeviceClaims {
        device,
        driver_rim: None,
        vbios_rim: None,
        unused_rims: Vec::new(),
        window: window(),
    }
}

fn gpu() -> DeviceClaims {
    device(Architecture::Hopper, 1, &[])
}

/// Two GPUs and two switches, all linked.
fn machine() -> Vec<DeviceClaims> {
    vec![
        device(Architecture::Hopper, 1, &[8, 9]),
        device(Architecture::Hopper, 2, &[9, 8]),
        device(Architecture::Ls10, 8, &[1, 2]),
        device(Architecture::Ls10, 9, &[2, 1]),
    ]
}

fn judged(text: &str, devices: &[DeviceClaims]) -> Vec<Reason> {
    let policy = Policy::from_toml(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}"));
    policy.judge_devices(devices, NOW)
}

/// The one reason.
fn reason(text: &str, devices: &[DeviceClaims]) -> Reason {
    let mut reasons = judged(text, devices);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

fn assert_reason(reason: &Reason, code: &str, rule: &str, actual: &str) {
    assert_eq!((reason.code, reason.rule.as_str()), (code, rule));
    assert_eq!(reason.actual, actual, "{code}");
}

/// Code of the one mistake.
fn mistake(text: &str) -> &'static str {
    let mistakes = Policy::from_toml(text.as_bytes()).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes[0].code()
}

#[test]
fn the_devices_meet_the_rules() {
    assert_eq!(judged(&text(ONE), &[gpu()]), []);
    assert_eq!(judged(&text(MACHINE), &machine()), []);
}

#[test]
fn the_count_stays_exact() {
    let two = [gpu(), device(Architecture::Hopper, 2, &[])];
    assert_eq!(reason(&text(ONE), &two).code, "policy.gpu.count");
    assert_eq!(reason(&text(MACHINE), &machine()[..3]).rule, "gpu.switches");
}

#[test]
fn a_driver_may_have_a_floor_instead_of_a_list() {
    let floor = |floor: &str| {
        let line = format!("minimum_driver = \"{floor}\"");
        text(&ONE.replace("drivers = [\"570.124.06\"]", &line))
    };
    for met in ["570.124.06", "570.124.5", "550.999.99", "570"] {
        assert_eq!(judged(&floor(met), &[gpu()]), [], "{met}");
    }
    for unmet in ["570.124.07", "570.133", "575.1.1"] {
        let reason = reason(&floor(unmet), &[gpu()]);
        let actual = "\"570.124.06\" of device 0";
        assert_reason(&reason, "policy.gpu.driver", "gpu.minimum_driver", actual);
        assert_eq!(reason.expected, format!("\"{unmet}\" or later"));
    }
}

#[test]
fn a_driver_that_is_not_told_or_no_version_is_below_every_floor() {
    let floor = text(&ONE.replace("drivers = [\"570.124.06\"]", "minimum_driver = \"1\""));
    for (driver, told) in [(None, "\"none\""), (Some("570.x"), "\"570.x\"")] {
        let mut gpu = gpu();
        gpu.device.driver_version = driver.map(str::to_owned);
        let actual = format!("{told} of device 0");
        let reason = reason(&floor, &[gpu]);
        assert_reason(&reason, "policy.gpu.driver", "gpu.minimum_driver", &actual);
    }
}

#[test]
fn list_and_floor_must_both_hold() {
    let both = text(&format!(
        "{ONE}minimum_driver = \"580.1\"\nminimum_vbios = [\"96.00.BD.00.00\"]"
    ));
    let rules: Vec<_> = judged(&both, &[gpu()])
        .into_iter()
        .map(|reason| reason.rule)
        .collect();
    assert_eq!(rules, ["gpu.minimum_driver", "gpu.minimum_vbios"]);
    let met = text(&format!(
        "{ONE}minimum_driver = \"570.1\"\nminimum_vbios = [\"96.00.BC.00.01\"]"
    ));
    assert_eq!(judged(&met, &[gpu()]), []);
    let mut newer = gpu();
    newer.device.driver_version = Some("580.2.1".to_owned());
    assert_eq!(reason(&met, &[newer]).rule, "gpu.drivers");
}

#[test]
fn firmware_has_a_floor_for_each_line() {
    let floors = |floors: &str| {
        let vbios = "vbios = [\"96.00.BC.00.01\", \"96.10.6D.00.01\"]";
        text(&MACHINE.replace(vbios, &format!("minimum_vbios = {floors}")))
    };
    assert_eq!(
        judged(
            &floors("[\"96.00.9F.00.01\", \"96.10.6d.00.01\"]"),
            &machine()
        ),
        []
    );
    for (unmet, of, count) in [
        (
            "[\"96.00.BD.00.00\", \"96.10.00.00.00\"]",
            "\"96.00.BC.00.01\" of device 0",
            2,
        ),
        (
            "[\"96.00.00.00.00\", \"96.10.6D.00.02\"]",
            "\"96.10.6D.00.01\" of device 2",
            2,
        ),
        ("[\"96.00.00.00.00\"]", "\"96.10.6D.00.01\" of device 2", 2),
        ("[\"95.00.00.00.00\"]", "\"96.00.BC.00.01\" of device 0", 4),
    ] {
        let reasons = judged(&floors(unmet), &machine());
        assert_eq!(reasons.len(), count, "{unmet}");
        assert_reason(&reasons[0], "policy.gpu.vbios", "gpu.minimum_vbios", of);
    }
}

#[test]
fn chips_and_boards_are_judged_of_gpus() {
    let with = |line: &str| text(&format!("{MACHINE}{line}"));
    assert_eq!(
        judged(&with("chips = [\"GH100\", \"GB100\"]"), &machine()),
        []
    );
    let chips = judged(&with("chips = [\"GB100\"]"), &machine());
    assert_eq!(chips.len(), 2);
    assert_reason(
        &chips[1],
        "policy.gpu.chip",
        "gpu.chips",
        "\"GH100\" of device 1",
    );

    assert_eq!(
        judged(&with("boards = [\"1010_0200_882\"]"), &machine()),
        []
    );
    let boards = judged(&with("boards = [\"1010_0210_882\"]"), &machine());
    assert_eq!(boards.len(), 2);
    assert_reason(
        &boards[0],
        "policy.gpu.board",
        "gpu.boards",
        "\"1010_0200_882\" of device 0",
    );
    let mut silent = machine();
    silent[1].device.chip_sku = None;
    let silent = reason(&with("boards = [\"1010_0200_882\"]"), &silent);
    assert_eq!(silent.actual, "\"1010_0200_?\" of device 1");
}

#[test]
fn a_whole_machine_is_linked_with_itself_alone() {
    let whole = text(&format!("{MACHINE}topology = \"whole\""));
    assert_eq!(judged(&whole, &machine()), []);
    type Edit = fn(&mut [DeviceClaims]);
    let edits: [Edit; 4] = [
        |devices| devices[0].device.links.clear(),
        |devices| devices[0].device.links[1] = Pdi([7; 8]),
        |devices| devices[1].device.links.push(Pdi([7; 8])),
        |devices| devices[3].device.links.truncate(1),
    ];
    for edit in edits {
        let mut devices = machine();
        edit(&mut devices);
        assert_eq!(judged(&text(MACHINE), &devices), []);
        assert_reason(
            &reason(&whole, &devices),
            "policy.gpu.topology",
            "gpu.topology",
            "other links",
        );
    }
}

#[test]
fn mistakes_are_told() {
    for (lines, code) in [
        (
            ONE.replace("drivers = [\"570.124.06\"]", ""),
            "policy.document.missing_field",
        ),
        (
            ONE.replace("vbios = [\"96.00.BC.00.01\"]", ""),
            "policy.document.missing_field",
        ),
        (
            format!("{ONE}minimum_driver = \"570.1F\""),
            "policy.document.value",
        ),
        (
            format!("{ONE}minimum_driver = \"\""),
            "policy.document.value",
        ),
        (
            format!("{ONE}minimum_vbios = [\"96.00.XX\"]"),
            "policy.document.value",
        ),
        (
            format!("{ONE}minimum_vbios = []"),
            "policy.document.empty_list",
        ),
        (
            format!("{ONE}minimum_vbios = [\"96.00.01\", \"96.00.02\"]"),
            "policy.document.duplicate",
        ),
        (format!("{ONE}chips = []"), "policy.document.empty_list"),
        (
            format!("{ONE}boards = [\"1010_0200\"]"),
            "policy.document.value",
        ),
        (format!("{ONE}topology = \"ring\""), "policy.document.value"),
        (
            format!("{ONE}topology = \"whole\""),
            "policy.document.conflict",
        ),
    ] {
        assert_eq!(mistake(&text(&lines)), code, "{lines}");
    }
}
