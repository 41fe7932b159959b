//! `narthex audit replay`: runs a disclosed request again on the model that its receipt names, and compares the tokens bit for bit.

mod again;

use super::super::{
    Context, Exit, Failure, files,
    receipt::disclosed::{read_opening, read_receipt},
    report::{Report, Retryable},
    verify,
};
use crate::Check;
use clap::Args;
use engine::{
    Engine, ModelCard,
    local::{IsaName, LocalConfig, LocalEngine},
};
use protocol::{Opening, Outcome, Receipt};
use serde_json::json;
use std::path::PathBuf;
use zeroize::Zeroizing;

const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Engine mode whose tokens can be made again.
const REPLAYABLE: &str = "cpu/deterministic";

/// Run a disclosed request again and tell whether the tokens are those that its receipt states, bit for bit
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex audit replay r.cose --opening r.opening --request request.json --model SmolLM2-135M-Instruct.Q4_1.gguf
  narthex audit replay r.cose --opening r.opening --request request.json --model model.gguf --bundle r.bundle --json

The batch in which the answer was made, the number of threads and the instructions of the machine do not matter: the same kernels
give the same bits. Ends with 0 if the tokens are the same, 10 if they are not or the files are not those of the receipt, and 20 if
this program cannot tell: the answer was made by another engine or by other kernels (install the version that the receipt names).")]
pub(crate) struct Replay {
    /// The receipt (COSE_Sign1)
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
    /// The secret that opens the receipt's digests
    #[arg(long, value_name = "FILE")]
    opening: PathBuf,
    /// The request's body, as it was sealed
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The model that the receipt names
    #[arg(long, value_name = "FILE|FOLDER")]
    model: PathBuf,
    /// The evidence bundle of the node: the receipt's signature is verified under the identity in it
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// The request's path
    #[arg(long, default_value = "/v1/chat/completions")]
    path: String,
    /// Most tokens of prompt and answer at the runtime that answered
    #[arg(long, value_name = "N", default_value_t = 8192)]
    context_tokens: usize,
    /// Threads that compute [default: as many as there are cores]
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Instructions to compute with: scalar, avx2 or avx512-vnni [default: the machine's fastest]
    #[arg(long, value_name = "ISA")]
    isa: Option<IsaName>,
}

/// What is at hand before anything is run. No Debug: it holds the prompt.
struct Disclosed {
    receipt: Receipt,
    opening: Opening,
    request: Zeroizing<Vec<u8>>,
}

impl Replay {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let report = self.judge(context)?;
        context.output.report(&report)
    }

    fn judge(&self, context: &Context<'_>) -> Result<Report, Failure> {
        let (disclosed, signature) = self.disclosed()?;
        let report = Report::of(
            vec![signature, disclosed.is_the_receipts(&self.path)],
            told(&disclosed.receipt),
        );
        if report.exit != Exit::Accepted {
            return Ok(report);
        }
        if let Err(check) = replayable(&disclosed.receipt) {
            return Ok(cannot(report, check));
        }
        context.output.notice("loading the model");
        let engine = self.load()?;
        let report = report.with(same_model(&disclosed.receipt, engine.card()));
        if report.exit != Exit::Accepted {
            return Ok(report);
        }
        context.output.notice("running the request again");
        Ok(report.with([again::compare(
            &disclosed.receipt,
            &disclosed.opening,
            &self.made(&engine, &disclosed)?,
        )]))
    }

    /// The files, and whether the receipt is the node's.
    fn disclosed(&self) -> Result<(Disclosed, Check), Failure> {
        const ID: &str = "receipt.signature";
        let signed = read_receipt(&self.receipt)?;
        let title = "the attested identity signed the receipt";
        let (receipt, signature) = match &self.bundle {
            Some(path) => match signed.verify(&verify::read_bundle(path)?.identity) {
                Ok(receipt) => (Ok(receipt), Check::pass(ID, title)),
                Err(error) => (
                    signed.read_unverified(),
                    Check::fail(error.code(), title).detail(error.to_string()),
                ),
            },
            None => {
                let unknown = Check::new(crate::Outcome::Skip, ID, title);
                let detail =
                    "no --bundle was given; narthex receipt verify tells whether the receipt holds";
                (signed.read_unverified(), unknown.detail(detail))
            }
        };
        let receipt = receipt
            .map_err(|error| Failure::new(Exit::Malformed, error.code(), error.to_string()))?;
        let disclosed = Disclosed {
            receipt,
            opening: read_opening(&self.opening)?,
            request: Zeroizing::new(files::read_unlisted(&self.request, MAX_BODY_BYTES)?),
        };
        Ok((disclosed, signature))
    }

