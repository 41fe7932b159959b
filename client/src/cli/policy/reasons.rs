//! A reason as people and machines read it: rule, file and line, expected, actual, advisory, what would satisfy it.

use policy::Reason;
use serde_json::{Value, json};
use std::path::Path;

/// Two lines; `policy` is the file that the rule stands in.
pub(super) fn text(reason: &Reason, policy: &Path) -> String {
    let place = reason.at.map_or_else(String::new, |at| {
        format!(" ({}:{}:{})", policy.display(), at.line, at.column)
    });
    let advisory = reason
        .advisory
        .as_ref()
        .map_or_else(String::new, |advisory| {
            let link = advisory.link.as_deref().unwrap_or("no link");
            format!("  [{}: {link}]", advisory.name)
        });
    format!(
        "    {}  rule {}{place}  expected {}; actual {}{advisory}\n      what satisfies it: {}\n",
        reason.code,
        reason.rule,
        reason.expected,
        reason.actual,
        reason.remedy()
    )
}

/// The same for machines.
pub(super) fn json(reason: &Reason, policy: &Path) -> Value {
    json!({
        "code": reason.code,
        "rule": reason.rule,
        "file": reason.at.map(|_| policy),
        "line": reason.at.map(|at| at.line),
        "column": reason.at.map(|at| at.column),
        "expected": reason.expected,
        "actual": reason.actual,
        "advisory": reason.advisory.as_ref().map(|advisory| {
            json!({"name": advisory.name, "link": advisory.link})
        }),
        "remedy": reason.remedy(),
    })
}
