//! `narthex policy diff`: what one release of a document allows or forbids that the one before did not.

use super::{
    super::{Context, Exit, Failure, config},
    document::Document,
    kind::Kind,
};
use clap::Args;
use policy::diff::{Change, Effect, diff};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Tell in words what becomes allowed and what becomes forbidden from one release to the next
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy diff policy-1.toml policy-2.toml
  narthex policy diff old/policy.json new/policy.json --json
  narthex policy diff --exit-code HEAD.toml policy.toml

Both are of one kind, signed or not; signatures are not looked at. Status 0 whatever has changed; with --exit-code 1 if anything has.")]
pub(crate) struct Diff {
    /// The release before (TOML or envelope)
    old: PathBuf,
    /// The release after
    new: PathBuf,
    /// What they are [default: what they look like]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// End with status 1 if anything has changed
    #[arg(long)]
    exit_code: bool,
}

impl Diff {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let old = Document::read(&self.old, self.kind)?;
        let new = Document::read(&self.new, self.kind.or(Some(old.kind)))?;
        old.check()?;
        new.check()?;
        let changes = diff(old.kind.payload_type(), old.text()?, new.text()?)
            .map_err(|errors| config::policy_failure(&errors))?;
        context
            .output
            .either(&document(&changes), &text(&changes))?;
        Ok(if self.exit_code && !changes.is_empty() {
            Exit::Internal
        } else {
            Exit::Accepted
        })
    }
}

const GROUPS: [(Effect, &str, &str); 3] = [
    (Effect::Allows, "allowed", "becomes allowed"),
    (Effect::Forbids, "forbidden", "becomes forbidden"),
    (Effect::Changes, "changed", "changes otherwise"),
];

fn text(changes: &[Change]) -> String {
    let mut text = String::new();
    for (effect, _, heading) in GROUPS {
        let of_group: Vec<&Change> = changes.iter().filter(|c| c.effect == effect).collect();
        if !of_group.is_empty() {
            text.push_str(&format!("{heading}\n"));
        }
        for change in of_group {
            text.push_str(&format!("  {}  {}\n", change.rule, change.words));
        }
    }
    if text.is_empty() {
        text.push_str("nothing changes\n");
    }
    text
}

fn document(changes: &[Change]) -> Value {
    let group = |effect| -> Vec<Value> {
        let of_group = changes.iter().filter(|change| change.effect == effect);
        let told = of_group.map(|change| json!({"rule": change.rule, "words": change.words}));
        told.collect()
    };
    let groups = GROUPS.map(|(effect, name, _)| (name.to_owned(), Value::from(group(effect))));
    Value::Object(groups.into_iter().collect())
}
