//! `narthex policy explain`: what a document admits, in words; what a reason means and what satisfies it.

use super::{
    super::{Context, Exit, Failure, config},
    document::Document,
};
use clap::Args;
use policy::explain::{Field, Statement, explain, fields_of};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Say in words what a document admits, whom and until when; or what a reason's code means and what satisfies it
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy explain policy.toml
  narthex policy explain inventory.json
  narthex policy explain policy.toml policy.snp.minimum_tcb

Each statement stands with its line. With a code: the rules that give it, what they say here, and what would satisfy them.")]
pub(crate) struct Explain {
    /// Document (TOML) or envelope (JSON); its signatures are not looked at
    file: PathBuf,
    /// Code of a reason against a node
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let document = Document::read(&self.file, None)?;
        document.check()?;
        let kind = document.kind.payload_type();
        let statements =
            explain(kind, document.text()?).map_err(|errors| config::policy_failure(&errors))?;
        let (json, text) = match &self.code {
            None => whole(&document, &statements),
            Some(code) => {
                let remedy = policy::remedy_of(code).ok_or_else(|| unknown(code))?;
                one(&document, &statements, &Reason { code, remedy })
            }
        };
        context.output.either(&json, &text)?;
        Ok(Exit::Accepted)
    }
}

/// A code that reasons have.
struct Reason<'a> {
    code: &'a str,
    remedy: &'a str,
}

fn whole(document: &Document, statements: &[Statement]) -> (Value, String) {
    let summary = document.summary();
    let mut text = format!("{}: {summary}\n", document.path.display());
    for statement in statements {
        text.push_str(&line(document, statement));
    }
    let statements: Vec<Value> = statements.iter().map(json_of).collect();
    let json = json!({
        "kind": document.kind.name(),
        "summary": summary,
        "statements": statements,
    });
    (json, text)
}

fn one(document: &Document, statements: &[Statement], reason: &Reason<'_>) -> (Value, String) {
    let fields = fields_of(document.kind.payload_type(), reason.code);
    let of_field = |statement: &&Statement| fields.iter().any(|field| is_within(statement, field));
    let here: Vec<&Statement> = statements.iter().filter(of_field).collect();
    let mut text = format!("{}\n", reason.code);
    for Field {
        rule,
        title,
        description,
    } in &fields
    {
        text.push_str(format!("  rule {rule}: {title}. {description}").trim_end());
        text.push('\n');
    }
    if fields.is_empty() {
        text.push_str("  what every policy demands, or another document says\n");
    }
    for statement in &here {
        text.push_str(&line(document, statement));
    }
    text.push_str(&format!("  what satisfies it: {}\n", reason.remedy));
    let here: Vec<Value> = here.into_iter().map(json_of).collect();
    let rules = fields.iter().map(
        |field| json!({"rule": field.rule, "title": field.title, "description": field.description}),
    );
    let json = json!({
        "code": reason.code,
        "rules": rules.collect::<Vec<_>>(),
        "here": here,
        "remedy": reason.remedy,
    });
    (json, text)
}

fn is_within(statement: &Statement, field: &Field) -> bool {
    let inner = statement.rule.strip_prefix(&field.rule);
    inner.is_some_and(|inner| inner.is_empty() || inner.starts_with('.'))
}

fn line(document: &Document, statement: &Statement) -> String {
    let place = statement.at.map(|at| document.place_of(at));
    let place = place.unwrap_or_else(|| "absent".to_owned());
    format!("  {place}  {}  {}\n", statement.rule, statement.words)
}

fn json_of(statement: &Statement) -> Value {
    json!({
        "rule": statement.rule,
        "line": statement.at.map(|at| at.line),
        "words": statement.words,
    })
}

fn unknown(code: &str) -> Failure {
    Failure::usage(
        "policy.explain.code",
        format!("no reason has the code {code:?}"),
    )
    .advice("docs/policy.md lists the codes of all reasons")
}
