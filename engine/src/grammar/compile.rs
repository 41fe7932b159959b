//! A grammar's text to a parser.

use std::thread;

use llguidance::{Matcher, ParserFactory, api::TopLevelGrammar, toktrie::SimpleVob};
use serde_json::{Value, json};

use super::{GrammarError, limits};
use crate::job::Grammar;

/// The library recurses as deep as references lead; pages that it does not touch cost nothing.
const STACK_BYTES: usize = 64 << 20;

/// A parser that has seen nothing yet, and the tokens that may come first.
pub(super) fn matcher(
    factory: &ParserFactory,
    grammar: &Grammar,
) -> Result<(Matcher, SimpleVob), GrammarError> {
    let grammar = read(grammar)?;
    let compile = || {
        let mut matcher = Matcher::new(factory.create_parser(grammar));
        matcher.compute_mask().map(|first| (matcher, first))
    };
    let compiled = thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, compile).ok()?;
        thread.join().ok()?.ok()
    });
    compiled.ok_or(GrammarError::Refused)
}

fn read(grammar: &Grammar) -> Result<TopLevelGrammar, GrammarError> {
    Ok(match grammar {
        Grammar::JsonObject => of_schema(json!({ "type": "object" }))?,
        Grammar::JsonSchema(text) => of_schema(parse(text)?)?,
        Grammar::Lark(text) => {
            limits::check_text(text)?;
            limits::check_lark(text)?;
            TopLevelGrammar::from_lark(text.clone())
        }
    })
}

fn parse(schema: &str) -> Result<Value, GrammarError> {
    limits::check_text(schema)?;
    serde_json::from_str(schema).map_err(|_| GrammarError::Json)
}

/// JSON on one line. A schema cannot ask for other settings of the library.
fn of_schema(mut schema: Value) -> Result<TopLevelGrammar, GrammarError> {
    limits::check_schema(&schema)?;
    let fields = schema.as_object_mut().ok_or(GrammarError::Object)?;
    let settings = json!({
        "whitespace_flexible": false,
        "item_separator": ", ?",
        "key_separator": ": ?",
    });
    fields.insert("x-guidance".to_owned(), settings);
    Ok(TopLevelGrammar::from_json_schema(schema))
}
