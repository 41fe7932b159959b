//! How current the platform is: status, grace, advisories, collateral.

use super::super::{listed, told};
use crate::{
    Advisory, Reason,
    evaluate::Ends,
    snp::name_of,
    tdx::{AdvisoryUntil, STATUSES, StatusUntil, TdxRules},
};
use attestation::{
    UnixTime,
    tdx::{TcbClaims, TdxClaims},
};

/// Every unmet rule about the TCB.
pub(super) fn reasons(rules: &TdxRules, claims: &TdxClaims, now: UnixTime) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(status(rules, &claims.tcb, now));
    reasons.extend(grace(rules, &claims.tcb, now));
    reasons.extend(advisories(rules, &claims.tcb, now));
    reasons.extend(evaluation_number(rules, &claims.tcb));
    reasons.extend(pce_svn(rules, claims));
    reasons.extend(fmspc(rules, claims));
    reasons
}

/// Until when the TCB meets what it meets now.
pub(super) fn ends(rules: &TdxRules, tcb: &TcbClaims, ends: &mut Ends) {
    ends.rule(status_until(rules, tcb).map(|entry| entry.until));
    ends.rule(grace_end(rules, tcb));
    for id in &tcb.advisory_ids {
        ends.rule(advisory_until(rules, id).map(|entry| entry.until));
    }
}

fn status(rules: &TdxRules, tcb: &TcbClaims, now: UnixTime) -> Option<Reason> {
    let bounded = status_until(rules, tcb);
    let is_accepted =
        rules.statuses.contains(&tcb.status) || bounded.is_some_and(|entry| now <= entry.until);
    (!is_accepted).then(|| Reason {
        at: bounded.map(|entry| entry.at),
        ..Reason::new(
            "policy.tdx.status",
            bounded.map_or_else(
                || "tdx.statuses".to_owned(),
                |entry| format!("tdx.statuses_until of {}", entry.status),
            ),
            statuses(rules),
            bounded.map_or_else(
                || tcb.status.name().to_owned(),
                |entry| {
                    format!(
                        "{}, accepted until {}",
                        tcb.status,
                        entry.until.to_rfc3339()
                    )
                },
            ),
        )
    })
}

fn statuses(rules: &TdxRules) -> String {
    let endless = rules.statuses.iter();
    let endless = endless.map(|status| name_of(&STATUSES, status).to_owned());
    let bounded = rules.statuses_until.iter().flat_map(|list| list.iter());
    let bounded = bounded.map(|entry| {
        let status = name_of(&STATUSES, &entry.status);
        format!("{status} until {}", entry.until.to_rfc3339())
    });
    listed(endless.chain(bounded))
}

/// The entry that accepts the platform's status for a time.
fn status_until<'a>(rules: &'a TdxRules, tcb: &TcbClaims) -> Option<&'a StatusUntil> {
    let mut entries = rules.statuses_until.as_ref()?.iter();
    entries.find(|entry| entry.status == tcb.status)
}

/// How long a platform may go without a fix, counted from the day of the fix.
fn grace(rules: &TdxRules, tcb: &TcbClaims, now: UnixTime) -> Option<Reason> {
    let grace_seconds = rules.grace_seconds?;
    let is_within = grace_end(rules, tcb).is_some_and(|end| now <= end);
    (tcb.status.is_out_of_date() && !is_within).then(|| {
        Reason::new(
            "policy.tdx.grace",
            "tdx.grace_seconds",
            format!("at most {grace_seconds} seconds behind"),
            tcb.out_of_date_since.map_or("no date".to_owned(), |since| {
                format!("{} since {}", tcb.status, since.to_rfc3339())
            }),
        )
    })
}

/// Last second of the grace of a platform that lacks fixes.
fn grace_end(rules: &TdxRules, tcb: &TcbClaims) -> Option<UnixTime> {
    let since = tcb.out_of_date_since?;
    let grace_seconds = rules.grace_seconds?;
    let is_graced = tcb.status.is_out_of_date();
    is_graced.then(|| since.plus(grace_seconds))
}

/// One reason for each advisory that the platform is exposed to and the document does not accept now.
fn advisories<'a>(
    rules: &'a TdxRules,
    tcb: &'a TcbClaims,
    now: UnixTime,
) -> impl Iterator<Item = Reason> + 'a {
    let judged = rules.advisories.is_some().then_some(&tcb.advisory_ids);
    judged.into_iter().flatten().filter_map(move |id| {
        let entry = advisory_until(rules, id);
        let is_accepted = entry.is_some_and(|entry| now <= entry.until);
        (!is_accepted).then(|| exposed(rules, id, entry))
    })
}

fn advisory_until<'a>(rules: &'a TdxRules, id: &str) -> Option<&'a AdvisoryUntil> {
    let mut entries = rules.advisories.as_ref()?.iter();
    entries.find(|entry| entry.id == id)
}

fn exposed(rules: &TdxRules, id: &str, entry: Option<&AdvisoryUntil>) -> Reason {
    let entries = rules.advisories.iter().flat_map(|list| list.iter());
    let until = |entry: &AdvisoryUntil| entry.until.to_rfc3339();
    Reason {
        at: entry.map(|entry| entry.at),
        advisory: Some(Advisory {
            name: id.to_owned(),
            link: entry.and_then(|entry| entry.link.clone()),
        }),
        ..Reason::new(
            "policy.tdx.advisory",
            entry.map_or_else(
                || "tdx.advisories".to_owned(),
                |entry| format!("tdx.advisories of {}", entry.id),
            ),
            listed(entries.map(|entry| format!("{} until {}", told(&entry.id), until(entry)))),
            entry.map_or_else(
                || told(id),
                |entry| format!("{}, accepted until {}", told(id), until(entry)),
            ),
        )
    }
}

fn evaluation_number(rules: &TdxRules, tcb: &TcbClaims) -> Option<Reason> {
    let numbers = [tcb.evaluation_data_number, tcb.qe_evaluation_data_number];
    let actual = numbers.into_iter().min()?;
    (actual < rules.minimum_evaluation_number).then(|| {
        Reason::new(
            "policy.tdx.evaluation_number",
            "tdx.minimum_evaluation_number",
            format!("{} or more", rules.minimum_evaluation_number),
            actual.to_string(),
        )
    })
}

fn pce_svn(rules: &TdxRules, claims: &TdxClaims) -> Option<Reason> {
    let least = rules.minimum_pce_svn?;
    (claims.platform.pce_svn < least).then(|| {
        Reason::new(
            "policy.tdx.pce_svn",
            "tdx.minimum_pce_svn",
            format!("{least} or more"),
            claims.platform.pce_svn.to_string(),
        )
    })
}

fn fmspc(rules: &TdxRules, claims: &TdxClaims) -> Option<Reason> {
    let accepted = rules.fmspcs.as_ref()?;
    (!accepted.contains(&claims.platform.fmspc)).then(|| {
        Reason::new(
            "policy.tdx.fmspc",
            "tdx.fmspcs",
            listed(accepted.iter().map(hex::encode)),
            hex::encode(claims.platform.fmspc),
        )
    })
}
