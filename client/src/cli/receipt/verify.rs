//! `narthex receipt verify`: a receipt against the evidence of the node that signed it, and against the exchange if that is disclosed.

use super::{
    super::{
        Context, Exit, Failure, config,
        export::Export,
        files, in_force,
        report::Report,
        sealing_args::parse_country,
        time,
        verify::{self, Judged, Times},
    },
    disclosed::{exit_of, read_opening, read_receipt, read_tokens},
};
use crate::{
    Check, Outcome,
    receipt_check::{self, GRACE_SECONDS},
};
use attestation::{EvidenceBundle, Manifest, UnixTime};
use clap::Args;
use policy::{InForce, Policy};
use protocol::{
    KeyConfigError, Receipt, SignedKeyConfigs,
    receipt::{DisclosedExchange, ReceiptError},
};
use std::path::PathBuf;
use zeroize::Zeroizing;

const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Verify a receipt against the node's evidence bundle and, with its opening, against the exchange
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex receipt verify --receipt r.cose --bundle r.bundle --at 2026-06-01T00:00:00Z
  narthex receipt verify --receipt r.cose --bundle r.bundle --policy policy.json --policy-key alice.pub.pem \\
      --opening r.opening --request request.json --response answer.sse")]
pub(crate) struct ReceiptVerify {
    /// The receipt (COSE_Sign1)
    #[arg(long, value_name = "FILE")]
    receipt: PathBuf,
    /// The evidence bundle of the node that signed it, with the key list of then
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Collateral, as `narthex collateral` makes it; goes before what the bundle brings
    #[arg(long, value_name = "FILE")]
    collateral: Option<PathBuf>,
    #[command(flatten)]
    disclosed: Disclosed,
    /// Country that the node must have been in: ISO 3166-1 alpha-2, upper case
    #[arg(long, value_name = "CC", value_parser = parse_country)]
    residency: Option<String>,
    /// Judge the evidence as of this time, not before the receipt's; the key list is judged at the receipt's [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
    #[command(flatten)]
    export: Export,
}

/// What the holder discloses of the exchange.
#[derive(Args)]
#[command(next_help_heading = "Disclosed exchange")]
struct Disclosed {
    /// The secret that opens the receipt's digests
    #[arg(long, value_name = "FILE", requires_all = ["request", "response"])]
    opening: Option<PathBuf>,
    /// The request's body, as it was sealed
    #[arg(long, value_name = "FILE", requires = "opening")]
    request: Option<PathBuf>,
    /// The answer's body, as it came out of the seal
    #[arg(long, value_name = "FILE", requires = "opening")]
    response: Option<PathBuf>,
    /// The answer's token ids, as a JSON array, if they are disclosed too
    #[arg(long, value_name = "FILE", requires = "opening")]
    tokens: Option<PathBuf>,
    /// The request's method
    #[arg(long, default_value = "POST")]
    method: String,
    /// The request's path
    #[arg(long, default_value = "/v1/chat/completions")]
    path: String,
}

impl ReceiptVerify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let report = self.judge(context).or_else(verify::told_as_report)?;
        self.export.write(&report, context)?;
        context.output.report(&report)
    }

    fn judge(&self, context: &Context<'_>) -> Result<Report, Failure> {
        let in_force = in_force::read(context)?;
        let signed = read_receipt(&self.receipt)?;
        let bundle = verify::read_bundle(&self.bundle)?;
        let now = time::or_now(self.at, context);
        // The identity is only believed after the evidence below has been judged; a wrong time here can only refuse.
        let receipt = signed.verify(&bundle.identity);
        let times = Times {
            evidence: now,
            keys: receipt
                .as_ref()
                .map_or(now, |receipt| time_of_list(receipt, &bundle)),
        };
        let verifier = config::verifier(context, self.collateral.as_deref())?;
        let verified = verifier.verify(&bundle, None, now);
        let judged = verify::judge_bundle(&bundle, verified, in_force.as_ref(), times);
        match receipt {
            Ok(receipt) => self.with_receipt(
                judged,
                &receipt,
                (in_force.as_ref().map(InForce::policy), now),
            ),
            Err(error) => Ok(refused(judged, &error)),
        }
    }

    /// The bundle's report with the receipt's checks; without authentic evidence there is nothing to hold a receipt against.
    fn with_receipt(
        &self,
        judged: Judged,
        receipt: &Receipt,
        (policy, now): (Option<&Policy>, UnixTime),
    ) -> Result<Report, Failure> {
        let Some(claims) = &judged.claims else {
            return Ok(judged.report);
        };
        let mut checks = receipt_check::checks(receipt, claims, judged.keys.as_ref(), now);
        checks.push(receipt_check::client_policy_check(receipt, policy));
        checks.push(receipt_check::cache_scope_check(receipt, policy));
        let country = self.residency.as_deref();
        checks.push(receipt_check::residency_check(
            receipt,
            country,
            judged.placement.as_ref(),
        ));
        checks.push(self.disclosed.check(receipt)?);
        let report = judged.report.with(checks);
        if judged.keys.is_some() {
            return Ok(report);
        }
        let retryable = report.retryable;
        Ok(report
            .and(Exit::Incomplete, retryable)
            .stopped_by("receipt.epoch"))
    }
}

impl Disclosed {
    /// Whether the disclosed exchange is the one that the receipt is about.
    fn check(&self, receipt: &Receipt) -> Result<Check, Failure> {
        const ID: &str = "receipt.exchange";
        const TITLE: &str = "it is about the disclosed request and answer";
        let (Some(opening), Some(request), Some(response)) =
            (&self.opening, &self.request, &self.response)
        else {
            return Ok(Check::new(Outcome::Skip, ID, TITLE)
                .detail("no opening, request and answer were given"));
        };
        let tokens = self.tokens.as_deref().map(read_tokens).transpose()?;
        let exchange = DisclosedExchange {
            method: &self.method,
            path: &self.path,
            request_body: &Zeroizing::new(files::read_unlisted(request, MAX_BODY_BYTES)?),
            status: receipt.status,
            response_body: &Zeroizing::new(files::read_unlisted(response, MAX_BODY_BYTES)?),
            tokens: tokens.as_ref().map(|tokens| tokens.as_slice()),
        };
        Ok(match receipt.opens(&read_opening(opening)?, &exchange) {
            Ok(()) if tokens.is_some() => Check::pass(ID, TITLE).detail("tokens too"),
            Ok(()) => Check::pass(ID, TITLE).detail("tokens are not disclosed"),
            Err(error) => Check::fail(ID, TITLE).detail(error.to_string()),
        })
    }
}

/// When the key list must be valid: as the request came or, within the grace of an epoch whose list has expired, a grace before.
fn time_of_list(receipt: &Receipt, bundle: &EvidenceBundle) -> UnixTime {
    let received = receipt.received_at;
    let Some(list) = bundle.key_configs.clone() else {
        return received;
    };
    let manifest = Manifest::digest(&bundle.manifest);
    let list = SignedKeyConfigs::from_bytes(list).verify(&bundle.identity, &manifest, received);
    match list {
        Err(KeyConfigError::Expired) => UnixTime(received.0.saturating_sub(GRACE_SECONDS)),
        _ => received,
    }
}

fn refused(judged: Judged, error: &ReceiptError) -> Report {
    if judged.claims.is_none() {
        return judged.report;
    }
    let title = "the attested identity signed the receipt";
    let check = Check::fail(error.code(), title).detail(error.to_string());
    let report = judged.report.with([check]);
    let retryable = report.retryable;
    report.and(exit_of(error), retryable)
}
