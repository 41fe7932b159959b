//! Where each field of a document stands, so that a denial can name the line of its rule.

use super::{Position, reader::Section};
use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The fields by which rules name one entry of a list: `snp.minimum_tcb.microcode of genoa`.
const LABELS: [&str; 3] = ["name", "product", "id"];

/// Every field's full name with its place.
///
/// Entries of a list have two names: `snp.minimum_tcb[0].microcode` and, by their label, `snp.minimum_tcb.microcode of genoa`.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(BTreeMap<String, Position>);

impl Places {
    /// The places of all fields of `document`, which stands in `text`.
    pub(super) fn of(document: &Section<'_>, text: &str) -> Self {
        let mut walk = Walk(Vec::new());
        for (name, value) in document.fields() {
            walk.value(name.to_owned(), value);
        }
        Self(positions(text, walk.0))
    }

    /// The place of the field that `rule` names, or of the nearest table or list around it.
    pub(super) fn find(&self, rule: &str) -> Option<Position> {
        if let Some(at) = self.0.get(rule) {
            return Some(*at);
        }
        let (mut name, _) = rule.split_once(" of ").unwrap_or((rule, ""));
        loop {
            if let Some(at) = self.0.get(name) {
                return Some(*at);
            }
            name = name.get(..name.rfind(['.', '[', ' '])?)?;
        }
    }
}

/// Names with byte offsets.
struct Walk(Vec<(String, usize)>);

impl Walk {
    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            self.value(format!("{path}.{}", key.get_ref()), value);
        }
    }

    fn value(&mut self, path: String, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(&path, table),
            DeValue::Array(array) => {
                for (index, entry) in array.iter().enumerate() {
                    self.value(format!("{path}[{index}]"), entry);
                    self.labelled(&path, entry);
                }
            }
            _ => {}
        }
        self.0.push((path, value.span().start));
    }

    fn labelled(&mut self, list: &str, entry: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = entry.get_ref() else {
            return;
        };
        for label in LABELS {
            let Some(DeValue::String(label)) = table.get(label).map(Spanned::get_ref) else {
                continue;
            };
            self.0
                .push((format!("{list} of {label}"), entry.span().start));
            for (key, value) in table {
                let name = format!("{list}.{} of {label}", key.get_ref());
                self.0.push((name, value.span().start));
            }
        }
    }
}

/// One sweep over `text`; of two entries with one name the first counts.
fn positions(text: &str, mut offsets: Vec<(String, usize)>) -> BTreeMap<String, Position> {
    offsets.sort_by_key(|(_, offset)| *offset);
    let mut places = BTreeMap::new();
    let (mut at, mut swept) = (Position { line: 1, column: 1 }, 0);
    for (name, offset) in offsets {
        for character in text.get(swept..offset).unwrap_or("").chars() {
            at = after(at, character);
        }
        swept = offset;
        places.entry(name).or_insert(at);
    }
    places
}

const fn after(at: Position, character: char) -> Position {
    match character {
        '\n' => Position {
            line: at.line + 1,
            column: 1,
        },
        _ => Position {
            line: at.line,
            column: at.column + 1,
        },
    }
}
