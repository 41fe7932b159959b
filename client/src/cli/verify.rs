//! `narthex verify`: judges evidence from files, offline.

mod bundle;
mod snp;
mod snp_claims;

pub(super) use bundle::{Times, judge as judge_bundle, read as read_bundle};

use super::{Context, Exit, Failure, report};
use clap::Subcommand;

/// Judge evidence from files, offline
#[derive(Subcommand)]
pub(crate) enum Verify {
    Snp(snp::Snp),
    Bundle(bundle::Bundle),
}

impl Verify {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let judged = match self {
            Self::Snp(snp) => snp.judge(context),
            Self::Bundle(bundle) => bundle.run(context),
        };
        let report = judged.or_else(told_as_report)?;
        context.output.report(&report)
    }
}

/// Malformed input gets a verdict line like everything else that is judged.
pub(super) fn told_as_report(failure: Failure) -> Result<report::Report, Failure> {
    if failure.exit != Exit::Malformed {
        return Err(failure);
    }
    Ok(report::malformed(
        failure.code,
        "the input is well-formed",
        failure.message,
    ))
}