    fn load(&self) -> Result<LocalEngine, Failure> {
        let config = LocalConfig {
            threads: self.threads,
            max_context: self.context_tokens,
            isa: self.isa,
            ..LocalConfig::default()
        };
        LocalEngine::load(&self.model, config)
            .map_err(|error| Failure::new(Exit::Usage, error.code(), error.to_string()))
    }

    fn made(&self, engine: &LocalEngine, disclosed: &Disclosed) -> Result<again::Choices, Failure> {
        let seed = disclosed.receipt.seed;
        let jobs = openai::jobs(&self.path, &disclosed.request, seed, engine).map_err(|error| {
            let message = format!(
                "the request is none that is answered with tokens: {}",
                error.code
            );
            Failure::new(Exit::Malformed, "replay.request", message)
        })?;
        again::choices(engine, jobs)
    }
}

impl Disclosed {
    fn is_the_receipts(&self, path: &str) -> Check {
        const ID: &str = "replay.request";
        const TITLE: &str = "the receipt is about this request";
        let digest = self.opening.request_digest("POST", path, &self.request);
        if digest == self.receipt.digests.request {
            Check::pass(ID, TITLE)
        } else {
            Check::fail(ID, TITLE).detail("another request, path or opening")
        }
    }
}

/// Whether tokens of this receipt can be made again here at all.
fn replayable(receipt: &Receipt) -> Result<(), Check> {
    let cannot = |id: &'static str, title: &'static str, detail: String| {
        Err(Check::new(crate::Outcome::Skip, id, title).detail(detail))
    };
    if receipt.engine != REPLAYABLE {
        let detail = format!(
            "it was {}; only {REPLAYABLE} can be run again",
            receipt.engine
        );
        return cannot(
            "replay.engine",
            "the answer was made by an engine of this program",
            detail,
        );
    }
    let ours = engine::local::kernels_digest();
    if receipt.kernels_digest != ours {
        let detail = format!(
            "the receipt names {}, this program has {}: install the version that answered",
            hex::encode(receipt.kernels_digest),
            hex::encode(ours)
        );
        return cannot(
            "replay.kernels",
            "the kernels are those of this program",
            detail,
        );
    }
    Ok(())
}

/// File, tokenizer and template, by their digests.
fn same_model(receipt: &Receipt, card: &ModelCard) -> [Check; 3] {
    let check = |id: &'static str, title: &'static str, (stated, found): ([u8; 32], [u8; 32])| {
        if stated == found {
            return Check::pass(id, title);
        }
        let detail = format!(
            "the receipt names {}, this is {}",
            hex::encode(stated),
            hex::encode(found)
        );
        Check::fail(id, title).detail(detail)
    };
    [
        check(
            "replay.model",
            "the model is that of the receipt",
            (receipt.model_digest, card.model_digest),
        ),
        check(
            "replay.tokenizer",
            "the tokenizer is that of the receipt",
            (receipt.tokenizer_digest, card.tokenizer_digest),
        ),
        check(
            "replay.template",
            "the chat template is that of the receipt",
            (receipt.template_digest, card.template_digest),
        ),
    ]
}

/// Nothing failed, and nothing can be said.
fn cannot(report: Report, check: Check) -> Report {
    let code = match check.id {
        std::borrow::Cow::Borrowed(code) => code,
        std::borrow::Cow::Owned(_) => "replay",
    };
    report
        .with([check])
        .and(Exit::Incomplete, Retryable::No)
        .stopped_by(code)
}

fn told(receipt: &Receipt) -> serde_json::Value {
    json!({
        "request_id": hex::encode(receipt.request_id),
        "model": receipt.model,
        "engine": receipt.engine,
        "isa": receipt.isa,
        "kernels_digest": hex::encode(receipt.kernels_digest),
        "completion_tokens": receipt.usage.completion_tokens,
        "complete": receipt.outcome == Outcome::Complete,
    })
}
