//! The canonical layout of a document: what a reader sees is where every other reader sees it. No value and no comment is changed.
//!
//! One space around `=`, no indentation, one blank line before each table and at most one anywhere, arrays on one line if they fit
//! into [`MAX_LINE_CHARS`] and carry no comment, else one entry on a line with a comma after the last. The order of keys and tables
//! is the author's.

use toml_edit::{
    Array, Decor, DocumentMut, InlineTable, Item, KeyMut, RawString, Table, TomlError, Value,
};

/// Longest line that an array may make.
const MAX_LINE_CHARS: usize = 120;
const INDENT: &str = "    ";

/// `text` in the canonical layout.
pub(super) fn canonical(text: &str) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let trailing = format!("{}\n", text_of(Some(document.trailing())));
    let trailing = lead(&trailing, Blank::Kept);
    table(document.as_table_mut());
    document.set_trailing(trailing.trim_end());
    let laid_out = document.to_string();
    Ok(format!("{}\n", laid_out.trim()))
}

/// Whether a blank line at the beginning stays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blank {
    Kept,
    Dropped,
}

fn table(table: &mut Table) {
    let mut blank = Blank::Dropped;
    for (mut key, item) in table.iter_mut() {
        match item {
            Item::Value(value) => entry(&mut key, value, blank),
            Item::Table(inner) => {
                if !inner.is_dotted() {
                    header_key(&mut key);
                }
                header_and_body(inner);
            }
            Item::ArrayOfTables(tables) => {
                header_key(&mut key);
                tables.iter_mut().for_each(header_and_body);
            }
            Item::None => {}
        }
        blank = Blank::Kept;
    }
}

/// No space between a header's brackets and around its dots.
fn header_key(key: &mut KeyMut<'_>) {
    key.leaf_decor_mut().clear();
    key.dotted_decor_mut().clear();
}

/// A dotted table has no header: its keys stand where it stands.
fn header_and_body(inner: &mut Table) {
    if !inner.is_dotted() {
        let decor = inner.decor_mut();
        let before = lead(text_of(decor.prefix()), Blank::Dropped);
        let after = comment_behind(text_of(decor.suffix()));
        decor.set_prefix(format!("\n{before}"));
        decor.set_suffix(after);
    }
    table(inner);
}

fn entry(key: &mut KeyMut<'_>, item: &mut Value, blank: Blank) {
    let decor = key.leaf_decor_mut();
    let before = lead(text_of(decor.prefix()), blank);
    decor.set_prefix(before);
    decor.set_suffix(" ");
    let behind = comment_behind(text_of(item.decor().suffix()));
    value(item, key.get().chars().count() + 3);
    *item.decor_mut() = Decor::new(" ", behind);
}

/// Lays out what stands `column` characters behind the beginning of its line.
fn value(value: &mut Value, column: usize) {
    match value {
        Value::Array(array) => self::array(array, column),
        Value::InlineTable(inline) => inline_table(inline),
        _ => {}
    }
}

fn array(array: &mut Array, column: usize) {
    let gaps = gaps(array);
    for item in array.iter_mut() {
        value(item, INDENT.len());
    }
    let commented = gaps.iter().any(|gap| gap.contains('#'));
    one_line(array);
    if commented || column + array.to_string().chars().count() > MAX_LINE_CHARS {
        many_lines(array, &gaps);
    }
}

fn one_line(array: &mut Array) {
    for (index, item) in array.iter_mut().enumerate() {
        let space = if index == 0 { "" } else { " " };
        *item.decor_mut() = Decor::new(space, "");
    }
    array.set_trailing("");
    array.set_trailing_comma(false);
    *array.decor_mut() = Decor::new("", "");
}

fn many_lines(array: &mut Array, gaps: &[String]) {
    for (item, gap) in array.iter_mut().zip(gaps) {
        *item.decor_mut() = Decor::new(format!("{}{INDENT}", gap_lines(gap)), "");
    }
    let last = gaps.last().map_or("", String::as_str);
    array.set_trailing(gap_lines(last));
    array.set_trailing_comma(true);
}

