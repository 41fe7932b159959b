//! A publication: five files that are verified together, and every way in which they do not fit.

use crate::support::{NOW, busy_team, inventory, policy_text, team, verified, wrong};
use attestation::UnixTime;
use policy::{
    Action, Envelope, Files, PayloadType, Publication, Role, Root, Target, TrustRoot,
    publication::{INVENTORY, MAX_LINES_BYTES, ORDERS, POLICY, ROOTS, TIMESTAMP},
    signature::MAX_ENVELOPE_BYTES,
};
use tee_sim::{
    PolicySigner, Publisher,
    publisher::{lines, signed},
};

/// What the team's files say once `change` was made to them.
fn changed(
    team: &Publisher,
    change: impl FnOnce(&mut Files),
) -> Vec<(&'static str, Option<usize>, &'static str)> {
    let mut files = team.files();
    assert!(
        verified(team, &files).is_ok(),
        "the unchanged files are good"
    );
    change(&mut files);
    wrong(verified(team, &files))
}

fn json(envelope: &Envelope) -> Option<Vec<u8>> {
    Some(envelope.to_json().into_bytes())
}

#[test]
fn a_policy_alone_is_a_publication() {
    let team = team();
    let files = Files::of_policy(team.policy.to_json().into_bytes());
    let in_force = verified(&team, &files).unwrap();
    assert_eq!(in_force.policy().version(), 1);
    assert_eq!(in_force.root().unwrap(), &team.pinned());
    assert!(in_force.inventory().is_none() && in_force.timestamp().is_none());
    assert_eq!(in_force.orders().serial(), 0);
}

#[test]
fn all_files_come_into_force_together() {
    let mut team = busy_team();
    team.rotate(2);
    team.stamp(NOW, NOW.plus(3600));
    let in_force = verified(&team, &team.files()).unwrap();
    assert_eq!(in_force.root().unwrap().version(), 2);
    assert_eq!(in_force.root().unwrap().anchor(), team.pinned().digest());
    assert_eq!(in_force.inventory().unwrap().version(), 1);
    assert_eq!(in_force.orders().serial(), 1);
    assert_eq!(in_force.timestamp().unwrap().version, 2);
}

#[test]
fn keys_given_by_hand_verify_all_but_orders_and_rotations() {
    let mut team = team();
    let keys = team.signers.each_ref().map(PolicySigner::public_key);
    let keys = Root::of_keys(TrustRoot::new(keys.to_vec(), 2).unwrap());
    team.publish_inventory(&inventory(1));
    let judge = |team: &Publisher| Publication::parse(&team.files())?.verify(&keys, NOW);
    assert_eq!(judge(&team).unwrap().root().unwrap().version(), 0);

    team.order(NOW, Action::Stop, &[Target::Everything]);
    assert_eq!(
        wrong(judge(&team)),
        [(ORDERS, Some(1), "policy.root.no_role")]
    );
    team.orders.clear();
    team.rotate(1);
    assert_eq!(wrong(judge(&team)), [(ROOTS, Some(1), "policy.root.fixed")]);
}

#[test]
fn the_policy_is_required() {
    let told = changed(&team(), |files| files.policy = None);
    assert_eq!(told, [(POLICY, None, "policy.publication.no_policy")]);
}

#[test]
fn lines_hold_one_envelope_each_and_nothing_else() {
    let team = busy_team();
    let line = team.orders[0].to_line();
    for (orders, entry, code) in [
        (String::new(), None, "policy.publication.empty"),
        ("\n".to_owned(), None, "policy.publication.empty"),
        (
            format!("{line}\n\n"),
            Some(2),
            "policy.publication.blank_line",
        ),
        (
            format!("\n{line}"),
            Some(1),
            "policy.publication.blank_line",
        ),
        (
            format!("{line}{line}"),
            Some(1),
            "policy.signature.malformed",
        ),
        (
            format!("{line}\n{{}}"),
            Some(2),
            "policy.signature.malformed",
        ),
        (format!("{line}\0"), Some(1), "policy.signature.malformed"),
    ] {
        let told = changed(&team, |files| files.orders = Some(orders.clone().into()));
        assert_eq!(told, [(ORDERS, entry, code)], "{orders}");
    }
    let mut without_end = team.files();
    without_end.orders = Some(line.into());
    assert!(verified(&team, &without_end).is_ok());
}

