//! Orders: the document, the log and its replay, and what no log can do.

use crate::support::{NOW, sample, team};
use attestation::UnixTime;
use policy::{
    Action, Envelope, HardwareId, Order, Orders, PayloadType, PolicyError, Role, Root, Target,
    draft::OrderDraft,
    orders::{MAX_ORDER_BYTES, MAX_ORDERS},
};
use proptest::prelude::*;
use std::sync::LazyLock;
use tee_sim::{PolicySigner, Publisher, publisher::signed};

fn order_sample() -> &'static str {
    sample("## Orders")
}

/// Code and message of the only mistake of the sample with `from` replaced by `to`.
fn mistake(from: &str, to: &str) -> (&'static str, String) {
    assert!(order_sample().contains(from), "{from}");
    let text = order_sample().replacen(from, to, 1);
    let found = Order::from_toml(text.as_bytes()).unwrap_err();
    assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
    (found[0].code(), found[0].to_string())
}

#[test]
fn the_sample_says_what_its_page_says() {
    let order = Order::from_toml(order_sample().as_bytes()).unwrap();
    assert_eq!((order.serial(), order.previous()), (1, None));
    assert_eq!(order.action(), Action::Stop);
    assert_eq!(order.issued().to_rfc3339(), "2026-07-01T09:00:00Z");
    assert_eq!(order.targets()[0], Target::Node("gpu-17".to_owned()));
    assert!(matches!(order.targets()[1], Target::Model(_)));
    assert_eq!(order.reason(), "key material of gpu-17 seen outside");
    let digest = attestation::crypto::sha256(order_sample().as_bytes());
    assert_eq!(*order.digest(), digest);
}

#[test]
fn every_mistake_is_told() {
    for (from, to, code) in [
        ("schema = 1", "schema = 3", "schema"),
        ("serial = 1\n", "", "missing_field"),
        ("serial = 1\n", "serial = 0\n", "value"),
        ("serial = 1\n", "serial = 2\n", "missing_field"),
        ("issued = 2026-07-01T09:00:00Z\n", "", "missing_field"),
        (
            "issued = 2026-07-01T09:00:00Z",
            "issued = 2026-07-01",
            "value",
        ),
        ("action = \"stop\"\n", "", "missing_field"),
        ("action = \"stop\"", "action = \"pause\"", "value"),
        (
            "reason = \"key material of gpu-17 seen outside\"\n",
            "",
            "missing_field",
        ),
        ("key material of gpu-17 seen outside", "", "value"),
        ("\"node:gpu-17\"", "\"node:\"", "value"),
        ("\"node:gpu-17\"", "\"gpu-17\"", "value"),
        ("\"node:gpu-17\"", "\"everything:\"", "value"),
        ("\"node:gpu-17\"", "\"model:00\"", "value"),
        ("\"node:gpu-17\"", "7", "type"),
        ("\"node:gpu-17\"", "\"site:x\", \"site:x\"", "duplicate"),
        ("schema = 1", "schema = 1\nuntil = 1", "unknown_field"),
    ] {
        let (found, message) = mistake(from, to);
        assert_eq!(found, format!("policy.document.{code}"), "{message}");
    }
    let previous = format!("serial = 1\nprevious = \"{}\"\n", "00".repeat(32));
    assert_eq!(
        mistake("serial = 1\n", &previous).0,
        "policy.document.conflict"
    );
    let (before, after) = order_sample().split_once("targets").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    let empty = Order::from_toml(format!("{before}targets = []\n{after}").as_bytes());
    assert_eq!(empty.unwrap_err()[0].code(), "policy.document.empty_list");
    let large = vec![b' '; MAX_ORDER_BYTES + 1];
    let told = Order::from_toml(&large).unwrap_err();
    assert_eq!(told[0].code(), "policy.document.too_large");
}

