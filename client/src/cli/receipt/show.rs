//! `narthex receipt show`: what a receipt says, under the key of the bundle beside it; for reading, not for believing.

use super::{
    super::{Context, Exit, Failure, output::json_text, verify},
    verify::{exit_of, read},
};
use crate::receipt_json;
use clap::Args;
use std::path::PathBuf;

/// Print what a receipt says; `receipt verify` tells whether it holds
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex receipt show --receipt r.cose --bundle r.bundle")]
pub(crate) struct Show {
    /// The receipt (COSE_Sign1)
    #[arg(long, value_name = "FILE")]
    receipt: PathBuf,
    /// The bundle that names the key; its evidence is not judged here
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let signed = read(&self.receipt)?;
        let bundle = verify::read_bundle(&self.bundle)?;
        let receipt = signed.verify(&bundle.identity).map_err(|error| {
            Failure::new(exit_of(&error), error.code(), error.to_string())
                .advice("give the bundle of the node that signed this receipt")
        })?;
        let document = receipt_json::document(&receipt, &signed);
        context.output.either(&document, &json_text(&document))?;
        context
            .output
            .notice("the evidence was not judged: narthex receipt verify does that");
        Ok(Exit::Accepted)
    }
}
