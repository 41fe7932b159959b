//! `narthex receipt show`: what a receipt says; for reading, not for believing.

use super::{
    super::{Context, Exit, Failure, output::displayable_line},
    disclosed::{exit_of, read_receipt},
};
use clap::Args;
use serde_json::{Value, json};
use session::receipt_json;
use std::path::PathBuf;

const NOT_VERIFIED: &str =
    "NOT VERIFIED: anyone can write such a file; narthex receipt verify tells whether it holds";

/// Print what a receipt says, unverified; `receipt verify` tells whether it holds
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex receipt show r.cose
  narthex receipt show r.cose --json | jq .model")]
pub(crate) struct Show {
    /// The receipt (COSE_Sign1)
    #[arg(value_name = "FILE")]
    receipt: PathBuf,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let signed = read_receipt(&self.receipt)?;
        let receipt = signed.read_unverified().map_err(|error| {
            Failure::new(exit_of(&error), error.code(), error.to_string())
                .advice("give a receipt as `narthex chat --receipt` saves it")
        })?;
        let mut document = receipt_json::document(&receipt, &signed);
        let mut text = format!("{NOT_VERIFIED}\n");
        add_lines("", &document, &mut text);
        if let Some(object) = document.as_object_mut() {
            object.insert("verified".to_owned(), json!(false));
        }
        context.output.either(&document, &text)?;
        Ok(Exit::Accepted)
    }
}

/// `outer.inner  value`, one a line; the signed bytes and what is absent are left to the JSON form.
fn add_lines(path: &str, value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let separator = if path.is_empty() { "" } else { "." };
                add_lines(&format!("{path}{separator}{name}"), value, text);
            }
        }
        Value::Null => {}
        _ if path == "cose" => {}
        Value::String(value) => add_line(path, value, text),
        value => add_line(path, &value.to_string(), text),
    }
}

fn add_line(path: &str, value: &str, text: &mut String) {
    text.push_str(&displayable_line(&format!("{path:<25}  {value}")));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_cannot_write_lines_of_its_own() {
        let document = json!({"model": {"name": "m\nPASS\u{1b}[2J"}, "cose": "AA", "tenant": null});
        let mut text = String::new();
        add_lines("", &document, &mut text);
        assert_eq!(text, "model.name                 m PASS [2J\n");
    }
}
