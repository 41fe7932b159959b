//! Grammars over a vocabulary of bytes: what is taken, what is refused and how much work it is.

use super::*;
use crate::tokenizer::{Tokenizer, TokenizerSource};

/// The token that ends an answer; those before it are the printable ASCII characters.
const END: u32 = 95;

fn grammars() -> Grammars {
    let letters: Vec<String> = (b' '..=b'~').map(in_alphabet).collect();
    let tokens: Vec<&str> = letters
        .iter()
        .map(String::as_str)
        .chain(["<end>"])
        .collect();
    let source = TokenizerSource {
        model: "gpt2",
        pre_tokenizer: "smollm",
        kinds: [vec![1; tokens.len() - 1], vec![3]].concat(),
        tokens,
        eos: Some(END),
        ..TokenizerSource::default()
    };
    Grammars::new(Arc::new(Tokenizer::new(&source).unwrap()))
}

/// How byte-level vocabularies write this character.
fn in_alphabet(byte: u8) -> String {
    match byte {
        b' ' => "\u{120}".to_owned(),
        other => char::from(other).to_string(),
    }
}

fn schema(text: impl Into<String>) -> Grammar {
    Grammar::JsonSchema(text.into())
}

fn refusal(grammar: &Grammar) -> Option<GrammarError> {
    grammars().constraint(grammar).err()
}

fn is_allowed(allowed: Allowed<'_>, id: u32) -> bool {
    let word = allowed.0.get(id as usize / 32).copied().unwrap_or(0);
    word >> (id % 32) & 1 == 1
}

/// How many characters of `text` the grammar goes along with, whether the answer may then end, and whether it must.
fn follow(grammar: &Grammar, text: &str) -> (usize, bool, bool) {
    let mut constraint = grammars().constraint(grammar).unwrap();
    for (followed, byte) in text.bytes().enumerate() {
        let id = u32::from(byte - b' ');
        let allowed = constraint.allowed().unwrap();
        if !is_allowed(allowed, id) {
            return (followed, is_allowed(allowed, END), false);
        }
        if constraint.advance(id).unwrap() == Progress::Complete {
            return (followed + 1, true, true);
        }
    }
    let may_end = is_allowed(constraint.allowed().unwrap(), END);
    (text.len(), may_end, false)
}

fn accepts(grammar: &Grammar, text: &str) -> bool {
    let (followed, may_end, _) = follow(grammar, text);
    followed == text.len() && may_end
}

