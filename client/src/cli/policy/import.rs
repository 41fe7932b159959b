//! `narthex policy import`: a draft from another system's reference values. What it cannot say is told, never dropped in silence.

mod contrast;
mod draft;
mod trustee;

use super::super::{Context, Exit, Failure, files};
use attestation::{UnixTime, snp::Product};
use clap::{Args, ValueEnum};
use draft::Draft;
use policy::Policy;
use serde_json::Value;
use std::path::PathBuf;

const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
const DRAFT_SECONDS: u64 = 90 * 24 * 60 * 60;

/// Draft a policy from the reference values of another system
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy import contrast manifest.json -o policy.toml
  narthex policy import trustee reference-values.json --product genoa -o policy.toml

The draft is valid for 90 days. What of its source a policy cannot say stands at its top as a comment and is told on standard error. Read it,
`narthex policy lint` it, then sign it.")]
pub(crate) struct Import {
    /// Where the values come from
    source: Source,
    /// Contrast: manifest.json. Trustee: a JSON object of names and values, or an array of { name, value }
    file: PathBuf,
    /// AMD product that Trustee's SNP values are for; repeatable
    #[arg(long)]
    product: Vec<ProductName>,
    /// Where to write the draft [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    /// Confidential Containers' Trustee (RVPS)
    Trustee,
    /// Edgeless Systems' Contrast
    Contrast,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProductName {
    Milan,
    Genoa,
}

impl Import {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let bytes = files::read(&self.file, MAX_FILE_BYTES)?;
        let values = serde_json::from_slice(&bytes);
        let values: Value = values.map_err(|error| malformed(error.to_string()))?;
        let products: Vec<Product> = self.product.iter().map(|name| name.product()).collect();
        let draft = match self.source {
            Source::Trustee => trustee::read(&values, &products),
            Source::Contrast => contrast::read(&values),
        };
        let draft = draft.map_err(malformed)?;
        let text = valid_text(&draft, context.composition.clock.now())?;
        for left in &draft.left {
            context.output.notice(&format!("not carried over: {left}"));
        }
        match &self.output {
            Some(path) => files::write_shared(path, text.as_bytes())?,
            None => context.output.text(&text)?,
        }
        Ok(Exit::Accepted)
    }
}

impl ProductName {
    const fn product(self) -> Product {
        match self {
            Self::Milan => Product::Milan,
            Self::Genoa => Product::Genoa,
        }
    }
}

/// Nobody gets a draft that no build could read.
fn valid_text(draft: &Draft, now: UnixTime) -> Result<String, Failure> {
    let text = draft.to_toml(now, now.plus(DRAFT_SECONDS));
    match Policy::from_toml(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(mistakes) => {
            let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Err(malformed(format!(
                "its values make no policy: {}",
                mistakes.join("; ")
            )))
        }
    }
}

fn malformed(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Malformed, "policy.import", what)
        .advice("`narthex policy import --help` tells which files are read")
}
