//! `narthex verify azure`: an Azure confidential VM, by its HCL report and its vTPM's quote.

use super::{
    super::{
        Context, Exit, Failure, in_force,
        report::{Report, Retryable, exit_of_class},
        time,
    },
    azure_claims,
    azure_files::{Files, Input},
    snp, tdx as tdx_command,
};
use crate::{
    Check, appraisal,
    trace::{Stop, trace},
};
use attestation::{
    Step, UnixTime,
    tdx::{self, COLLATERAL_STEPS, EVENT_LOG_STEPS},
    vtpm::{self, AzureClaims, AzureError, AzureRoots, HardwareClaims},
};
use clap::Args;
use policy::Policy;
use serde_json::Value;

/// Judge an Azure confidential VM: HCL report, variable data, TPM quote
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex verify azure --hcl hcl.bin --vek vcek.pem --quote quote.msg --signature quote.sig --pcrs pcrs.bin --nonce 6368616c6c656e6765
  narthex verify azure --hcl hcl.bin --td-quote td-quote.bin --collateral collateral.json --quote quote.msg --signature quote.sig
  narthex verify azure --evidence evidence.json --nonce 6368616c6c656e6765 --at 2026-06-01T00:00:00Z

The nonce rides the TPM quote: the hardware's report is made once per boot. The vTPM is the paravisor's, so that PCRs and
configuration are as true as the paravisor, which the launch measurement stands for.")]
pub(crate) struct Azure {
    #[command(flatten)]
    files: Files,
    /// The nonce that the quote must answer, in hexadecimal [default: freshness is not checked]
    #[arg(long, value_name = "HEX", value_parser = parse_nonce)]
    nonce: Option<Nonce>,
    /// Judge as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

/// What a TPM quote is asked to carry, of any length that one can.
#[derive(Clone)]
struct Nonce(Vec<u8>);

fn parse_nonce(text: &str) -> Result<Nonce, String> {
    match hex::decode(text) {
        Ok(bytes) if (1..=64).contains(&bytes.len()) => Ok(Nonce(bytes)),
        _ => Err("1 to 64 bytes in hexadecimal".into()),
    }
}

impl Azure {
    pub(super) fn judge(self, context: &Context<'_>) -> Result<Report, Failure> {
        let policy = in_force::policy(context)?;
        let now = time::or_now(self.at, context);
        let input = self.files.read()?;
        let nonce = self.nonce.as_ref().map(|nonce| nonce.0.as_slice());
        let outcome = input
            .with_evidence(|evidence| vtpm::verify(evidence, &AzureRoots::vendor(), nonce, now));
        let mut checks = checks(outcome.as_ref(), &input, nonce);
        Ok(match outcome {
            Ok(claims) => {
                checks.extend(acceptance(&claims, policy.as_ref(), now));
                Report::of(checks, azure_claims::document(&claims))
            }
            Err(error) => refused(checks, &error),
        })
    }
}

/// The steps as far as they came; those that had nothing to look at are skipped.
fn checks(
    outcome: Result<&AzureClaims, &AzureError>,
    input: &Input,
    nonce: Option<&[u8]>,
) -> Vec<Check> {
    let stop = outcome.err().map(|error| Stop {
        code: error.code(),
        class: error.class(),
        message: error.to_string(),
    });
    let steps = vtpm::steps(input.kind());
    let ids = steps.iter().map(|step| step.id);
    let mut not_given: Vec<&str> = ids.filter(|id| !has_input(id, input, nonce)).collect();
    if input.collateral.is_none() {
        not_given.extend(without_collateral());
    }
    let detail = |step: &Step| outcome.map_or_else(|_| String::new(), |claims| claims.detail(step));
    let checks = trace(&steps, stop.as_ref(), &not_given, detail);
    if input.crls.is_empty() {
        return checks
            .into_iter()
            .filter_map(appraisal::without_crls)
            .collect();
    }
    checks
}

/// Whether what the step looks at was given.
fn has_input(id: &str, input: &Input, nonce: Option<&[u8]>) -> bool {
    let is_given = match id {
        "azure.pcrs.count" | "azure.quote.pcrs" => input.pcrs().is_some(),
        "azure.quote.nonce" => nonce.is_some(),
        "azure.endorsements" | "azure.vmpl" => input.is_endorsed(),
        "azure.td_quote" => input.is_endorsed(),
        _ if id.starts_with("snp.") => input.is_endorsed(),
        _ if id.starts_with("tdx.") => input.is_endorsed() && !EVENT_LOG_STEPS.contains(&id),
        _ => true,
    };
    let is_of_quote = id.starts_with("azure.quote.") || id.starts_with("azure.pcrs.");
    is_given && (!is_of_quote || input.quote.is_some())
}

/// The steps of TDX that look at collateral, and those that come to nothing without it.
fn without_collateral() -> impl Iterator<Item = &'static str> {
    let ids = tdx::STEPS.iter().map(|step| step.id);
    let behind = ids.skip_while(|id| *id != "tdx.collateral.given");
    COLLATERAL_STEPS.iter().copied().chain(behind)
}

fn refused(checks: Vec<Check>, error: &AzureError) -> Report {
    let retryable = if error.retryable() {
        Retryable::Yes
    } else {
        Retryable::No
    };
    let exit = exit_of_class(error.class());
    Report {
        exit,
        checks,
        retryable,
        claims: Value::Null,
        incomplete_at: (exit == Exit::Incomplete).then_some(error.code()),
    }
}

/// The hardware is judged as it is without a vTPM.
fn acceptance(claims: &AzureClaims, policy: Option<&Policy>, now: UnixTime) -> Vec<Check> {
    let mut checks = match &claims.hardware {
        HardwareClaims::Snp(snp) => snp::acceptance(snp, policy, now),
        HardwareClaims::Tdx(tdx) => tdx_command::acceptance(tdx, policy, now),
        _ => Vec::new(),
    };
    checks.extend(azure_claims::remarks(claims));
    checks
}
