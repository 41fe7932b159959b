//! Files with an envelope on each line, judged line by line: a log of orders, the rotations of a root.

use super::{
    super::super::{
        Context, Failure,
        report::{Report, Retryable},
    },
    order_check, signature_check,
};
use crate::{
    Check,
    cli::{
        Exit,
        policy::{document::Document, kind::Kind, trust},
    },
};
use policy::{Orders, PolicyError, Root};
use serde_json::Value;
use std::path::Path;

/// What is known when a line is judged: the root so far, and the orders before it.
struct Before {
    root: Root,
    orders: Orders,
}

/// One check for each line, and those of its mistakes.
pub(super) fn judge(
    documents: &[Document],
    path: &Path,
    context: &Context<'_>,
) -> Result<Report, Failure> {
    let is_rotations = documents.iter().all(|one| one.kind == Kind::Root);
    let root = if is_rotations {
        trust::pinned(context)?
    } else {
        trust::newest(context, trust::folder_of(path))?
    };
    let orders = Orders::none();
    let mut before = Before { root, orders };
    let mut report = Report::of(Vec::new(), Value::Null);
    for document in documents {
        report = line(document, &mut before, report);
    }
    Ok(report)
}

fn line(document: &Document, before: &mut Before, report: Report) -> Report {
    let mistakes = document.kind.mistakes(document.toml());
    if !mistakes.is_empty() {
        let title = "the document is well-formed";
        let checks = mistakes.iter().map(|error| fail(document, title, error));
        return report.with(checks).and(Exit::Malformed, Retryable::No);
    }
    match document.kind {
        Kind::Order => report.with(order(document, before)),
        Kind::Root => report.with(rotation(document, before)),
        _ => report.with([placed(signature_check(document, &before.root), document)]),
    }
}

/// Who signed it, and whether it follows the one before it.
fn order(document: &Document, before: &mut Before) -> Vec<Check> {
    const TITLE: &str = "the order follows the one before it";
    let signed = placed(order_check(document, &before.root), document);
    if signed.is_failure() {
        return vec![signed];
    }
    let obeyed = before.orders.obey(&document.envelope, &before.root);
    let errors = obeyed.err().unwrap_or_default();
    let refused = errors.iter().map(|error| fail(document, TITLE, error));
    [signed].into_iter().chain(refused).collect()
}

/// Those up to the pinned one are behind it.
fn rotation(document: &Document, before: &mut Before) -> Vec<Check> {
    const TITLE: &str = "the root before it and its own role root signed it";
    match trust::follow(
        before.root.clone(),
        std::slice::from_ref(&document.envelope),
    ) {
        Ok(root) => {
            let check = Check::pass("policy.root", TITLE).detail(document.summary());
            before.root = root;
            vec![placed(check, document)]
        }
        Err(failure) => {
            vec![placed(
                Check::fail(failure.code, TITLE).detail(failure.message),
                document,
            )]
        }
    }
}

fn fail(document: &Document, title: &'static str, error: &PolicyError) -> Check {
    placed(
        Check::fail(error.code(), title).detail(error.to_string()),
        document,
    )
}

fn placed(check: Check, document: &Document) -> Check {
    let detail = format!("{}: {}", document.place(), check.detail);
    check.detail(detail)
}
