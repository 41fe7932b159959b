//! A document as a tree of values with their places, whatever its kind: what [`crate::diff`] and [`crate::explain`] walk.

use crate::{PolicyError, Position, document::mistakes::Mistakes, schema_json::About};
use attestation::UnixTime;
use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    Leaf(Leaf),
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// As people read it: text without its quotes.
    pub(crate) shown: String,
    /// Numbers by size, times by second; `None` for what has no order.
    pub(crate) rank: Option<i64>,
}

impl Node {
    /// The whole of `text`, whose kind has been checked before.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<PolicyError>> {
        let mut mistakes = Mistakes::of(text);
        match DeTable::parse(text) {
            Ok(table) => {
                let start = Position { line: 1, column: 1 };
                Ok(Self::table(start, table.get_ref(), &mistakes))
            }
            Err(error) => {
                let message = error.message().to_owned();
                let offset = error.span().map_or(0, |span| span.start);
                mistakes.note(offset, |at| PolicyError::Syntax { at, message });
                mistakes.or(None)
            }
        }
    }

    fn table(at: Position, table: &DeTable<'_>, places: &Mistakes<'_>) -> Self {
        let fields = table.iter().map(|(key, value)| {
            let name = key.get_ref().to_string();
            (name, Self::of(value, places))
        });
        let value = Value::Table(fields.collect());
        Self { at, value }
    }

    fn of(spanned: &Spanned<DeValue<'_>>, places: &Mistakes<'_>) -> Self {
        let at = places.position(spanned.span().start);
        let value = match spanned.get_ref() {
            DeValue::Table(table) => return Self::table(at, table, places),
            DeValue::Array(array) => {
                Value::List(array.iter().map(|entry| Self::of(entry, places)).collect())
            }
            leaf => Value::Leaf(Leaf::of(leaf)),
        };
        Self { at, value }
    }

    /// The field `name` of a table.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(fields) => fields.get(name),
            _ => None,
        }
    }

    /// The text of the leaf `name` of a table.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match &self.field(name)?.value {
            Value::Leaf(leaf) => Some(&leaf.shown),
            _ => None,
        }
    }
}

impl Leaf {
    /// A text, as schemas give defaults.
    pub(crate) fn text(shown: &str) -> Self {
        Self {
            shown: shown.to_owned(),
            rank: shown.parse().ok(),
        }
    }

    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self {
                shown: text.to_string(),
                rank: None,
            },
            DeValue::Integer(integer) => {
                let rank = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
                let shown = rank.map_or_else(|| integer.to_string(), |number| number.to_string());
                Self { shown, rank }
            }
            DeValue::Datetime(time) => {
                let shown = time.to_string();
                let second = UnixTime::from_rfc3339(&shown);
                let rank = second.and_then(|time| i64::try_from(time.0).ok());
                Self { shown, rank }
            }
            DeValue::Boolean(truth) => Self {
                shown: truth.to_string(),
                rank: None,
            },
            DeValue::Float(float) => Self {
                shown: float.to_string(),
                rank: None,
            },
            DeValue::Array(_) | DeValue::Table(_) => Self::text(""),
        }
    }
}

/// A value as people tell it from others.
pub(crate) fn label(node: &Node, about: About<'_>) -> String {
    words(node, about, About::label)
}

/// A leaf itself, a list's entries, the fields of a table that `names` gives, or else the names of all its fields.
pub(crate) fn words<'s>(
    node: &Node,
    about: About<'s>,
    names: fn(About<'s>) -> Vec<&'s str>,
) -> String {
    match &node.value {
        Value::Leaf(leaf) => leaf.shown.clone(),
        Value::List(list) => {
            let entries = list.iter().map(|node| words(node, about.entry(), names));
            entries.collect::<Vec<_>>().join(", ")
        }
        Value::Table(fields) => {
            let named = names(about).into_iter();
            let texts: Vec<&str> = named.filter_map(|name| node.text(name)).collect();
            if texts.is_empty() {
                fields
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            } else {
                texts.join(" ")
            }
        }
    }
}
