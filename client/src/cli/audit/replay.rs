//! `narthex audit replay`: runs a disclosed request again on the model that its receipt names, and compares the tokens bit for bit.

mod again;

use super::super::{
    Context, Exit, Failure, config, files,
    receipt::disclosed::{read_opening, read_receipt},
    report::{Report, Retryable},
    time, verify,
};
use crate::Check;
use attestation::{UnixTime, manifest::Arithmetic};
use clap::Args;
use engine::{
    Engine, ModelCard,
    folder::ModelFolder,
    local::{IsaName, LocalConfig, LocalEngine},
};
use protocol::{Opening, Outcome, Receipt, SignedReceipt};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Engine mode whose tokens can be made again.
const REPLAYABLE: &str = "cpu/deterministic";
/// That of GPUs which give the same bits: what they answered is run again on a CPU.
const EXACT_ON_GPUS: &str = "cuda/exact";

/// Run a disclosed request again and tell whether the tokens are those that its receipt states, bit for bit
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex audit replay r.cose --opening r.opening --request request.json --model SmolLM2-135M-Instruct.Q4_1.gguf
  narthex audit replay r.cose --opening r.opening --request request.json --model model.gguf --bundle r.bundle --json
  narthex audit replay r.cose --opening r.opening --request request.json --model Qwen3-0.6B/

The batch in which the answer was made, the number of threads and the instructions of the machine do not matter: the same kernels
give the same bits, and so do GPUs in exact arithmetic. Ends with 0 if the tokens are the same, 10 if they are not or the files are not those of the receipt, and 20 if
this program cannot tell: the answer was made by another engine, in fast arithmetic or by other kernels (install the version that the receipt names),
or it was broken off where nobody knows. Whether the receipt itself holds is a question for `narthex receipt verify`.")]
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
    /// The model that the receipt names: its file or its folder, or a folder with nothing but its file
    #[arg(long, value_name = "FILE|FOLDER")]
    model: PathBuf,
    /// The evidence bundle of the node: it is verified, and the receipt's signature under the identity in it
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// The request's path
    #[arg(long, default_value = "/v1/chat/completions")]
    path: String,
    /// Judge the bundle's evidence as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse, requires = "bundle")]
    at: Option<UnixTime>,
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
        let signed = read_receipt(&self.receipt)?;
        let receipt = signed
            .read_unverified()
            .map_err(|error| Failure::new(Exit::Malformed, error.code(), error.to_string()))?;
        let disclosed = Disclosed {
            opening: read_opening(&self.opening)?,
            request: Zeroizing::new(files::read_unlisted(&self.request, MAX_BODY_BYTES)?),
            receipt,
        };
        let signature = self.signature(&signed, context)?;
        let request = disclosed.is_the_receipts(&self.path);
        let report = Report::of(vec![signature, request], told(&disclosed.receipt));
        if report.exit != Exit::Accepted {
            return Ok(report);
        }
        match replayable(&disclosed.receipt) {
            Ok(()) => self.run_again(report, &disclosed, context),
            Err(check) => Ok(cannot(report, check)),
        }
    }

    fn run_again(
        &self,
        report: Report,
        disclosed: &Disclosed,
        context: &Context<'_>,
    ) -> Result<Report, Failure> {
        let (receipt, replay) = (&disclosed.receipt, disclosed.read(&self.path)?);
        let report = report.with([same_sampling(receipt, &replay)]);
        if report.exit != Exit::Accepted {
            return Ok(report);
        }
        context.output.notice("loading the model");
        let engine = self.load()?;
        let report = report.with(same_model(receipt, engine.card()));
        if report.exit != Exit::Accepted {
            return Ok(report);
        }
        context.output.notice("running the request again");
        let jobs = replay
            .jobs(receipt.seed, &engine)
            .map_err(|error| not_answered(&error))?;
        let made = again::choices(&engine, jobs)?;
        Ok(match again::compare(receipt, &disclosed.opening, &made) {
            Ok(check) => report.with([check]),
            Err(check) => cannot(report, check),
        })
    }

    /// Whether the identity that signed the receipt was attested: the bundle's evidence is verified, no policy is asked.
    fn signature(&self, signed: &SignedReceipt, context: &Context<'_>) -> Result<Check, Failure> {
        const ID: &str = "receipt.signature";
        const TITLE: &str = "the attested identity signed the receipt";
        let Some(path) = &self.bundle else {
            let detail = "not looked at: with --bundle it is, and narthex receipt verify tells whether the receipt holds";
            return Ok(Check::new(crate::Outcome::Info, ID, TITLE).detail(detail));
        };
        let bundle = verify::read_bundle(path)?;
        let verifier = config::verifier(context, None)?;
        let at = time::or_now(self.at, context);
        if let Err(error) = verifier.verify(&bundle, None, at) {
            return Ok(Check::fail(error.code(), TITLE).detail(error.to_string()));
        }
        Ok(match signed.verify(&bundle.identity) {
            Ok(_) => Check::pass(ID, TITLE).detail("no policy was asked"),
            Err(error) => Check::fail(error.code(), TITLE).detail(error.to_string()),
        })
    }

    fn load(&self) -> Result<LocalEngine, Failure> {
        let config = LocalConfig {
            threads: self.threads,
            max_sequences: 1,
            max_context: self.context_tokens,
            isa: self.isa,
            ..LocalConfig::default()
        };
        let model = model_at(&self.model)?;
        LocalEngine::load(&model, config)
            .map_err(|error| Failure::new(Exit::Usage, error.code(), error.to_string()))
    }
}