fn targets() -> Vec<Target> {
    vec![
        Target::Everything,
        Target::Node("n: with a colon".to_owned()),
        Target::Hardware(HardwareId::SnpChip([1; 64])),
        Target::Hardware(HardwareId::TdxPackage([2; 16])),
        Target::Hardware(HardwareId::NvidiaDevice([3; 8])),
        Target::Model([4; 32]),
        Target::Measurement([5; 48]),
        Target::Tenant([6; 32]),
        Target::Site("fra1 \"quoted\"".to_owned()),
    ]
}

#[test]
fn targets_are_read_as_they_are_written() {
    for target in targets() {
        assert_eq!(Target::parse(&target.to_string()), Some(target.clone()));
    }
    let long = format!("node:{}", "x".repeat(129));
    for text in [
        "",
        "everything ",
        "Everything",
        "node",
        "site:",
        "node:a\nb",
        "snp:00",
        &long,
    ] {
        assert_eq!(Target::parse(text), None, "{text:?}");
    }
}

#[test]
fn drafts_are_read_as_they_were_written() {
    let mut draft = team().next_order(NOW, Action::Start);
    draft.targets = targets();
    draft.reason = "a \"quoted\" \\ reason".to_owned();
    let order = Order::from_toml(draft.to_string().as_bytes()).unwrap();
    assert_eq!(order.targets(), draft.targets);
    assert_eq!(order.reason(), draft.reason);
    assert_eq!(order.issued(), NOW);
    let next = OrderDraft::following(&order, NOW, Action::Stop);
    assert_eq!((next.serial, next.previous), (2, Some(*order.digest())));
}

#[test]
fn a_log_is_replayed_to_its_state() {
    let mut team = team();
    let [node, model] = [Target::Node("n".to_owned()), Target::Model([1; 32])];
    team.order(NOW, Action::Stop, &[node.clone(), model.clone()]);
    team.order(
        NOW.plus(5),
        Action::Stop,
        &[node.clone(), Target::Everything],
    );
    team.order(
        NOW.plus(9),
        Action::Start,
        &[Target::Everything, model.clone()],
    );
    let orders = Orders::replay(&team.orders, &team.pinned()).unwrap();
    assert_eq!((orders.serial(), orders.latest()), (3, Some(NOW.plus(9))));
    let stopped = orders.stopped(&node).unwrap();
    assert_eq!((stopped.serial, stopped.issued), (2, NOW.plus(5)));
    assert_eq!(stopped.reason, "exercise");
    assert_eq!(orders.stopped(&model), None);
    assert_eq!(orders.stopped(&Target::Everything), None);
    assert_eq!(orders.iter().count(), 1);
    let last = Order::from_toml(team.orders[2].unverified_payload()).unwrap();
    assert_eq!(orders.digest(), last.digest());
    assert_eq!(orders.digest_of(3), Some(last.digest()));
    assert_eq!((orders.digest_of(0), orders.digest_of(4)), (None, None));
    let next = OrderDraft::after(&orders, NOW, Action::Stop);
    assert_eq!((next.serial, next.previous), (4, Some(*last.digest())));
}

#[test]
fn starting_everything_starts_nothing_that_was_stopped_by_itself() {
    let mut team = team();
    let node = Target::Node("n".to_owned());
    team.order(NOW, Action::Stop, std::slice::from_ref(&node));
    team.order(NOW, Action::Start, &[Target::Everything]);
    let orders = Orders::replay(&team.orders, &team.pinned()).unwrap();
    assert!(orders.stopped(&node).is_some());
    assert!(!orders.stops_nothing());
}

#[test]
fn no_orders_stop_nothing() {
    let orders = Orders::replay(&[], &team().pinned()).unwrap();
    assert_eq!(orders, Orders::none());
    assert_eq!((orders.serial(), orders.latest()), (0, None));
    assert_eq!(orders.digest(), &[0; 32]);
    assert!(orders.stops_nothing());
}

