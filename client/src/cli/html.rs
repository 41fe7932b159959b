//! A verdict as one HTML page that needs nothing beside itself: no script, no font, no network, and a content security policy that allows none.
//!
//! Whatever stands in it may come from the files judged. It is escaped by the template and cleared of what could hide or reorder text.

mod claims;

use super::{Context, Exit, inputs::Input, output::displayable_line, report::Report};
use crate::{Check, Outcome};
use attestation::crypto;
use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

const STYLE: &str = include_str!("html/style.css");

/// The page of `report` over `inputs`.
pub(crate) fn page(report: &Report, inputs: &[Input], context: &Context<'_>) -> String {
    let verdict = report.exit.verdict().to_uppercase();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(security_policy());
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (verdict) " – Narthex verification report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Verification report" }
                    (verdict_box(report))
                    (circumstances(context))
                    (inputs_table(inputs))
                    (checks_table(&report.checks))
                    (claims_table(&report.claims))
                }
                footer {
                    p {
                        "This page repeats what the command printed; it proves nothing by itself. To check it, run the same command over files "
                        "with the same digests."
                    }
                }
            }
        }
    };
    page.into_string()
}

/// Nothing may be loaded, run or sent; the style is known by its digest.
fn security_policy() -> String {
    let style = STANDARD.encode(crypto::sha256(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'")
}

fn verdict_box(report: &Report) -> Markup {
    let (sign, meaning) = match report.exit {
        Exit::Accepted => ("\u{2713}", "Everything that was asked for held."),
        Exit::Rejected => ("\u{2717}", "Something did not hold."),
        Exit::Incomplete => (
            "?",
            "Something that the verdict needs was not given or is not supported.",
        ),
        _ => ("!", "The input could not be read as what it should be."),
    };
    let verdict = report.exit.verdict();
    html! {
        section class={ "verdict " (verdict) } aria-label="Verdict" {
            p { span aria-hidden="true" { (sign) " " } strong { (verdict.to_uppercase()) } }
            p { (meaning) " Exit status " (report.exit as u8) "." }
            @if !report.failed_codes().is_empty() {
                p { "Because of " @for (i, code) in report.failed_codes().iter().enumerate() {
                    @if i > 0 { ", " }
                    code { (displayable_line(code)) }
                } "." }
            }
            @if report.is_retryable() {
                p { "The same evidence may be accepted with collateral that is current." }
            }
        }
    }
}

fn circumstances(context: &Context<'_>) -> Markup {
    let command: Vec<String> = context
        .arguments
        .iter()
        .skip(1)
        .map(|argument| displayable_line(&argument.to_string_lossy()))
        .collect();
    html! {
        section {
            h2 { "Circumstances" }
            dl {
                dt { "Command" }
                dd { code { "narthex " (command.join(" ")) } }
                dt { "Written at" }
                dd { (context.composition.clock.now().to_rfc3339()) }
                dt { "Version" }
                dd { "narthex " (env!("CARGO_PKG_VERSION")) }
            }
        }
    }
}

fn inputs_table(inputs: &[Input]) -> Markup {
    html! {
        section {
            h2 { "Inputs" }
            table {
                caption { "Files that were read, in order, by the bytes that were judged" }
                thead { tr {
                    th scope="col" { "File" }
                    th scope="col" { "Bytes" }
                    th scope="col" { "SHA-256" }
                } }
                tbody { @for input in inputs { tr {
                    th scope="row" { code { (displayable_line(&input.path.to_string_lossy())) } }
                    td { (input.size_bytes) }
                    td { code { (hex::encode(input.sha256)) } }
                } } }
            }
        }
    }
}

fn checks_table(checks: &[Check]) -> Markup {
    let count = |outcome| {
        checks
            .iter()
            .filter(|check| check.outcome == outcome)
            .count()
    };
    html! {
        section {
            h2 { "Checks" }
            p {
                (count(Outcome::Pass)) " passed, " (count(Outcome::Fail)) " failed, " (count(Outcome::Skip)) " skipped, "
                (count(Outcome::Info)) " for information. What was skipped was not tried, and counts for nothing."
            }
            table {
                caption { "Every check in the order in which it was made" }
                thead { tr {
                    th scope="col" { "Outcome" }
                    th scope="col" { "Check" }
                    th scope="col" { "What is checked" }
                    th scope="col" { "Specification" }
                    th scope="col" { "Detail" }
                } }
                tbody { @for check in checks { (check_row(check)) } }
            }
        }
    }
}

fn check_row(check: &Check) -> Markup {
    let (word, class) = match check.outcome {
        Outcome::Pass => ("\u{2713} PASS", "pass"),
        Outcome::Fail => ("\u{2717} FAIL", "fail"),
        Outcome::Skip => ("\u{2013} SKIP", "skip"),
        Outcome::Info => ("i INFO", "info"),
    };
    html! {
        tr class=(class) {
            td { (word) }
            th scope="row" { code { (displayable_line(&check.id)) } }
            td { (displayable_line(&check.title)) }
            td { (displayable_line(&check.section)) }
            td { (displayable_line(&check.detail)) }
        }
    }
}

fn claims_table(claims: &Value) -> Markup {
    let rows = claims::rows(claims);
    html! {
        section {
            h2 { "Claims" }
            @if rows.is_empty() {
                p { "None: nothing was verified." }
            } @else {
                table {
                    caption { "What the evidence says, after everything above" }
                    thead { tr { th scope="col" { "Claim" } th scope="col" { "Value" } } }
                    tbody { @for (name, value) in rows { tr {
                        th scope="row" { code { (displayable_line(&name)) } }
                        td { code { (displayable_line(&value)) } }
                    } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
