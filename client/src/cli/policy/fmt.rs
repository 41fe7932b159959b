//! `narthex policy fmt`: documents in their canonical layout.

use super::{
    super::{
        Context, Exit, Failure, files,
        report::{Report, Retryable},
    },
    layout,
};
use crate::Check;
use clap::Args;
use policy::{Position, inventory::MAX_INVENTORY_BYTES};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Lay documents out as everyone does: spaces, blank lines, arrays; values, comments and their order stay
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy fmt policy.toml inventory.toml
  narthex policy fmt --check *.toml
  narthex policy fmt - < policy.toml

One space around `=`, no indentation, at most one blank line, arrays of more than 120 characters with one entry on a line. With
--check nothing is written, and a file with another layout ends with status 10.")]
pub(crate) struct Fmt {
    /// Documents (TOML) of any kind; `-`: from standard input to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Tell which files are laid out otherwise, and change none
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        if self.files == [Path::new("-")] && !self.check {
            let text = read(Path::new("-"))?;
            let laid_out = canonical(&text).map_err(|message| syntax(Path::new("-"), &message))?;
            context.output.text(&laid_out)?;
            return Ok(Exit::Accepted);
        }
        let mut report = Report::of(Vec::new(), Value::Null);
        for path in &self.files {
            let (check, exit) = self.one(path)?;
            report = report.with([check]).and(exit, Retryable::No);
        }
        context.output.report(&report)
    }

    fn one(&self, path: &Path) -> Result<(Check, Exit), Failure> {
        const TITLE: &str = "the document has the canonical layout";
        let text = read(path)?;
        let told = path.display().to_string();
        Ok(match canonical(&text) {
            Err(message) => {
                let check = Check::fail("policy.document.syntax", "the document is TOML");
                let detail = format!("{}: {message}", path.display());
                (check.detail(detail), Exit::Malformed)
            }
            Ok(laid_out) if laid_out == text => (
                Check::pass("policy.fmt", TITLE).detail(told),
                Exit::Accepted,
            ),
            Ok(_) if self.check => (
                Check::fail("policy.fmt", TITLE).detail(told),
                Exit::Rejected,
            ),
            Ok(laid_out) => {
                files::write_shared(path, laid_out.as_bytes())?;
                let title = "the document has been laid out";
                (
                    Check::pass("policy.fmt", title).detail(told),
                    Exit::Accepted,
                )
            }
        })
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let bytes = files::read(path, MAX_INVENTORY_BYTES)?;
    String::from_utf8(bytes).map_err(|_| syntax(path, "not UTF-8 text"))
}

/// The layout of `text`, once it is known to say the same; else what is wrong, with its place.
fn canonical(text: &str) -> Result<String, String> {
    let laid_out = layout::canonical(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        format!("{}: {}", position(text, offset), error.message())
    })?;
    let meant = |text: &str| text.parse::<toml::Table>().ok();
    if meant(text) == meant(&laid_out) {
        Ok(laid_out)
    } else {
        Err("no layout keeps what it says: please write it more plainly".to_owned())
    }
}

fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or("");
    Position {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}

fn syntax(path: &Path, message: &str) -> Failure {
    let message = format!("{}: {message}", path.display());
    Failure::new(Exit::Malformed, "policy.document.syntax", message)
        .advice("`narthex policy lint` tells every mistake with its place")
}