#[test]
fn every_file_has_its_cap() {
    let team = busy_team();
    let too_long = |limit: usize| Some(vec![b' '; limit + 1]);
    let large = [
        (POLICY, "policy.signature.too_large"),
        (TIMESTAMP, "policy.signature.too_large"),
    ];
    for (file, code) in large {
        let told = changed(&team, |files| {
            *files.get_mut(file).unwrap() = too_long(MAX_ENVELOPE_BYTES);
        });
        assert_eq!(told, [(file, None, code)]);
    }
    let told = changed(&team, |files| {
        files.inventory = too_long(Files::max_bytes(INVENTORY))
    });
    assert_eq!(told, [(INVENTORY, None, "policy.signature.too_large")]);
    for file in [ROOTS, ORDERS] {
        let told = changed(&team, |files| {
            *files.get_mut(file).unwrap() = too_long(MAX_LINES_BYTES);
        });
        assert_eq!(told, [(file, None, "policy.publication.too_large")]);
        let told = changed(&team, |files| {
            *files.get_mut(file).unwrap() = Some(vec![b'\n'; 5000]);
        });
        assert_eq!(told, [(file, None, "policy.publication.too_many")]);
    }
}

#[test]
fn every_file_names_its_place_and_unknown_names_have_none() {
    let mut files = busy_team().files();
    files.roots = Some(Vec::new());
    for name in Files::NAMES {
        assert!(
            files.get(name).is_some() && Files::max_bytes(name) > 0,
            "{name}"
        );
        *files.get_mut(name).unwrap() = None;
    }
    assert_eq!(files, Files::default());
    assert!(files.get("x").is_none() && files.get_mut("x").is_none());
    assert_eq!(Files::max_bytes("x"), 0);
}

#[test]
fn no_document_passes_for_another() {
    let team = busy_team();
    let order = team.orders[0].to_json().into_bytes();
    for file in [POLICY, INVENTORY, TIMESTAMP] {
        let told = changed(&team, |files| {
            *files.get_mut(file).unwrap() = Some(order.clone());
        });
        assert_eq!(told, [(file, None, "policy.signature.payload_type")]);
    }
    let told = changed(&team, |files| {
        files.orders = lines(std::slice::from_ref(&team.policy))
    });
    assert_eq!(told, [(ORDERS, Some(1), "policy.signature.payload_type")]);
    let mut rotated = busy_team();
    rotated.rotate(2);
    let told = changed(&rotated, |files| {
        files.roots = lines(std::slice::from_ref(&rotated.policy))
    });
    assert_eq!(told, [(ROOTS, Some(1), "policy.signature.payload_type")]);
    let told = Root::pinned(&team.policy).unwrap_err();
    assert_eq!(told[0].code(), "policy.signature.payload_type");
}

#[test]
fn every_document_needs_its_own_threshold() {
    let team = busy_team();
    for (file, kind, envelope) in [
        (POLICY, PayloadType::Policy, team.policy.clone()),
        (
            INVENTORY,
            PayloadType::Inventory,
            team.inventory.clone().unwrap(),
        ),
    ] {
        let text = String::from_utf8(envelope.unverified_payload().to_vec()).unwrap();
        let told = changed(&team, |files| {
            *files.get_mut(file).unwrap() = json(&team.signed(kind, &text, 1));
        });
        assert_eq!(told, [(file, None, "policy.signature.too_few")]);
    }
    let stranger = PolicySigner::generate();
    let timestamp = team.timestamp.as_ref().unwrap().unverified_payload();
    let text = String::from_utf8(timestamp.to_vec()).unwrap();
    let told = changed(&team, |files| {
        files.timestamp = json(&signed(PayloadType::Timestamp, &text, &[&stranger]));
    });
    assert_eq!(told, [(TIMESTAMP, None, "policy.signature.too_few")]);
}

