//! What a host remembers, and what may follow it.

use crate::support::{NOW, busy_team, inventory, policy_text, team};
use attestation::UnixTime;
use policy::{Action, InForce, PolicyError, Remembered, Target};
use proptest::prelude::*;
use std::sync::LazyLock;
use tee_sim::Publisher;

/// What a host remembers that has obeyed all that the busy team has published.
fn obeyed(team: &Publisher) -> Remembered {
    Remembered::default()
        .after(&team.in_force(NOW), NOW)
        .unwrap()
}

fn codes(result: Result<Remembered, Vec<PolicyError>>) -> Vec<&'static str> {
    let errors = result.unwrap_err();
    errors.iter().map(PolicyError::code).collect()
}

/// What is told of the team's publication by a host that obeyed `remembered`.
fn told(remembered: &Remembered, team: &Publisher) -> Vec<&'static str> {
    codes(remembered.after(&team.in_force(NOW), NOW))
}

#[test]
fn a_first_publication_is_remembered_whole() {
    let team = busy_team();
    let in_force = team.in_force(NOW);
    let remembered = obeyed(&team);
    let policy = in_force.policy();
    assert_eq!(remembered.policy, Some((1, *policy.digest())));
    assert_eq!(remembered.root, Some((1, *team.pinned().digest())));
    assert_eq!(remembered.orders, Some((1, *in_force.orders().digest())));
    assert!(remembered.inventory.is_some() && remembered.timestamp.is_some());
    assert_eq!(remembered.obeyed_at, Some(NOW));
}

#[test]
fn the_same_again_is_good() {
    let team = busy_team();
    let remembered = obeyed(&team);
    let again = remembered.after(&team.in_force(NOW), NOW.plus(60)).unwrap();
    assert_eq!(again.obeyed_at, Some(NOW.plus(60)));
    assert_eq!(again.policy, remembered.policy);
}

#[test]
fn newer_documents_are_good() {
    let mut team = busy_team();
    let remembered = obeyed(&team);
    team.publish_policy(&policy_text(5));
    team.publish_inventory(&inventory(2));
    team.order(NOW, Action::Start, &[Target::Everything]);
    team.rotate(2);
    team.stamp(NOW, NOW.plus(60));
    let next = remembered.after(&team.in_force(NOW), NOW).unwrap();
    assert_eq!(next.policy.unwrap().0, 5);
    assert_eq!(next.root.unwrap().0, 2);
    assert_eq!(next.orders.unwrap().0, 2);
}

#[test]
fn older_documents_are_refused() {
    let mut newer = busy_team();
    let old = newer.clone();
    newer.publish_policy(&policy_text(2));
    assert_eq!(told(&obeyed(&newer), &old), ["policy.rollback"]);

    let mut newer = old.clone();
    newer.publish_inventory(&inventory(2));
    assert_eq!(told(&obeyed(&newer), &old), ["policy.rollback"]);

    let mut newer = old.clone();
    newer.stamp(NOW, NOW.plus(60));
    assert_eq!(told(&obeyed(&newer), &old), ["policy.rollback"]);

    let mut remembered = obeyed(&old);
    remembered.root = Some((2, [1; 32]));
    assert_eq!(
        told(&remembered, &old),
        ["policy.rollback"],
        "the root goes back"
    );
}

#[test]
fn other_documents_of_the_same_version_are_refused() {
    let team = busy_team();
    let good = obeyed(&team);
    let other = Some((1, [1; 32]));
    for remembered in [
        Remembered {
            root: other,
            ..good
        },
        Remembered {
            policy: other,
            ..good
        },
        Remembered {
            inventory: other,
            ..good
        },
        Remembered {
            timestamp: other,
            ..good
        },
    ] {
        assert_eq!(told(&remembered, &team), ["policy.equivocation"]);
    }
    let forked = Remembered {
        orders: other,
        ..good
    };
    assert_eq!(told(&forked, &team), ["policy.order.forked"]);
}

#[test]
fn what_was_there_stays_there() {
    let remembered = obeyed(&busy_team());
    let bare = team();
    let codes = codes(
        Remembered {
            root: None,
            policy: None,
            ..remembered
        }
        .after(&bare.in_force(NOW), NOW),
    );
    assert_eq!(
        codes,
        ["policy.missing", "policy.order.shortened", "policy.missing"]
    );
    let alone = InForce::from(bare.in_force(NOW).policy().clone());
    let rootless = Remembered {
        root: remembered.root,
        ..Remembered::default()
    };
    assert_eq!(self::codes(rootless.after(&alone, NOW)), ["policy.missing"]);
}