#[test]
fn an_object_is_followed_to_its_end() {
    let whole = r#"{"a": [1, {"b":null}], "c": "x"}"#;
    assert_eq!(
        follow(&Grammar::JsonObject, whole),
        (whole.len(), true, true)
    );
    assert_eq!(follow(&Grammar::JsonObject, "[1]"), (0, false, false));
    assert_eq!(follow(&Grammar::JsonObject, r#"{"a" "#), (4, false, false));
    let spaces = r#"{"a":  1"#;
    assert_eq!(
        follow(&Grammar::JsonObject, spaces).0,
        6,
        "one space at most"
    );
}

#[test]
fn schemas_bound_what_may_come() {
    let age = schema(
        r#"{"type":"object","properties":{"age":{"type":"integer","minimum":18,"maximum":120}},"required":["age"],"additionalProperties":false}"#,
    );
    assert!(accepts(&age, r#"{"age": 18}"#));
    for wrong in [
        r#"{"age": 17}"#,
        r#"{"age": 121}"#,
        r#"{"age": 1.5}"#,
        "{}",
        r#"{"age": 20, "b": 1}"#,
    ] {
        assert!(!accepts(&age, wrong), "{wrong}");
    }
    let colour = schema(r#"{"enum":["red","green",3]}"#);
    assert!(accepts(&colour, r#""green""#) && accepts(&colour, "3"));
    assert!(!accepts(&colour, r#""blue""#));
}

#[test]
fn properties_come_in_the_order_of_the_schema() {
    let ordered = schema(
        r#"{"type":"object","properties":{"z":{"type":"boolean"},"a":{"type":"boolean"}},"required":["z","a"]}"#,
    );
    assert!(accepts(&ordered, r#"{"z":true,"a":false}"#));
    assert!(!accepts(&ordered, r#"{"a":false,"z":true}"#));
}

#[test]
fn lark_grammars_are_followed() {
    let lark = Grammar::Lark("start: \"yes\" | \"no\" /[0-9]{2}/\n".to_owned());
    assert_eq!(follow(&lark, "yes"), (3, true, true));
    assert_eq!(follow(&lark, "no42"), (4, true, true));
    assert_eq!(follow(&lark, "nope"), (2, false, false));
}

#[test]
fn a_word_that_may_go_on_may_also_end() {
    let lark = Grammar::Lark("start: /a+/\n".to_owned());
    assert_eq!(follow(&lark, "aa"), (2, true, false));
    assert_eq!(follow(&lark, ""), (0, false, false));
}

#[test]
fn texts_beyond_the_limits_are_refused() {
    let long = format!(r#"{{"description":"{}"}}"#, "x".repeat(limits::MAX_BYTES));
    assert_eq!(refusal(&schema(long)), Some(GrammarError::Size));
    let long = format!("start: \"{}\"", "x".repeat(limits::MAX_BYTES));
    assert_eq!(refusal(&Grammar::Lark(long)), Some(GrammarError::Size));
    let deep = format!("start: {}\"a\"{}", "(".repeat(201), ")".repeat(201));
    assert_eq!(refusal(&Grammar::Lark(deep)), Some(GrammarError::Nesting));
    let both = Grammar::Lark(format!("start: T\nT: {}\n", ["/.*a/"; 9].join(" & ")));
    assert_eq!(refusal(&both), Some(GrammarError::Conjuncts));
    let embedded = Grammar::Lark("start: %json {\"minItems\": 5000}\n".to_owned());
    assert_eq!(refusal(&embedded), Some(GrammarError::Repeated));
    let nested = format!("{}1{}", "[".repeat(129), "]".repeat(129));
    for text in ["", "{", "{} {}", "nope", &nested] {
        assert_eq!(refusal(&schema(text)), Some(GrammarError::Json), "{text}");
    }
    for text in ["true", "[]", "\"x\"", "null"] {
        assert_eq!(refusal(&schema(text)), Some(GrammarError::Object));
    }
}

#[test]
fn schemas_beyond_the_limits_are_refused() {
    let values = format!(r#"{{"enum":[{}1]}}"#, "1,".repeat(limits::MAX_VALUES));
    assert_eq!(refusal(&schema(values)), Some(GrammarError::Values));
    let patterns: Vec<String> = (0..17).map(|i| format!(r#""^a{i}$":{{}}"#)).collect();
    let patterns = format!(r#"{{"patternProperties":{{{}}}}}"#, patterns.join(","));
    assert_eq!(refusal(&schema(patterns)), Some(GrammarError::Patterns));
    let pattern = r#"{"type":"string","pattern":"(.*a.*){3}"}"#;
    let both = format!(r#"{{"allOf":[{}]}}"#, [pattern; 9].join(","));
    assert_eq!(refusal(&schema(both)), Some(GrammarError::Conjuncts));
    let either = format!(r#"{{"anyOf":[{}]}}"#, [pattern; 9].join(","));
    assert_eq!(refusal(&schema(either)), None);
    for key in limits::REPEATING {
        let text = format!(r#"{{"anyOf":[{{"{key}":1e9}}]}}"#);
        assert_eq!(
            refusal(&schema(text)),
            Some(GrammarError::Repeated),
            "{key}"
        );
    }
}

/// Three choices among so many strings, all of which have to hold: the compiler multiplies them out.
fn crossed(keyword: &str, alternatives: usize) -> String {
    let one = |i: usize| format!(r#"{{"type":"string","minLength":{i}}}"#);
    let all: Vec<String> = (0..alternatives).map(one).collect();
    let either = format!(r#"{{"{keyword}":[{}]}}"#, all.join(","));
    format!(r#"{{"allOf":[{}]}}"#, [&*either; 3].join(","))
}

/// So many definitions, each of two properties that are the next one twice over.
fn doubling(definitions: usize) -> String {
    let definition = |i: usize| {
        let next = format!(r##"{{"$ref":"#/$defs/d{}"}}"##, i + 1);
        let object = format!(r#"{{"type":"object","properties":{{"x":{next},"y":{next}}}}}"#);
        format!(r#""d{i}":{{"allOf":[{object},{object}]}}"#)
    };
    let all: Vec<String> = (0..definitions).map(definition).collect();
    let last = format!(r#""d{definitions}":{{"type":"null"}}"#);
    let all = all.join(",");
    format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{all},{last}}}}}"##)
}

/// So many objects with the same so many properties, all of which have to hold.
fn merged(objects: usize, properties: usize) -> String {
    let property = |i: usize| format!(r#""p{i}":{{"type":"string"}}"#);
    let all: Vec<String> = (0..properties).map(property).collect();
    let object = format!(r#"{{"type":"object","properties":{{{}}}}}"#, all.join(","));
    format!(r#"{{"allOf":[{}]}}"#, vec![&*object; objects].join(","))
}

/// All of these are within the limits of [`limits::check_schema`]: the compiler counts each schema that it makes of two, and gives up.
#[test]
fn hostile_schemas_are_counted_out() {
    for hostile in [crossed("anyOf", 100), crossed("oneOf", 100), doubling(40)] {
        let value = serde_json::from_str(&hostile).unwrap();
        assert_eq!(limits::check_schema(&value), Ok(()));
        let refused = grammars().constraint(&schema(&*hostile)).err();
        assert_eq!(refused, Some(GrammarError::Refused));
        let error = crate::EngineError::from(GrammarError::Refused);
        assert_eq!(error.code(), "engine.bad_grammar");
    }
    for sound in [crossed("anyOf", 9), doubling(4), merged(12, 30)] {
        assert_eq!(refusal(&schema(&*sound)), None);
    }
    assert_eq!(
        refusal(&schema(merged(20, 30))),
        Some(GrammarError::Values),
        "more than may be intersected"
    );
}

#[test]
fn what_does_not_compile_is_refused() {
    for text in [
        r#"{"type":"nothing"}"#,
        r#"{"type":"string","pattern":"("}"#,
        r##"{"$ref":"#/nowhere"}"##,
        r#"{"$ref":"https://example.com/schema.json"}"#,
        r#"{"type":"integer","minimum":2,"maximum":1}"#,
        r#"{"not":{"type":"string"}}"#,
        r##"{"$ref":"#"}"##,
        r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##,
    ] {
        assert_eq!(
            refusal(&schema(text)),
            Some(GrammarError::Refused),
            "{text}"
        );
    }
    for text in [
        "",
        "start: nowhere",
        "start: \"a",
        "%import nothing\nstart: \"a\"",
    ] {
        let lark = Grammar::Lark(text.to_owned());
        assert_eq!(refusal(&lark), Some(GrammarError::Refused), "{text}");
    }
}

#[test]
fn reasons_are_told_and_quote_nothing() {
    let error = crate::EngineError::from(refusal(&schema(r#"{"type":"canary"}"#)).unwrap());
    assert_eq!(error.code(), "engine.bad_grammar");
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn a_schema_cannot_change_how_it_is_read() {
    let lenient = schema(
        r#"{"type":"object","x-guidance":{"lenient":true,"whitespace_flexible":true},"properties":{"a":{"type":"integer"}}}"#,
    );
    assert_eq!(follow(&lenient, r#"{"a":  1}"#).0, 5 + 1);
}

#[test]
fn a_vocabulary_without_an_end_is_followed_too() {
    let source = TokenizerSource {
        model: "gpt2",
        pre_tokenizer: "smollm",
        tokens: vec!["a", "b"],
        kinds: vec![1, 1],
        ..TokenizerSource::default()
    };
    let grammars = Grammars::new(Arc::new(Tokenizer::new(&source).unwrap()));
    let lark = Grammar::Lark("start: \"ab\"\n".to_owned());
    let mut constraint = grammars.constraint(&lark).unwrap();
    assert_eq!(constraint.allowed().unwrap().0[0], 0b01);
    assert_eq!(constraint.advance(0), Ok(Progress::Open));
    assert_eq!(constraint.allowed().unwrap().0[0], 0b10);
    assert_eq!(constraint.advance(1), Ok(Progress::Complete));
}
