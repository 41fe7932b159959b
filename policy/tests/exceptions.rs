//! Exceptions: inside their windows, for what they name, and for nothing that every policy demands.

use crate::node::{NOW, chip, codes, in_force, text, verified};
use attestation::UnixTime;
use policy::{Action, HardwareId, Policy, PolicyError, Target};

/// The machine's firmware is below this floor in one component.
const FLOOR: &str = "policy.snp.minimum_tcb";

/// A policy whose floor of the microcode the machine does not meet, and `more` tables.
fn with_floor(more: &str) -> String {
    let text = text("");
    let line = text.lines().find(|line| line.starts_with("microcode = "));
    text.replacen(line.unwrap(), "microcode = 255", 1) + more
}

/// An exception for `code` from an hour before [`NOW`] to 100 seconds after, and `more` fields.
fn exception(code: &str, more: &str) -> String {
    let (from, until) = (UnixTime(NOW.0 - 3600), NOW.plus(100));
    let (from, until) = (from.to_rfc3339(), until.to_rfc3339());
    format!(
        "[[exceptions]]\ncode = {code:?}\nwho = \"head of operations\"\nwhy = \"new board firmware is due\"\nfrom = {from}\nuntil = {until}\n{more}"
    )
}

fn judged(policy: &str, now: UnixTime) -> Vec<&'static str> {
    let in_force = in_force(policy, |_| {});
    codes(in_force.evaluate(verified(now, |_| {}), now))
}

#[test]
fn an_exception_waives_inside_its_window_and_not_a_second_longer() {
    let policy = with_floor(&exception(FLOOR, ""));
    assert_eq!(judged(&with_floor(""), NOW), [FLOOR]);
    assert_eq!(judged(&policy, NOW), [""; 0]);
    assert_eq!(judged(&policy, NOW.plus(100)), [""; 0]);
    assert_eq!(judged(&policy, NOW.plus(101)), [FLOOR]);
    let later = policy.replace(
        &UnixTime(NOW.0 - 3600).to_rfc3339(),
        &NOW.plus(1).to_rfc3339(),
    );
    assert_eq!(judged(&later, NOW), [FLOOR]);
    assert_eq!(judged(&later, NOW.plus(1)), [""; 0]);
}

#[test]
fn an_admission_says_what_was_waived_and_ends_with_it() {
    let policy = with_floor(&exception(FLOOR, ""));
    let in_force = in_force(&policy, |_| {});
    let admitted = in_force.evaluate(verified(NOW, |_| {}), NOW).unwrap();
    assert_eq!(admitted.not_after(), NOW.plus(100));
    let waived = admitted.waived();
    assert_eq!(waived.len(), 1);
    assert_eq!(waived[0].reason.code, FLOOR);
    assert_eq!(waived[0].reason.rule, "snp.minimum_tcb.microcode of genoa");
    assert!(waived[0].reason.at.is_some());
    assert_eq!(waived[0].who, "head of operations");
    assert_eq!(waived[0].why, "new board firmware is due");
    assert_eq!(waived[0].until, NOW.plus(100));
}

#[test]
fn of_two_exceptions_the_longer_one_counts() {
    let longer =
        exception(FLOOR, "").replace(&NOW.plus(100).to_rfc3339(), &NOW.plus(200).to_rfc3339());
    for both in [
        exception(FLOOR, "") + &longer,
        longer.clone() + &exception(FLOOR, ""),
    ] {
        let in_force = in_force(&with_floor(&both), |_| {});
        let admitted = in_force.evaluate(verified(NOW, |_| {}), NOW).unwrap();
        assert_eq!(admitted.not_after(), NOW.plus(200));
    }
}

#[test]
fn an_admission_without_exceptions_waived_nothing() {
    let in_force = in_force(&text(&exception(FLOOR, "")), |_| {});
    let admitted = in_force.evaluate(verified(NOW, |_| {}), NOW).unwrap();
    assert_eq!(admitted.waived(), []);
    assert_eq!(admitted.not_after(), NOW.plus(3600));
}

#[test]
fn an_exception_is_for_the_rule_and_the_hardware_that_it_names() {
    let with = |field: &str, value: &str| {
        let field = format!("{field} = {value:?}\n");
        judged(&with_floor(&exception(FLOOR, &field)), NOW)
    };
    assert_eq!(with("rule", "snp.minimum_tcb.microcode of genoa"), [""; 0]);
    assert_eq!(with("rule", "snp.minimum_tcb.snp of genoa"), [FLOOR]);
    assert_eq!(with("rule", "snp.minimum_tcb"), [FLOOR]);
    assert_eq!(with("hardware", &chip().to_string()), [""; 0]);
    let another = HardwareId::SnpChip([1; 64]).to_string();
    assert_eq!(with("hardware", &another), [FLOOR]);
}