#[test]
fn a_log_only_grows() {
    let mut team = busy_team();
    let short = team.clone();
    team.order(NOW, Action::Start, &[Target::Everything]);
    assert_eq!(told(&obeyed(&team), &short), ["policy.order.shortened"]);
    let mut fork = short;
    fork.order(NOW, Action::Stop, &[Target::Everything]);
    assert_eq!(told(&obeyed(&team), &fork), ["policy.order.forked"]);
    fork.order(NOW, Action::Stop, &[Target::Everything]);
    assert_eq!(told(&obeyed(&team), &fork), ["policy.order.forked"]);
}

#[test]
fn the_next_policy_may_name_the_one_before() {
    let mut team = team();
    let remembered = obeyed(&team);
    let digest = *team.in_force(NOW).policy().digest();
    let naming = |version: u64, digest: [u8; 32]| {
        let version_line = format!("version = {version}\n");
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let both = format!("{version_line}previous = \"{digest}\"\n");
        policy_text(version).replacen(&version_line, &both, 1)
    };
    team.publish_policy(&naming(2, digest));
    assert_eq!(team.in_force(NOW).policy().previous(), Some(&digest));
    assert!(remembered.after(&team.in_force(NOW), NOW).is_ok());
    team.publish_policy(&naming(2, [1; 32]));
    assert_eq!(told(&remembered, &team), ["policy.previous"]);
    team.publish_policy(&naming(3, [1; 32]));
    assert!(
        remembered.after(&team.in_force(NOW), NOW).is_ok(),
        "version 2 was never seen here"
    );
}

#[test]
fn a_clock_that_is_set_back_stands_where_it_was() {
    let team = busy_team();
    let late = NOW.plus(5000);
    let remembered = Remembered::default()
        .after(&team.in_force(NOW), late)
        .unwrap();
    assert_eq!(remembered.now(NOW), late);
    assert_eq!(remembered.now(late.plus(1)), late.plus(1));
    assert_eq!(Remembered::default().now(NOW), NOW);
    let again = remembered.after(&team.in_force(NOW), NOW).unwrap();
    assert_eq!(again.obeyed_at, Some(late));
}

#[test]
fn a_signed_time_moves_a_slow_clock() {
    let slow = UnixTime(NOW.0 - 500);
    let remembered = Remembered::default()
        .after(&busy_team().in_force(NOW), slow)
        .unwrap();
    assert_eq!(remembered.now(slow), NOW);
}

#[test]
fn all_that_does_not_follow_is_told_at_once() {
    let team = busy_team();
    let far = Some((9, [9; 32]));
    let remembered = Remembered {
        root: far,
        policy: far,
        inventory: far,
        orders: far,
        timestamp: far,
        obeyed_at: None,
    };
    let rollback = "policy.rollback";
    assert_eq!(
        told(&remembered, &team),
        [
            rollback,
            rollback,
            rollback,
            "policy.order.shortened",
            rollback
        ]
    );
}

/// What one team has published, one state after another.
static HISTORY: LazyLock<Vec<InForce>> = LazyLock::new(|| {
    let mut team = team();
    let mut history = vec![team.in_force(NOW)];
    for step in 2..6 {
        match step % 4 {
            0 => team.publish_inventory(&inventory(step)),
            1 => team.rotate(2),
            2 => team.order(NOW, Action::Stop, &[Target::Everything]),
            _ => team.publish_policy(&policy_text(step)),
        }
        team.stamp(NOW, NOW.plus(60));
        history.push(team.in_force(NOW));
    }
    history
});

proptest! {
    #[test]
    fn whatever_is_offered_a_host_never_goes_back(
        offers in proptest::collection::vec((any::<prop::sample::Index>(), 0_u64..1000), 1..20),
    ) {
        let mut remembered = Remembered::default();
        let mut newest = 0;
        for (offer, clock) in offers {
            let index = offer.index(HISTORY.len());
            let after = remembered.after(&HISTORY[index], NOW.plus(clock));
            prop_assert_eq!(after.is_ok(), index >= newest);
            if let Ok(after) = after {
                prop_assert!(after.obeyed_at >= remembered.obeyed_at);
                newest = index;
                remembered = after;
            }
        }
    }
}
