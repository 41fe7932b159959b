//! `narthex policy lint`: every mistake of a document, and what a good one should not say.

use super::{
    super::{
        Context, Exit, Failure,
        report::{Report, Retryable},
    },
    document::{Document, Found},
    kind::Kind,
};
use crate::Check;
use clap::Args;
use policy::{Policy, PolicyError};
use serde_json::Value;
use std::path::PathBuf;

/// Tell every mistake of documents, signed or not, and what weakens them
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy lint policy.toml
  narthex policy lint root.toml policy.json inventory.toml stop.toml
  narthex policy lint --kind order draft.toml

The kind of a document is told from its envelope or its fields. Mistakes end with status 30; remarks are INFO and decide nothing.")]
pub(crate) struct Lint {
    /// Documents (TOML) or envelopes (JSON)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the documents are [default: what each looks like]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
}

impl Lint {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let mut report = Report::of(Vec::new(), Value::Null);
        for path in &self.files {
            for document in Found::read(path, self.kind)?.documents() {
                report = judge(&document, report);
            }
        }
        context.output.report(&report)
    }
}

fn judge(document: &Document, report: Report) -> Report {
    let mistakes = document.kind.mistakes(document.toml());
    if mistakes.is_empty() {
        return report.with(well_formed(document));
    }
    let checks = mistakes.iter().map(|error| mistake(document, error));
    report.with(checks).and(Exit::Malformed, Retryable::No)
}

fn well_formed(document: &Document) -> Vec<Check> {
    let path = document.place();
    let detail = format!("{path}: {}", document.summary());
    let title = "the document is well-formed";
    let mut checks = vec![Check::pass("policy.document", title).detail(detail)];
    if let (Kind::Policy, Ok(policy)) = (document.kind, Policy::from_toml(document.toml())) {
        checks.extend(policy.lint().into_iter().map(|finding| {
            let place = policy.place_of(&finding.rule);
            let place = place.map_or_else(|| path.clone(), |at| document.place_of(at));
            Check::info(finding.code, format!("rule {}", finding.rule))
                .detail(format!("{place}: {}", finding.message))
        }));
    }
    checks
}

fn mistake(document: &Document, error: &PolicyError) -> Check {
    let detail = format!("{}: {error}", document.place());
    Check::fail(error.code(), "the document is well-formed").detail(detail)
}
