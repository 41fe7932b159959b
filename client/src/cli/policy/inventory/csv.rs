//! Tables of hardware (RFC 4180): the first line names the columns.

use super::{
    super::super::{Exit, Failure},
    edit::Entry,
};
use std::collections::BTreeMap;

const REQUIRED: [&str; 5] = ["id", "owner", "site", "country", "valid_from"];
const OPTIONAL: [&str; 2] = ["valid_until", "custody"];

/// The entries of the table; an unknown or missing column, a short or long line and an empty table are errors.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, Failure> {
    let text = str::from_utf8(bytes).map_err(|_| wrong(1, "not UTF-8 text"))?;
    let mut records = records(text)?.into_iter();
    let (_, columns) = records
        .next()
        .ok_or_else(|| wrong(1, "no line with the columns' names"))?;
    check_columns(&columns)?;
    let entries: Vec<Entry> = records
        .map(|(line, fields)| entry(line, &columns, fields))
        .collect::<Result<_, _>>()?;
    if entries.is_empty() {
        return Err(wrong(1, "no line below the columns' names"));
    }
    Ok(entries)
}

fn check_columns(columns: &[String]) -> Result<(), Failure> {
    let has = |name: &str| columns.iter().filter(|column| *column == name).count();
    if let Some(missing) = REQUIRED.iter().find(|name| has(name) == 0) {
        return Err(wrong(1, &format!("no column {missing}")));
    }
    let is_known = |column: &&String| {
        REQUIRED.contains(&column.as_str()) || OPTIONAL.contains(&column.as_str())
    };
    if let Some(unknown) = columns.iter().find(|column| !is_known(column)) {
        return Err(wrong(1, &format!("an unknown column {unknown:?}")));
    }
    if let Some(doubled) = columns.iter().find(|column| has(column) > 1) {
        return Err(wrong(1, &format!("the column {doubled} twice")));
    }
    Ok(())
}

fn entry(line: usize, columns: &[String], fields: Vec<String>) -> Result<Entry, Failure> {
    if fields.len() != columns.len() {
        let message = format!("{} fields, not {}", fields.len(), columns.len());
        return Err(wrong(line, &message));
    }
    let mut fields: BTreeMap<&str, String> =
        columns.iter().map(String::as_str).zip(fields).collect();
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let optional = |text: String| (!text.is_empty()).then_some(text);
    Ok(Entry {
        id: take("id"),
        owner: take("owner"),
        site: take("site"),
        country: take("country"),
        valid_from: take("valid_from"),
        valid_until: optional(take("valid_until")),
        custody: optional(take("custody")),
    })
}

/// Every record with the number of its first line; empty lines are none.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, Failure> {
    let mut records = Vec::new();
    let (mut line, mut rest) = (1, text);
    while !rest.is_empty() {
        let first = line;
        let mut fields = Vec::new();
        loop {
            let (field, after) =
                field(rest).ok_or_else(|| wrong(first, "a quote that does not end"))?;
            line += rest
                .len()
                .checked_sub(after.len())
                .and_then(|n| rest.get(..n))
                .unwrap_or("")
                .matches('\n')
                .count();
            fields.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    let (next, is_end) = line_end(after);
                    if !is_end {
                        return Err(wrong(first, "text behind a closing quote"));
                    }
                    line += 1;
                    rest = next;
                    break;
                }
            }
        }
        if fields != [String::new()] {
            records.push((first, fields));
        }
    }
    Ok(records)
}

/// One field and what follows it; `None` if its quote does not end.
fn field(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\r', '\n']).unwrap_or(text.len());
        let (field, rest) = text.split_at(end);
        return Some((field.trim().to_owned(), rest));
    };
    let mut field = String::new();
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

fn line_end(text: &str) -> (&str, bool) {
    let stripped = text
        .strip_prefix("\r\n")
        .or_else(|| text.strip_prefix('\n'));
    (
        stripped.unwrap_or(text),
        stripped.is_some() || text.is_empty(),
    )
}

fn wrong(line: usize, what: &str) -> Failure {
    Failure::new(
        Exit::Malformed,
        "policy.inventory.csv",
        format!("line {line}: {what}"),
    )
    .advice("columns: id, owner, site, country, valid_from and, if wanted, valid_until and custody")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id,owner,site,country,valid_from,custody\n";

    #[test]
    fn quotes_hold_commas_line_ends_and_quotes() {
        let text = format!(
            "{HEAD}nvidia:01,\"bank, b\",\"a \"\"b\"\"\nc\",DE,2026-01-01T00:00:00Z,\r\n\nx,o,s,FR,t,p"
        );
        let entries = entries(text.as_bytes()).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].owner, "bank, b");
        assert_eq!(entries[0].site, "a \"b\"\nc");
        assert_eq!(entries[0].custody, None);
        assert_eq!(entries[1].custody.as_deref(), Some("p"));
    }

    #[test]
    fn what_is_no_such_table_is_refused_with_its_line() {
        for (text, told) in [
            ("", "line 1: no line with"),
            (HEAD, "line 1: no line below"),
            ("id,owner,site,country\n", "line 1: no column valid_from"),
            (
                "id,owner,site,country,valid_from,colour\n",
                "line 1: an unknown column",
            ),
            (
                "id,id,owner,site,country,valid_from\n",
                "line 1: the column id twice",
            ),
            (&format!("{HEAD}a,b\n"), "line 2: 2 fields, not 6"),
            (&format!("{HEAD}\"a"), "line 2: a quote"),
            (&format!("{HEAD}\"a\"b,c,d,e,f,g\n"), "line 2: text behind"),
        ] {
            let failure = entries(text.as_bytes()).err().unwrap();
            assert!(
                failure.message.starts_with(told),
                "{told}: {}",
                failure.message
            );
        }
    }
}
