//! How large grammars may be and how much work they may be. All limits are counts: none depends on the machine's speed.

use llguidance::api::ParserLimits;
use serde_json::{Map, Value};

use super::GrammarError;

/// Most bytes of a schema or a Lark grammar.
pub(super) const MAX_BYTES: usize = 64 << 10;
/// Most brackets that are open at the same time, those in strings and regular expressions included.
pub(super) const MAX_NESTING: usize = 200;
/// Most values of a schema, keywords and all.
pub(super) const MAX_VALUES: usize = 8192;
/// The same where a value may have to satisfy several schemas: the compiler copies one for each pair.
pub(super) const MAX_INTERSECTED_VALUES: usize = 1024;
/// Most entries of all `patternProperties`: each is held against each.
pub(super) const MAX_PATTERNS: usize = 16;
/// Most regular expressions of which one string may have to match several: of `pattern` where a schema intersects others, of Lark where there is `&`.
pub(super) const MAX_CONJUNCTS: usize = 8;
/// Greatest value of [`REPEATING`].
pub(super) const MAX_REPEATED: f64 = 4096.0;

/// Keywords of which an automaton counts the value.
pub(super) const REPEATING: [&str; 7] = [
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "multipleOf",
];

/// Of the library's automata and tables. They bound the work and are no bound of time: one hostile schema's mask took 21 ms on a busy machine.
pub(super) fn of_parser() -> ParserLimits {
    ParserLimits {
        max_items_in_row: 1000,
        initial_lexer_fuel: 200_000,
        step_lexer_fuel: 50_000,
        step_max_items: 50_000,
        max_lexer_states: 10_000,
        max_grammar_size: 100_000,
        precompute_large_lexemes: false,
        verbose_errors: false,
    }
}

/// Before anything reads the text.
pub(super) fn check_text(text: &str) -> Result<(), GrammarError> {
    if text.len() > MAX_BYTES {
        return Err(GrammarError::Size);
    }
    match nesting(text) > MAX_NESTING {
        true => Err(GrammarError::Nesting),
        false => Ok(()),
    }
}

/// Before a Lark grammar is compiled; the schemas in it are checked as others are.
pub(super) fn check_lark(text: &str) -> Result<(), GrammarError> {
    if text.matches('&').count() >= MAX_CONJUNCTS {
        return Err(GrammarError::Conjuncts);
    }
    let mut size = Size::default();
    for (at, mark) in text.match_indices("%json") {
        let rest = text
            .get(at.saturating_add(mark.len())..)
            .unwrap_or_default();
        let first = serde_json::Deserializer::from_str(rest).into_iter().next();
        size.add(&first.and_then(Result::ok).ok_or(GrammarError::Json)?);
    }
    size.check()
}

/// Most brackets open at the same time. What is escaped does not count; what is open in a string does.
fn nesting(text: &str) -> usize {
    let (mut open, mut most, mut escaped) = (0usize, 0, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' | b'[' | b'{' => open = open.saturating_add(1),
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = open.max(most);
    }
    most
}

/// Before a schema is compiled.
pub(super) fn check_schema(schema: &Value) -> Result<(), GrammarError> {
    let mut size = Size::default();
    size.add(schema);
    size.check()
}

#[derive(Default)]
struct Size {
    values: usize,
    /// Entries of `patternProperties`.
    patterns: usize,
    /// `pattern`.
    expressions: usize,
    /// Places where a value has to satisfy several schemas.
    intersections: usize,
    repeated: f64,
}

impl Size {
    /// Recursive: the JSON parser has bounded the depth.
    fn add(&mut self, value: &Value) {
        self.values = self.values.saturating_add(1);
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => {
                let intersects = intersects(fields);
                self.intersections = self.intersections.saturating_add(usize::from(intersects));
                for (key, field) in fields {
                    self.add_keyword(key, field);
                    self.add(field);
                }
            }
            _ => {}
        }
    }

    fn add_keyword(&mut self, key: &str, field: &Value) {
        match (key, field) {
            ("patternProperties", Value::Object(patterns)) => {
                self.patterns = self.patterns.saturating_add(patterns.len());
            }
            ("pattern", _) => self.expressions = self.expressions.saturating_add(1),
            (key, Value::Number(number)) if REPEATING.contains(&key) => {
                self.repeated = self.repeated.max(number.as_f64().unwrap_or(f64::INFINITY));
            }
            _ => {}
        }
    }

    fn check(&self) -> Result<(), GrammarError> {
        let most = match self.intersections {
            0 => MAX_VALUES,
            _ => MAX_INTERSECTED_VALUES,
        };
        if self.values > most {
            return Err(GrammarError::Values);
        }
        if self.patterns > MAX_PATTERNS {
            return Err(GrammarError::Patterns);
        }
        if self.intersections > 0 && self.expressions > MAX_CONJUNCTS {
            return Err(GrammarError::Conjuncts);
        }
        match self.repeated > MAX_REPEATED {
            true => Err(GrammarError::Repeated),
            false => Ok(()),
        }
    }
}

/// Whether an object of a schema may ask a value to satisfy more than one schema.
fn intersects(fields: &Map<String, Value>) -> bool {
    let several = ["$ref", "anyOf", "oneOf"];
    let applied = several
        .iter()
        .filter(|key| fields.contains_key(**key))
        .count();
    let beside = |key: &&String| !several.contains(&key.as_str()) && !is_annotation(key);
    fields.contains_key("allOf")
        || applied > 1
        || (applied == 1 && fields.keys().any(|key| beside(&key)))
}

fn is_annotation(key: &str) -> bool {
    let annotations = [
        "$defs",
        "$id",
        "$schema",
        "definitions",
        "default",
        "description",
        "examples",
        "title",
    ];
    annotations.contains(&key)
}