/// The code with which a log of two good orders refuses a third that `edit` makes of the next draft, and `signers` sign.
fn refused(action: Action, signers: usize, edit: impl FnOnce(&mut OrderDraft)) -> &'static str {
    let mut team = team();
    team.order(NOW, Action::Stop, &[Target::Everything]);
    team.order(NOW.plus(10), Action::Stop, &[Target::Model([1; 32])]);
    let mut draft = team.next_order(NOW.plus(20), action);
    edit(&mut draft);
    let order = team.signed(PayloadType::Order, &draft.to_string(), signers);
    let mut orders = Orders::replay(&team.orders, &team.pinned()).unwrap();
    let before = orders.clone();
    let result = orders.obey(&order, &team.pinned());
    assert_eq!(
        orders == before,
        result.is_err(),
        "a refused order changes nothing"
    );
    result.map_or_else(|errors| errors[0].code(), |()| "obeyed")
}

#[test]
fn an_order_follows_the_one_before() {
    use Action::{Start, Stop};
    assert_eq!(refused(Stop, 1, |_| ()), "obeyed");
    assert_eq!(refused(Start, 2, |_| ()), "obeyed");
    assert_eq!(refused(Start, 1, |_| ()), "policy.signature.too_few");
    assert_eq!(
        refused(Stop, 1, |draft| draft.serial = 2),
        "policy.order.serial"
    );
    assert_eq!(
        refused(Stop, 1, |draft| draft.serial = 4),
        "policy.order.serial"
    );
    let other = |draft: &mut OrderDraft| draft.previous = Some([1; 32]);
    assert_eq!(refused(Stop, 1, other), "policy.order.previous");
    let earlier = |draft: &mut OrderDraft| draft.issued = NOW.plus(9);
    assert_eq!(refused(Stop, 1, earlier), "policy.order.issued");
    let same_second = |draft: &mut OrderDraft| draft.issued = NOW.plus(10);
    assert_eq!(refused(Stop, 1, same_second), "obeyed");
    let far_ahead = |draft: &mut OrderDraft| draft.issued = UnixTime(NOW.0 * 2);
    assert_eq!(
        refused(Stop, 1, far_ahead),
        "obeyed",
        "a stop waits for no clock"
    );
}

#[test]
fn a_log_has_its_cap() {
    let (team, mut orders) = (team(), Orders::none());
    let root = team.pinned();
    let next = |orders: &Orders| {
        let mut draft = OrderDraft::after(orders, NOW, Action::Stop);
        draft.targets = vec![Target::Everything];
        draft.reason = "exercise".to_owned();
        team.signed(PayloadType::Order, &draft.to_string(), 1)
    };
    for _ in 0..MAX_ORDERS {
        orders.obey(&next(&orders), &root).unwrap();
    }
    let told = orders.obey(&next(&orders), &root).unwrap_err();
    assert_eq!(told[0].code(), "policy.order.too_many");
}

#[test]
fn a_role_that_nobody_has_orders_nothing() {
    let mut team = team();
    team.order(NOW, Action::Stop, &[Target::Everything]);
    team.order(NOW, Action::Start, &[Target::Everything]);
    for role in [Role::Start, Role::Stop] {
        team.root.roles.remove(&role);
        let root = team.signed(PayloadType::Root, &team.root.to_string(), 2);
        let root = Root::pinned(&root).unwrap();
        let told = Orders::replay(&team.orders, &root).unwrap_err();
        assert_eq!(told[0].code(), "policy.root.no_role");
    }
    let keys = policy::TrustRoot::new(vec![team.signers[0].public_key()], 1).unwrap();
    let told: Vec<PolicyError> = Orders::replay(&team.orders, &Root::of_keys(keys)).unwrap_err();
    assert_eq!(told[0].code(), "policy.root.no_role");
}

static TEAM: LazyLock<Publisher> = LazyLock::new(team);

