//! `narthex receipt verify`: a receipt against the evidence of the node that signed it, and against the exchange if that is disclosed.

use super::super::{
    Context, Exit, Failure, config, evidence_file,
    export::Export,
    files,
    report::Report,
    time,
    verify::{self, Times},
};
use crate::{Check, receipt_check};
use attestation::UnixTime;
use clap::Args;
use protocol::{
    Opening, Receipt, SignedReceipt,
    receipt::{DisclosedExchange, MAX_SIGNED_RECEIPT, ReceiptError},
};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
const MAX_OPENING_BYTES: usize = 1024;

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
    /// The evidence bundle of the node that signed it
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Collateral, as `narthex collateral` makes it; goes before what the bundle brings
    #[arg(long, value_name = "FILE")]
    collateral: Option<PathBuf>,
    /// The secret that opens the receipt's digests
    #[arg(long, value_name = "FILE", requires_all = ["request", "response"])]
    opening: Option<PathBuf>,
    /// The request's body, as it was sealed
    #[arg(long, value_name = "FILE", requires = "opening")]
    request: Option<PathBuf>,
    /// The answer's body, as it came out of the seal
    #[arg(long, value_name = "FILE", requires = "opening")]
    response: Option<PathBuf>,
    /// The request's method
    #[arg(long, default_value = "POST")]
    method: String,
    /// The request's path
    #[arg(long, default_value = "/v1/chat/completions")]
    path: String,
    /// Judge the evidence as of this time; the key list is judged at the receipt's [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
    #[command(flatten)]
    export: Export,
}

impl ReceiptVerify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let report = self.judge(context).or_else(verify::told_as_report)?;
        self.export.write(&report, context)?;
        context.output.report(&report)
    }

    fn judge(&self, context: &Context<'_>) -> Result<Report, Failure> {
        let policy = config::policy(context)?;
        let signed = read(&self.receipt)?;
        let bundle = verify::read_bundle(&self.bundle)?;
        let now = time::or_now(self.at, context);
        // The identity is only believed after the evidence below has been judged; a wrong time here can only refuse.
        let receipt = signed.verify(&bundle.identity);
        let times = Times {
            evidence: now,
            keys: receipt.as_ref().map_or(now, |receipt| receipt.received_at),
        };
        let verifier = config::verifier(context, self.collateral.as_deref())?;
        let verified = verifier.verify(&bundle, None, now);
        let mut judged = verify::judge_bundle(&bundle, verified, policy.as_ref(), times);
        let Some(claims) = &judged.claims else {
            return Ok(judged.report);
        };
        let (checks, exit) = match receipt {
            Ok(receipt) => {
                let mut checks = receipt_check::checks(&receipt, claims, judged.keys.as_ref());
                checks.push(self.exchange_check(&receipt)?);
                (checks, Exit::Accepted)
            }
            Err(error) => (vec![refused(&error)], exit_of(&error)),
        };
        judged.report.checks.extend(checks);
        let (exit, retryable) = (exit.and(judged.report.exit), judged.report.retryable);
        Ok(Report::of(judged.report.checks, judged.report.claims).and(exit, retryable))
    }

    /// Whether the disclosed exchange is the one that the receipt is about.
    fn exchange_check(&self, receipt: &Receipt) -> Result<Check, Failure> {
        const TITLE: &str = "it is about the disclosed request and answer";
        let (Some(opening), Some(request), Some(response)) =
            (&self.opening, &self.request, &self.response)
        else {
            return Ok(Check::info("receipt.exchange", TITLE)
                .detail("not checked: no opening, request and answer were given"));
        };
        let exchange = DisclosedExchange {
            method: &self.method,
            path: &self.path,
            request_body: &Zeroizing::new(files::read_unlisted(request, MAX_BODY_BYTES)?),
            status: receipt.status,
            response_body: &Zeroizing::new(files::read_unlisted(response, MAX_BODY_BYTES)?),
            tokens: None,
        };
        Ok(match receipt.opens(&read_opening(opening)?, &exchange) {
            Ok(()) => Check::pass("receipt.exchange", TITLE),
            Err(error) => Check::fail(error.code(), TITLE).detail(error.to_string()),
        })
    }
}

fn refused(error: &ReceiptError) -> Check {
    Check::fail(error.code(), "the attested identity signed the receipt").detail(error.to_string())
}

/// The exit status that a refused receipt means.
pub(super) const fn exit_of(error: &ReceiptError) -> Exit {
    match error {
        ReceiptError::Malformed => Exit::Malformed,
        _ => Exit::Rejected,
    }
}

/// Reads a receipt file; nothing of it is verified.
pub(super) fn read(path: &Path) -> Result<SignedReceipt, Failure> {
    let bytes = evidence_file::bytes(path)?;
    if bytes.len() > MAX_SIGNED_RECEIPT {
        let message = format!("{} is larger than any receipt", path.display());
        return Err(Failure::new(Exit::Malformed, "receipt.malformed", message));
    }
    Ok(SignedReceipt::from_bytes(bytes))
}

fn read_opening(path: &Path) -> Result<Opening, Failure> {
    let text = Zeroizing::new(files::read_unlisted(path, MAX_OPENING_BYTES)?);
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), secret.as_mut_slice()).map_err(|_| {
        let message = format!("{} is not 64 hexadecimal digits", path.display());
        Failure::new(Exit::Malformed, "receipt.opening", message)
    })?;
    Ok(Opening::from_bytes(*secret))
}
