//! The schemas are what the parsers read: every field, no other, on documents that both accept.

use super::{Schema, text};
use crate::{
    Inventory, Order, PayloadType, Policy, PolicyError, RootDocument, Timestamp,
    document::reader::asked, reason_codes,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const EVERY_FIELD: &str = include_str!("../../../docs/policies/schema/every-field.toml");

const ROOT: &str = r#"
schema = 1
version = 2
name = "team"
not_before = 2026-11-01T00:00:00Z
expires = 2027-11-01T00:00:00Z
anchor = "0101010101010101010101010101010101010101010101010101010101010101"
keys = [
    { name = "a", key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
    { name = "b", key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c" },
]
[roles]
root = { keys = ["a", "b"], threshold = 2 }
policy = { keys = ["a", "b"], threshold = 2 }
inventory = { keys = ["a"], threshold = 1 }
stop = { keys = ["a", "b"], threshold = 1 }
start = { keys = ["a", "b"], threshold = 2 }
timestamp = { keys = ["a"], threshold = 1 }
"#;

const INVENTORY: &str = r#"
schema = 1
version = 1
name = "racks"
not_before = 2026-11-01T00:00:00Z
expires = 2027-11-01T00:00:00Z
[[hardware]]
id = "nvidia:0102030405060708"
owner = "clinic"
site = "fra-1"
country = "DE"
valid_from = 2026-11-01T00:00:00Z
valid_until = 2027-10-01T00:00:00Z
custody = "protocol 1"
"#;

const ORDER: &str = r#"
schema = 1
serial = 2
previous = "0101010101010101010101010101010101010101010101010101010101010101"
issued = 2026-11-01T00:00:00Z
action = "stop"
reason = "drill"
targets = ["everything", "node:a"]
"#;

const TIMESTAMP: &str = r#"
schema = 1
version = 1
issued = 2026-11-01T00:00:00Z
expires = 2026-11-02T00:00:00Z
[root]
version = 1
digest = "0101010101010101010101010101010101010101010101010101010101010101"
[policy]
version = 1
digest = "0101010101010101010101010101010101010101010101010101010101010101"
[inventory]
version = 1
digest = "0101010101010101010101010101010101010101010101010101010101010101"
[orders]
serial = 1
digest = "0101010101010101010101010101010101010101010101010101010101010101"
"#;

const COMPLETE: [(PayloadType, &str); 5] = [
    (PayloadType::Policy, EVERY_FIELD),
    (PayloadType::Root, ROOT),
    (PayloadType::Inventory, INVENTORY),
    (PayloadType::Order, ORDER),
    (PayloadType::Timestamp, TIMESTAMP),
];

fn parse(kind: PayloadType, toml: &str) -> Result<(), Vec<PolicyError>> {
    let toml = toml.as_bytes();
    match kind {
        PayloadType::Policy => Policy::from_toml(toml).map(drop),
        PayloadType::Root => RootDocument::from_toml(toml).map(drop),
        PayloadType::Inventory => Inventory::from_toml(toml).map(drop),
        PayloadType::Order => Order::from_toml(toml).map(drop),
        PayloadType::Timestamp => Timestamp::from_toml(toml).map(drop),
        PayloadType::SealedModel => panic!("not TOML"),
    }
}

/// The fields that the schema has, entries of lists as `[]`.
fn fields_of_schema(kind: PayloadType) -> BTreeSet<String> {
    fn walk(path: &str, about: super::About<'_>, found: &mut BTreeSet<String>) {
        for name in about.fields() {
            let path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            };
            walk(&path, about.field(name), found);
            found.insert(path);
        }
        if about.entry().is_known() {
            walk(&format!("{path}[]"), about.entry(), found);
        }
    }
    let mut found = BTreeSet::new();
    walk("", Schema::of(kind).document(), &mut found);
    found
}

/// The fields that the parser asks for while it reads `toml`.
fn fields_of_parser(kind: PayloadType, toml: &str) -> BTreeSet<String> {
    asked::start();
    parse(kind, toml).unwrap_or_else(|errors| panic!("{kind:?}: {errors:?}"));
    asked::so_far()
        .iter()
        .map(|field| without_indices(field))
        .collect()
}

fn without_indices(field: &str) -> String {
    let digits = |c: char| c.is_ascii_digit();
    let parts = field.split('[').map(|part| match part.split_once(']') {
        Some((index, rest)) if index.chars().all(digits) => format!("]{rest}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("[")
}

#[test]
fn every_field_of_a_parser_is_in_its_schema_and_no_other() {
    for (kind, toml) in COMPLETE {
        let (schema, parser) = (fields_of_schema(kind), fields_of_parser(kind, toml));
        let missing: Vec<_> = parser.difference(&schema).collect();
        assert!(missing.is_empty(), "{kind:?} without {missing:?}");
        let invented: Vec<_> = schema.difference(&parser).collect();
        assert!(invented.is_empty(), "{kind:?} invents {invented:?}");
    }
}

#[test]
fn every_field_is_told_in_words() {
    fn walk(path: &str, about: super::About<'_>) {
        for name in about.fields() {
            let path = format!("{path}.{name}");
            assert!(!about.field(name).title().is_empty(), "{path}");
            walk(&path, about.field(name));
        }
        if about.entry().is_known() {
            walk(path, about.entry());
        }
    }
    for (kind, _) in COMPLETE {
        walk("", Schema::of(kind).document());
    }
}

/// Whether a validator of JSON Schema accepts the document.
fn validates(kind: PayloadType, toml: &str) -> bool {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let location = "https://example.com/schema.json";
    compiler
        .add_resource(location, serde_json::from_str(text(kind)).unwrap())
        .unwrap();
    let schema = compiler.compile(location, &mut schemas).unwrap();
    let document: toml::Table = toml.parse().unwrap();
    schemas
        .validate(&json(&toml::Value::Table(document)), schema)
        .is_ok()
}

/// As editors see TOML: date-times are strings.
fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(truth) => Value::from(*truth),
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Array(list) => list.iter().map(json).collect(),
        toml::Value::Table(table) => {
            let fields = table
                .iter()
                .map(|(name, value)| (name.clone(), json(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

#[test]
fn what_the_parsers_accept_validates() {
    for (kind, toml) in COMPLETE {
        assert!(validates(kind, toml), "{kind:?}");
    }
}

/// Each edit makes the document wrong in one point.
const EDITS: [(PayloadType, &str, &str); 18] = [
    (PayloadType::Policy, "schema = 1", "schema = 2"),
    (PayloadType::Policy, "version = 1", "version = 0"),
    (PayloadType::Policy, "name = \"every field\"\n", ""),
    (PayloadType::Policy, "vmpl = [0]", "vmpl = []"),
    (PayloadType::Policy, "vmpl = [0]", "vmpl = [4]"),
    (PayloadType::Policy, "vmpl = [0]", "vmpl = [0, 0]"),
    (PayloadType::Policy, "smt = \"allow\"", "smt = \"maybe\""),
    (
        PayloadType::Policy,
        "smt = \"allow\"",
        "smt = \"allow\"\nsmtt = \"allow\"",
    ),
    (
        PayloadType::Policy,
        "max_age_seconds = 3600",
        "max_age_seconds = \"3600\"",
    ),
    (PayloadType::Policy, "key = \"d75a", "key = \"xyza"),
    (
        PayloadType::Policy,
        "modes = [\"ppcie\"]",
        "modes = [\"off\"]",
    ),
    (
        PayloadType::Policy,
        "arithmetic = [\"exact\"]",
        "arithmetic = [\"quick\"]",
    ),
    (
        PayloadType::Policy,
        "arithmetic = [\"exact\"]",
        "arithmetics = [\"exact\"]",
    ),
    (
        PayloadType::Root,
        "threshold = 2 }\npolicy",
        "threshold = 0 }\npolicy",
    ),
    (
        PayloadType::Inventory,
        "country = \"DE\"",
        "country = \"de\"",
    ),
    (PayloadType::Inventory, "nvidia:01", "amd:01"),
    (
        PayloadType::Order,
        "action = \"stop\"",
        "action = \"pause\"",
    ),
    (PayloadType::Timestamp, "serial = 1", "version = 1"),
];

#[test]
fn what_is_wrong_is_wrong_for_both() {
    for (kind, from, to) in EDITS {
        let (_, toml) = COMPLETE.iter().find(|(known, _)| *known == kind).unwrap();
        assert!(toml.contains(from), "{from}");
        let wrong = toml.replacen(from, to, 1);
        assert!(parse(kind, &wrong).is_err(), "the parser accepts {to}");
        assert!(!validates(kind, &wrong), "the schema accepts {to}");
    }
}

/// What every policy demands, whatever its fields say.
const OF_NO_FIELD: [&str; 9] = [
    "policy.anchors",
    "policy.collateral",
    "policy.engine.devices",
    "policy.engine.self_test",
    "policy.engine.stated_driver",
    "policy.engine.stated_mode",
    "policy.snp.debug",
    "policy.snp.guest_policy.reserved",
    "policy.tdx.debug",
];

#[test]
fn every_reason_names_the_field_that_gives_it() {
    let mut named = BTreeSet::new();
    fn walk<'s>(about: super::About<'s>, named: &mut BTreeSet<&'s str>) {
        named.extend(about.codes());
        for name in about.fields() {
            walk(about.field(name), named);
        }
        if about.entry().is_known() {
            walk(about.entry(), named);
        }
    }
    let schemas: Vec<Schema> = COMPLETE.iter().map(|(kind, _)| Schema::of(*kind)).collect();
    for schema in &schemas {
        walk(schema.document(), &mut named);
    }
    let codes: BTreeSet<&str> = reason_codes().collect();
    let silent: Vec<_> = codes
        .iter()
        .filter(|code| !named.contains(*code) && !OF_NO_FIELD.contains(code))
        .collect();
    assert!(silent.is_empty(), "no field gives {silent:?}");
    let memory = ["policy.rollback", "policy.equivocation"];
    let unknown: Vec<_> = named
        .iter()
        .filter(|code| !codes.contains(*code) && !memory.contains(code))
        .collect();
    assert!(unknown.is_empty(), "no reason has {unknown:?}");
}