/// The file itself; of a folder, the folder where it is a model, or its only GGUF file.
fn model_at(path: &Path) -> Result<PathBuf, Failure> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let mut found = files_of(path)?;
    if ModelFolder::is_at(path) {
        found.push(path.to_owned());
    }
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => {
            let folder = path.display();
            let message = format!("{folder} is not one model: a model folder, or one .gguf file");
            Err(Failure::new(Exit::Usage, "replay.folder", message))
        }
    }
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: std::io::Error| {
        let message = format!("{}: {error}", folder.display());
        Failure::new(Exit::Usage, "replay.folder", message)
    };
    let entries = folder.read_dir().map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(unreadable)?;
    let gguf = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "gguf")
    };
    Ok(paths.into_iter().filter(gguf).collect())
}

fn not_answered(error: &openai::ApiError) -> Failure {
    let message = format!(
        "the request is none that is answered with tokens: {}",
        error.code
    );
    Failure::new(Exit::Malformed, "replay.no_tokens", message)
}

impl Disclosed {
    fn read(&self, path: &str) -> Result<openai::Replay, Failure> {
        openai::Replay::read(path, &self.request).map_err(|error| not_answered(&error))
    }

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
    if receipt
        .gpu
        .is_some_and(|gpu| gpu.arithmetic == Arithmetic::Fast)
    {
        let detail = "fast arithmetic of GPUs gives other bits than a CPU's: only exact arithmetic can be run again";
        return cannot(
            "replay.arithmetic",
            "the answer was made with a CPU's bits",
            detail.to_owned(),
        );
    }
    let mode = match receipt.gpu {
        Some(_) => EXACT_ON_GPUS,
        None => REPLAYABLE,
    };
    if receipt.engine != mode {
        let detail = format!("it was {}; only {mode} can be run again", receipt.engine);
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

/// What a runtime may choose is the seed, and only where the request names none.
fn same_sampling(receipt: &Receipt, replay: &openai::Replay) -> Check {
    const ID: &str = "replay.sampling";
    const TITLE: &str = "the stated sampling is what the request asks for";
    let stated = openai::Stated {
        temperature_milli: receipt.temperature_milli,
        top_p_milli: receipt.top_p_milli,
        seed: receipt.seed,
    };
    if replay.allows(stated) {
        return Check::pass(ID, TITLE);
    }
    Check::fail(ID, TITLE).detail("temperature, top_p or seed are others")
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
        "arithmetic": receipt.gpu.map(|gpu| gpu.arithmetic.as_str()),
        "completion_tokens": receipt.usage.completion_tokens,
        "complete": receipt.outcome == Outcome::Complete,
    })
}
