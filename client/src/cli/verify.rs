//! `narthex verify`: judges evidence from files, offline.

mod azure;
mod azure_claims;
mod azure_container;
mod azure_files;
mod bundle;
mod nvidia;
mod nvidia_claims;
mod snp;
mod snp_claims;
mod tdx;
mod tdx_claims;

pub(super) use bundle::{Judged, Times, judge as judge_bundle, read as read_bundle};

use super::{Context, Exit, Failure, export::Export, report};
use clap::{Args, Subcommand};

/// Judge evidence from files, offline
#[derive(Args)]
pub(crate) struct VerifyCommand {
    #[command(subcommand)]
    verify: Verify,
    #[command(flatten)]
    export: Export,
}

/// What is judged.
#[derive(Subcommand)]
enum Verify {
    Snp(snp::Snp),
    Tdx(tdx::Tdx),
    Azure(azure::Azure),
    Nvidia(nvidia::Nvidia),
    Bundle(bundle::Bundle),
}

impl VerifyCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let judged = match self.verify {
            Verify::Snp(snp) => snp.judge(context),
            Verify::Tdx(tdx) => tdx.judge(context),
            Verify::Azure(azure) => azure.judge(context),
            Verify::Nvidia(nvidia) => nvidia.judge(context),
            Verify::Bundle(bundle) => bundle.run(context),
        };
        let report = judged.or_else(told_as_report)?;
        self.export.write(&report, context)?;
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
