//! `narthex verify tdx`: one Intel TDX quote with its collateral.

use super::{
    super::{
        Context, Exit, Failure, evidence_file, in_force,
        report::{Report, Retryable, exit_of_class},
        time,
    },
    tdx_claims,
};
use crate::{
    Check, appraisal,
    trace::{Stop, trace},
};
use attestation::{
    Step, UnixTime,
    roots::TdxRoots,
    tdx::{
        self, COLLATERAL_STEPS, Collateral, EVENT_LOG_STEPS, Evidence, STEPS, TdxClaims, TdxError,
    },
};
use clap::Args;
use policy::Policy;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Judge an Intel TDX quote
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex verify tdx --quote quote.bin --collateral collateral.json
  narthex verify tdx --quote quote.hex --collateral collateral.json --event-log ccel.bin --at 2026-06-01T00:00:00Z

Without a policy, status 0 means: authentic, every part of the TCB up to date, and neither a debug nor a migratable
TD. Measurements and service TDs are for a policy to judge. Without --collateral the status is 20 at best.")]
pub(crate) struct Tdx {
    /// The quote, version 4 or 5: raw or as hexadecimal text
    #[arg(long, value_name = "FILE")]
    quote: PathBuf,
    /// Intel's collateral for the platform: TCB info, QE identity, CRLs and their chains as one JSON document
    #[arg(long, value_name = "FILE")]
    collateral: Option<PathBuf>,
    /// The CCEL event log, to be replayed to RTMR0 to RTMR3
    #[arg(long, value_name = "FILE")]
    event_log: Option<PathBuf>,
    /// Judge as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

/// What the files hold.
struct Input {
    quote: Vec<u8>,
    event_log: Option<Vec<u8>>,
    collateral: Option<Collateral>,
}

impl Tdx {
    pub(super) fn judge(self, context: &Context<'_>) -> Result<Report, Failure> {
        let policy = in_force::policy(context)?;
        let now = time::or_now(self.at, context);
        let quote = evidence_file::bytes(&self.quote)?;
        let event_log = self.event_log.as_deref();
        let event_log = event_log.map(evidence_file::bytes).transpose()?;
        let collateral = self.collateral.as_deref();
        let collateral = collateral.map(read_collateral).transpose()?;
        let input = Input {
            quote,
            event_log,
            collateral,
        };
        let outcome = input.verify(now);
        let mut checks = checks(outcome.as_ref(), &input.not_given());
        Ok(match outcome {
            Ok(claims) => {
                checks.extend(acceptance(&claims, policy.as_ref(), now));
                Report::of(checks, tdx_claims::document(&claims))
            }
            Err(error) => {
                let report = refused(checks, &error);
                match &error {
                    TdxError::CollateralMissing(td) => report.with(tdx_claims::attributes(td)),
                    _ => report,
                }
            }
        })
    }
}

/// Authentic is not acceptable: the policy judges, or what no TD should be.
pub(super) fn acceptance(claims: &TdxClaims, policy: Option<&Policy>, now: UnixTime) -> Vec<Check> {
    let mut checks = tdx_claims::remarks(claims);
    match policy {
        None => checks.extend(tdx_claims::minimum(claims)),
        Some(policy) => checks.extend(judged(claims, policy, now)),
    }
    checks
}

impl Input {
    /// Under the vendor's root, whatever the binary: this command takes no other.
    fn verify(&self, now: UnixTime) -> Result<TdxClaims, TdxError> {
        let evidence = Evidence {
            quote: &self.quote,
            event_log: self.event_log.as_deref(),
        };
        let collateral = self.collateral.as_ref();
        tdx::verify(&evidence, collateral, &TdxRoots::vendor(), now)
    }

    /// The steps that have nothing to look at.
    fn not_given(&self) -> Vec<&'static str> {
        let without_collateral = self.collateral.is_none().then_some(COLLATERAL_STEPS);
        let without_log = self.event_log.is_none().then_some(EVENT_LOG_STEPS);
        let both = without_collateral.into_iter().chain(without_log);
        both.flatten().copied().collect()
    }
}

/// Intel's collateral as one JSON document.
pub(super) fn read_collateral(path: &Path) -> Result<Collateral, Failure> {
    Collateral::from_json(&evidence_file::bytes(path)?)
        .map_err(|error| Failure::new(Exit::Malformed, error.code(), error.to_string()))
}

fn checks(outcome: Result<&TdxClaims, &TdxError>, not_given: &[&str]) -> Vec<Check> {
    let stop = outcome.err().map(|error| Stop {
        code: error.code(),
        class: error.class(),
        message: error.to_string(),
    });
    let detail = |step: &Step| outcome.map_or_else(|_| String::new(), |claims| claims.detail(step));
    trace(STEPS, stop.as_ref(), not_given, detail)
}

fn judged(claims: &TdxClaims, policy: &Policy, now: UnixTime) -> Vec<Check> {
    let reasons = policy.judge_tdx(claims, now);
    let mut checks: Vec<Check> = reasons.iter().map(appraisal::reason_check).collect();
    if checks.is_empty() {
        checks.push(
            Check::pass("policy.tdx", "the policy accepts the quote")
                .detail(format!("version {}", policy.version())),
        );
    }
    checks.push(tdx_claims::policy_remark());
    checks
}

fn refused(checks: Vec<Check>, error: &TdxError) -> Report {
    let retryable = if error.retryable() {
        Retryable::Yes
    } else {
        Retryable::No
    };
    let report = Report {
        exit: exit_of_class(error.class()),
        retryable,
        ..Report::of(checks, Value::Null)
    };
    report.stopped_by(error.code())
}
