//! Changing an inventory's text: what is not meant stays as it stands, comments too.

use super::super::super::{Exit, Failure};
use policy::HardwareId;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

/// One entry as it will stand in the document.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) site: String,
    pub(super) country: String,
    pub(super) valid_from: String,
    pub(super) valid_until: Option<String>,
    pub(super) custody: Option<String>,
}

/// The text with `entries` behind those that are there.
pub(super) fn add(text: &str, entries: &[Entry]) -> Result<String, Failure> {
    let mut document = parse(text)?;
    let list = document
        .entry("hardware")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let list = list.as_array_of_tables_mut().ok_or_else(not_tables)?;
    for entry in entries {
        list.push(entry.table()?);
    }
    Ok(document.to_string())
}

/// The text without the entries of `ids`, each of which must be there.
pub(super) fn remove(text: &str, ids: &[HardwareId]) -> Result<String, Failure> {
    let mut document = parse(text)?;
    let list = document
        .get_mut("hardware")
        .and_then(Item::as_array_of_tables_mut);
    let list = list.ok_or_else(not_tables)?;
    for id in ids {
        let is_other = |table: &Table| id_of(table) != Some(*id);
        let before = list.len();
        list.retain(is_other);
        if list.len() == before {
            let message = format!("{id} is not in the inventory");
            return Err(
                Failure::new(Exit::Usage, "policy.inventory.unlisted", message)
                    .advice("`narthex policy inventory list` shows what is"),
            );
        }
    }
    Ok(document.to_string())
}

fn id_of(table: &Table) -> Option<HardwareId> {
    HardwareId::parse(table.get("id")?.as_str()?)
}

impl Entry {
    fn table(&self) -> Result<Table, Failure> {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        let texts = [
            ("id", &self.id),
            ("owner", &self.owner),
            ("site", &self.site),
            ("country", &self.country),
        ];
        for (name, text) in texts {
            table.insert(name, value(text));
        }
        table.insert("valid_from", time("valid_from", &self.valid_from)?);
        if let Some(until) = &self.valid_until {
            table.insert("valid_until", time("valid_until", until)?);
        }
        if let Some(custody) = &self.custody {
            table.insert("custody", value(custody));
        }
        Ok(table)
    }
}

fn time(name: &str, text: &str) -> Result<Item, Failure> {
    let time: toml_edit::Datetime = text.parse().map_err(|_| {
        let message = format!("{name} of an entry is {text:?}");
        Failure::new(Exit::Malformed, "policy.inventory.time", message)
            .advice("give times as in RFC 3339, e.g. 2026-11-01T00:00:00Z")
    })?;
    Ok(Item::Value(Value::from(time)))
}

fn parse(text: &str) -> Result<DocumentMut, Failure> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        Failure::new(Exit::Malformed, "policy.document.syntax", error.message())
            .advice("`narthex policy lint` tells every mistake with its place")
    })
}

fn not_tables() -> Failure {
    let message = "`hardware` is not a list of [[hardware]] tables";
    Failure::new(Exit::Malformed, "policy.document.type", message)
        .advice("write each piece of hardware as a table [[hardware]] of its own")
}