#[test]
fn a_role_that_nobody_has_signs_nothing() {
    for (role, file, entry) in [
        (Role::Inventory, INVENTORY, None),
        (Role::Timestamp, TIMESTAMP, None),
        (Role::Stop, ORDERS, Some(1)),
    ] {
        let mut team = busy_team();
        team.root.roles.remove(&role);
        team.root.roles.remove(&Role::Start);
        team.roots = vec![team.signed(PayloadType::Root, &team.root.to_string(), 2)];
        team.timestamp = team.timestamp.filter(|_| role == Role::Timestamp);
        let told = wrong(verified(&team, &team.files()));
        assert_eq!(told, [(file, entry, "policy.root.no_role")]);
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let team = busy_team();
    let told = changed(&team, |files| {
        files.policy = json(&team.signed(PayloadType::Policy, &policy_text(1), 1));
        files.inventory = json(&team.signed(PayloadType::Inventory, "schema = 1", 2));
        files.orders = lines(&[team.orders[0].clone(), team.orders[0].clone()]);
    });
    let files: Vec<_> = told.iter().map(|(file, ..)| *file).collect();
    assert_eq!(files.first(), Some(&POLICY));
    assert!(files.contains(&INVENTORY));
    assert_eq!(told.last(), Some(&(ORDERS, Some(2), "policy.order.serial")));
}

#[test]
fn nothing_comes_into_force_before_its_time() {
    let team = busy_team();
    let publication = Publication::parse(&team.files()).unwrap();
    let early = UnixTime(NOW.0 - 1001);
    let mut unstamped = team.files();
    unstamped.timestamp = None;
    let early_told = Publication::parse(&unstamped)
        .unwrap()
        .verify(&team.pinned(), early);
    let code = "policy.publication.not_before";
    assert_eq!(
        wrong(early_told),
        [(POLICY, None, code), (INVENTORY, None, code)]
    );
    let by_the_timestamp = publication.verify(&team.pinned(), early);
    assert!(by_the_timestamp.is_ok(), "a signed time moves a slow clock");
}

#[test]
fn a_root_verifies_within_its_window_only() {
    let team = team();
    let publication = Publication::parse(&team.files()).unwrap();
    let judge = |now| publication.verify(&team.pinned(), now);
    assert!(judge(team.root.expires).is_ok(), "both ends belong to it");
    let late = wrong(judge(team.root.expires.plus(1)));
    assert_eq!(late, [(ROOTS, None, "policy.root.expired")]);
    let early = wrong(judge(UnixTime(team.root.not_before.0 - 1)));
    assert_eq!(early[0], (ROOTS, None, "policy.root.not_before"));
}

#[test]
fn an_expired_root_that_was_rotated_in_time_does_no_harm() {
    let mut team = team();
    let end = team.root.expires;
    team.root.expires = end.plus(1_000_000);
    team.rotate(0);
    team.resign();
    let late = end.plus(1);
    let publication = Publication::parse(&team.files()).unwrap();
    assert!(publication.verify(&team.pinned(), late).is_ok());
}

#[test]
fn a_timestamp_that_names_what_is_not_here_is_a_freeze() {
    let stale = [(TIMESTAMP, None, "policy.timestamp.stale")];
    let mut team = busy_team();
    let old = team.files();
    team.publish_policy(&policy_text(2));
    team.publish_inventory(&inventory(2));
    team.order(NOW, Action::Stop, &[Target::Everything]);
    team.rotate(2);
    team.stamp(NOW, NOW.plus(3600));
    for file in [ROOTS, POLICY, INVENTORY, ORDERS] {
        let told = changed(&team, |files| {
            *files.get_mut(file).unwrap() = old.get(file).map(<[u8]>::to_vec);
        });
        assert_eq!(told, stale, "{file}");
    }
    for file in [INVENTORY, ORDERS] {
        let told = changed(&team, |files| *files.get_mut(file).unwrap() = None);
        assert_eq!(told, stale, "{file}");
    }
}

#[test]
fn a_timestamp_names_digests_and_not_only_versions() {
    let stale = [(TIMESTAMP, None, "policy.timestamp.stale")];
    let team = busy_team();
    let policy = policy_text(1) + "# another\n";
    let told = changed(&team, |files| {
        files.policy = json(&team.signed(PayloadType::Policy, &policy, 2));
    });
    assert_eq!(told, stale);
    let told = changed(&team, |files| {
        let inventory = inventory(1).to_string() + "# another\n";
        files.inventory = json(&team.signed(PayloadType::Inventory, &inventory, 2));
    });
    assert_eq!(told, stale);
    let told = changed(&team, |files| {
        let mut other = team.next_order(NOW, Action::Stop);
        (other.serial, other.previous) = (1, None);
        let order = team.signed(PayloadType::Order, &other.to_string(), 1);
        files.orders = lines(&[order]);
    });
    assert_eq!(told, stale);
}

#[test]
fn documents_newer_than_the_timestamp_are_good() {
    let mut team = busy_team();
    team.publish_policy(&policy_text(2));
    team.publish_inventory(&inventory(2));
    team.order(NOW, Action::Stop, &[Target::Everything]);
    team.rotate(2);
    let in_force = verified(&team, &team.files()).unwrap();
    assert_eq!(in_force.policy().version(), 2);
    assert_eq!(in_force.orders().serial(), 2);
}

#[test]
fn a_start_waits_for_a_timestamp_that_names_it_and_a_stop_does_not() {
    let node = Target::Node("n1".to_owned());
    let other = Target::Node("n2".to_owned());
    let mut team = busy_team();
    team.order(NOW, Action::Start, std::slice::from_ref(&node));
    team.order(NOW, Action::Stop, std::slice::from_ref(&other));
    let early = verified(&team, &team.files()).unwrap();
    assert_eq!(early.orders().serial(), 3);
    assert!(early.orders().stopped(&node).is_some(), "started too early");
    assert!(early.orders().stopped(&other).is_some(), "stopped too late");
    team.stamp(NOW, NOW.plus(3600));
    let named = verified(&team, &team.files()).unwrap();
    assert!(named.orders().stopped(&node).is_none());
    assert!(named.orders().stopped(&other).is_some());
}

#[test]
fn a_timestamp_from_the_far_future_is_refused() {
    let team = busy_team();
    let stamped = |seconds| {
        let mut draft = team.next_timestamp(NOW, NOW);
        draft.issued = NOW.plus(seconds);
        draft.expires = NOW.plus(seconds + 60);
        team.signed(PayloadType::Timestamp, &draft.to_string(), 1)
    };
    let mut files = team.files();
    files.timestamp = json(&stamped(24 * 3600));
    assert!(verified(&team, &files).is_ok());
    files.timestamp = json(&stamped(24 * 3600 + 1));
    assert_eq!(
        wrong(verified(&team, &files)),
        [(TIMESTAMP, None, "policy.timestamp.future")]
    );
}

#[test]
fn an_expired_timestamp_is_the_policys_matter() {
    let mut team = team();
    team.stamp(UnixTime(NOW.0 - 900), UnixTime(NOW.0 - 800));
    assert!(verified(&team, &team.files()).is_ok());
}

#[test]
fn errors_name_file_and_entry() {
    let team = busy_team();
    let mut files = team.files();
    files.orders = lines(&[team.orders[0].clone(), team.orders[0].clone()]);
    let error = verified(&team, &files).unwrap_err().remove(0);
    assert_eq!(
        error.to_string(),
        "orders.jsonl, entry 2: order 1 does not follow; the next order is 2"
    );
    let error = Publication::parse(&Files::default()).unwrap_err().remove(0);
    assert_eq!(error.to_string(), "policy.json: there is no policy");
}