#[test]
fn an_exception_for_one_piece_of_hardware_places_no_other() {
    let unlisted = "policy.residency.unlisted";
    let rules = "\n[residency]\ncountries = [\"DE\"]\n";
    let with = |id: HardwareId| {
        let field = format!("hardware = \"{id}\"\n");
        judged(&(text(rules) + &exception(unlisted, &field)), NOW)
    };
    assert_eq!(with(chip()), [""; 0]);
    assert_eq!(with(HardwareId::SnpChip([1; 64])), [unlisted]);
}

#[test]
fn an_exception_for_another_code_waives_nothing() {
    let policy = with_floor(&exception("policy.snp.vmpl", ""));
    assert_eq!(judged(&policy, NOW), [FLOOR]);
}

#[test]
fn other_reasons_stay() {
    let lease = "[lease]\nmax_age_seconds = 60\nwhen_absent = \"stop\"\n";
    let policy = with_floor(&(exception(FLOOR, "") + lease));
    assert_eq!(judged(&policy, NOW), ["policy.lease"]);
    let stopped = in_force(&with_floor(&exception(FLOOR, "")), |team| {
        team.order(NOW, Action::Stop, &[Target::Everything]);
    });
    let verdict = stopped.evaluate(verified(NOW, |_| {}), NOW);
    assert_eq!(codes(verdict), ["policy.stopped.everything"]);
}

/// The one mistake of a policy with this exception.
fn mistake(exception: &str) -> PolicyError {
    let mut mistakes = Policy::from_toml(text(exception).as_bytes()).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes.remove(0)
}

#[test]
fn what_every_policy_demands_has_no_exception() {
    for code in [
        "policy.not_before",
        "policy.expired",
        "policy.anchors",
        "policy.freshness",
        "policy.collateral",
        "policy.lease",
        "policy.cpu",
        "policy.gpu",
        "policy.snp.milan",
        "policy.snp.product",
        "policy.snp.measurement",
        "policy.snp.debug",
        "policy.snp.guest_policy.reserved",
        "policy.tdx.debug",
        "policy.tdx.measurement",
        "policy.model",
        "policy.model.retired",
        "policy.runtime",
        "policy.stopped.everything",
        "policy.stopped.hardware",
        "policy.no_such_code",
        "",
    ] {
        let mistake = mistake(&exception(code, ""));
        assert_eq!(mistake.code(), "policy.document.value", "{code}");
        assert!(
            mistake.to_string().contains("exceptions[0].code"),
            "{mistake}"
        );
    }
}

#[test]
fn an_exception_lives_a_year_at_the_longest() {
    let lasting = |days: u64| {
        let until = UnixTime(NOW.0 - 3600).plus(days * 86400).to_rfc3339();
        exception(FLOOR, "").replace(&NOW.plus(100).to_rfc3339(), &until)
    };
    assert!(Policy::from_toml(text(&lasting(366)).as_bytes()).is_ok());
    let mistake = mistake(&lasting(367));
    assert_eq!(mistake.code(), "policy.document.value");
    assert!(mistake.to_string().contains("a year"), "{mistake}");
}

#[test]
fn every_other_mistake_is_told() {
    let good = exception(FLOOR, "");
    let without = |field: &str| {
        let lines = good.lines().filter(|line| !line.starts_with(field));
        lines.collect::<Vec<_>>().join("\n")
    };
    for field in ["code", "who", "why", "from", "until"] {
        assert_eq!(
            mistake(&without(field)).code(),
            "policy.document.missing_field",
            "{field}"
        );
    }
    let wrong = exception(FLOOR, "hardware = \"snp:00\"\n");
    assert_eq!(mistake(&wrong).code(), "policy.document.value");
    let unknown = exception(FLOOR, "forever = true\n");
    assert_eq!(mistake(&unknown).code(), "policy.document.unknown_field");
    let backwards = good.replace(
        &NOW.plus(100).to_rfc3339(),
        &UnixTime(NOW.0 - 3600).to_rfc3339(),
    );
    assert_eq!(mistake(&backwards).code(), "policy.document.conflict");
    assert_eq!(
        mistake(&(good.clone() + &good)).code(),
        "policy.document.duplicate"
    );
}
