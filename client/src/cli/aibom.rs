//! `narthex aibom`: a bill of materials of a model directory, for the manifest of the runtime that serves it.

mod cubins;
mod document;
mod folder;
mod licence;

use super::{Context, Exit, Failure, files};
use attestation::crypto::sha256;
use clap::Args;
use folder::ModelFolder;
use std::path::PathBuf;

/// Write a model's bill of materials (CycloneDX 1.6 ML-BOM): weights, tokenizer, template, quantisation, engine, kernels, code for GPUs, licence, lineage
///
/// The same model and the same words give the same bytes, so that two parties who write it get one digest. The runtime states the
/// digest in its manifest (`aibom` in its configuration); evidence, policies (`[[aibom.accepted]]`) and receipts carry it from there.
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex aibom models/smollm2 -o aibom.json
  narthex aibom models/smollm2 --supplier \"Hugging Face\" --base-model SmolLM2-135M --dataset smoltalk -o aibom.json

Its SHA-256 is told on standard error and is what a policy lists.")]
pub(crate) struct Aibom {
    /// Directory with one GGUF file and what belongs to it, or the GGUF file itself
    model: PathBuf,
    #[command(flatten)]
    words: Words,
    /// The executable that will serve it: its SHA-256 is the engine's (`runtime-digest` of the manifest)
    #[arg(long, value_name = "FILE")]
    runtime: Option<PathBuf>,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What no file tells, or tells wrongly.
#[derive(Args)]
struct Words {
    /// Name of the model [default: the name that a runtime serves it under]
    #[arg(long)]
    name: Option<String>,
    /// Version of the model, as its supplier counts
    #[arg(long = "model-version", value_name = "VERSION")]
    version: Option<String>,
    /// Who supplies it [default: the organisation that the file names]
    #[arg(long)]
    supplier: Option<String>,
    /// SPDX identifier or name of its licence [default: the one that the file names]
    #[arg(long)]
    license: Option<String>,
    /// A model that it was made from, nearest first; repeatable
    #[arg(long, value_name = "NAME[@SHA256]")]
    base_model: Vec<String>,
    /// A data set that it was trained on; repeatable
    #[arg(long, value_name = "NAME[@SHA256]")]
    dataset: Vec<String>,
}

impl Aibom {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let folder = ModelFolder::read(&self.model)?;
        let runtime = self.runtime.as_deref().map(files::sha256).transpose()?;
        let document = document::of(&folder, &self.words, runtime)?;
        #[expect(
            clippy::expect_used,
            reason = "a tree of strings and numbers always serialises"
        )]
        let mut json = serde_json::to_string_pretty(&document).expect("JSON serialises");
        json.push('\n');
        match &self.output {
            Some(path) => files::write_shared(path, json.as_bytes())?,
            None => context.output.text(&json)?,
        }
        let digest = hex::encode(sha256(json.as_bytes()));
        context
            .output
            .notice(&format!("SHA-256 of the bill of materials: {digest}"));
        Ok(Exit::Accepted)
    }
}