/// A log of good orders, each an action on some of five targets.
fn log() -> impl Strategy<Value = Vec<Envelope>> {
    let action = prop_oneof![Just(Action::Stop), Just(Action::Start)];
    let order = (action, proptest::sample::subsequence(targets(), 1..5));
    proptest::collection::vec(order, 1..8).prop_map(|orders| {
        let mut log: Vec<Envelope> = Vec::new();
        for (action, targets) in orders {
            let last = log
                .last()
                .map(|last| Order::from_toml(last.unverified_payload()).unwrap());
            let draft = OrderDraft {
                serial: log.len() as u64 + 1,
                previous: last.map(|last| *last.digest()),
                issued: NOW.plus(log.len() as u64),
                action,
                targets,
                reason: "exercise".to_owned(),
            };
            let signers = 1 + usize::from(action == Action::Start);
            log.push(TEAM.signed(PayloadType::Order, &draft.to_string(), signers));
        }
        log
    })
}

fn replayed(log: &[Envelope]) -> Option<Orders> {
    Orders::replay(log, &TEAM.pinned()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_prefix_and_the_rest_give_the_whole(log in log(), cut in 0_usize..8) {
        let cut = cut.min(log.len());
        let mut orders = replayed(&log[..cut]).unwrap();
        for order in &log[cut..] {
            orders.obey(order, &TEAM.pinned()).unwrap();
        }
        prop_assert_eq!(Some(orders), replayed(&log));
    }

    #[test]
    fn a_target_is_stopped_if_its_last_order_says_so(log in log()) {
        let orders = replayed(&log).unwrap();
        for target in targets() {
            let all = log.iter().map(|order| Order::from_toml(order.unverified_payload()).unwrap());
            let last = all.rev().find(|order| order.targets().contains(&target));
            let stopped = last.filter(|order| order.action() == Action::Stop);
            prop_assert_eq!(orders.stopped(&target).map(|by| by.serial), stopped.map(|by| by.serial()));
        }
    }

    #[test]
    fn an_order_replayed_does_nothing(log in log(), which in any::<prop::sample::Index>()) {
        let mut orders = replayed(&log).unwrap();
        let before = orders.clone();
        prop_assert!(orders.obey(which.get(&log), &TEAM.pinned()).is_err());
        prop_assert_eq!(orders, before);
    }

    #[test]
    fn a_log_in_another_order_is_refused(
        (log, shuffled) in log().prop_flat_map(|log| (Just(log.clone()), Just(log).prop_shuffle())),
    ) {
        prop_assert_eq!(replayed(&shuffled).is_some(), shuffled == log);
    }

    #[test]
    fn a_log_with_one_left_out_is_refused(log in log(), which in any::<prop::sample::Index>()) {
        let index = which.index(log.len());
        let mut shorter = log.clone();
        shorter.remove(index);
        prop_assert_eq!(replayed(&shorter).is_some(), index + 1 == log.len());
    }

    #[test]
    fn too_few_or_strange_signers_change_nothing(
        log in log(),
        inside in proptest::sample::subsequence(vec![0, 1, 2], 0..=1),
        outside in 0_usize..3,
        doubled in 0_usize..3,
        start in any::<bool>(),
    ) {
        let action = if start { Action::Start } else { Action::Stop };
        let needed = 1 + usize::from(start);
        prop_assume!(inside.len() < needed);
        let mut orders = replayed(&log).unwrap();
        let before = orders.clone();
        let mut draft = OrderDraft::after(&orders, NOW.plus(100), action);
        draft.targets = targets();
        draft.reason = "attack".to_owned();
        let strangers: Vec<_> = (0..outside).map(|_| PolicySigner::generate()).collect();
        let mut signers: Vec<_> = inside.iter().map(|index| &TEAM.signers[*index]).collect();
        let again: Vec<_> = signers.iter().copied().cycle().take(doubled * signers.len()).collect();
        signers.extend(again);
        signers.extend(&strangers);
        let order = signed(PayloadType::Order, &draft.to_string(), &signers);
        prop_assert!(orders.obey(&order, &TEAM.pinned()).is_err());
        prop_assert_eq!(orders, before);
    }
}