/// What stands before each entry, and behind the last: a comment behind an entry is before the next one.
fn gaps(array: &Array) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut behind = String::new();
    for item in array {
        gaps.push(format!("{behind}{}", text_of(item.decor().prefix())));
        text_of(item.decor().suffix()).clone_into(&mut behind);
    }
    gaps.push(format!(
        "{behind}{}",
        array.trailing().as_str().unwrap_or("")
    ));
    gaps
}

/// A gap's comments: the one on the line of the entry before stays there, each other has a line of its own; a line end follows.
fn gap_lines(gap: &str) -> String {
    let mut lines = gap.split('\n').map(str::trim);
    let mut laid_out = lines.next().map_or_else(String::new, comment_behind);
    for comment in lines.filter(|line| !line.is_empty()) {
        laid_out.push_str(&format!("\n{INDENT}{comment}"));
    }
    laid_out.push('\n');
    laid_out
}

/// One with comments inside is left as it is.
fn inline_table(inline: &mut InlineTable) {
    if inline.to_string().contains('\n') {
        return;
    }
    for (_, item) in inline.iter_mut() {
        value(item, 0);
    }
    inline.fmt();
}

/// The comments before a key or a header: one blank line at most between them, each at the beginning of its line.
fn lead(before: &str, blank: Blank) -> String {
    let mut lead = String::new();
    let mut is_blank = false;
    let lines: Vec<&str> = before.split('\n').map(str::trim).collect();
    // What follows the last line end is the indentation of the key itself.
    for line in lines.split_last().map_or(&[][..], |(_, lines)| lines) {
        if !line.is_empty() {
            lead.push_str(line);
            lead.push('\n');
        } else if !is_blank && (blank == Blank::Kept || !lead.is_empty()) {
            lead.push('\n');
        }
        is_blank = line.is_empty();
    }
    lead
}

fn comment_behind(text: &str) -> String {
    let comment = text.trim();
    if comment.is_empty() {
        String::new()
    } else {
        format!(" {comment}")
    }
}

fn text_of(raw: Option<&RawString>) -> &str {
    raw.and_then(RawString::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIDY: &str = "# head\r\n\n\n  schema=1   # the first\n\n\n\nversion   =  2\n # about names\n\n\n name = \"x\"\n[snp]#behind\n\
        products=[ \"genoa\",'turin' , ]\nvmpl = [ # levels\n 0, # zero\n\n # one\n1\n# last\n]\n\n\n# a list\n[[ models.accepted ]]\n\
        digest=\"00\"\na.b  = { c=1,d = [1,2] }\n   # the end\n\n\n";

    const TIDY: &str = "# head\n\nschema = 1 # the first\n\nversion = 2\n# about names\n\nname = \"x\"\n\n[snp] #behind\n\
        products = [\"genoa\", 'turin']\nvmpl = [ # levels\n    0, # zero\n    # one\n    1,\n    # last\n]\n\n# a list\n[[models.accepted]]\n\
        digest = \"00\"\na.b = { c = 1, d = [1, 2] }\n# the end\n";

    #[test]
    fn what_is_untidy_becomes_tidy_and_stays_so() {
        assert_eq!(canonical(UNTIDY).unwrap(), TIDY);
        assert_eq!(canonical(TIDY).unwrap(), TIDY);
        assert!(canonical("a = [").is_err());
    }

    #[test]
    fn no_value_is_changed() {
        let parse = |text: &str| text.parse::<toml::Table>().unwrap();
        assert_eq!(parse(UNTIDY), parse(TIDY));
    }

    #[test]
    fn a_long_array_has_one_entry_on_a_line() {
        let digests: Vec<_> = (10..14)
            .map(|n| format!("{:?}", n.to_string().repeat(16)))
            .collect();
        let laid_out = canonical(&format!("drivers = [{}]", digests.join(","))).unwrap();
        let entries: String = digests
            .iter()
            .map(|digest| format!("    {digest},\n"))
            .collect();
        assert_eq!(laid_out, format!("drivers = [\n{entries}]\n"));
    }

    #[test]
    fn an_empty_document_stays_one() {
        assert_eq!(canonical("# nothing yet\n").unwrap(), "# nothing yet\n");
    }
}
