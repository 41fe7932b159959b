//! `narthex collateral show`: what a bundle holds, and whether it can be relied on at a time.

use super::{
    super::{Context, Exit, Failure, time},
    contents::Contents,
    read,
};
use attestation::UnixTime;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Show the items of a bundle with their windows; status 10 if one is not current
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex collateral show now.collateral
  narthex collateral show then.collateral --at 2026-06-01T00:00:00Z --json

Nothing is verified: whether the items are authentic is told by `narthex verify`.")]
pub(crate) struct Show {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Whether items are current as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let bundle = read(&self.bundle)?;
        let now = time::or_now(self.at, context);
        let contents = Contents::of(&bundle, now);
        let exit = contents.exit();
        let document = json!({
            "verdict": exit.verdict(),
            "exit": exit as u8,
            "retryable": exit == Exit::Rejected,
            "at": now.to_rfc3339(),
            "items": contents.to_json(),
        });
        let verdict = match exit {
            Exit::Accepted => "CURRENT",
            Exit::Rejected => {
                "REJECTED  collateral.window  — retryable: `narthex collateral fetch` gets current items"
            }
            _ => "MALFORMED  collateral.item",
        };
        let text = format!("{}{verdict}\n", contents.to_text());
        context.output.either(&document, &text)?;
        Ok(exit)
    }
}
