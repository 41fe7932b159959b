//! The filter `tojson` of chat templates: Python's `json.dumps(value, ensure_ascii=False, indent=..)`, which the models were trained with.

use std::fmt::Write;

use minijinja::{
    Error, ErrorKind, Value,
    value::{Kwargs, ValueKind},
};

/// Most spaces of one indentation.
const MAX_INDENT: usize = 16;
/// Deepest nesting, as deep as JSON is read.
const MAX_DEPTH: usize = 128;

#[expect(
    clippy::needless_pass_by_value,
    reason = "as filters take their options"
)]
pub(super) fn tojson(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    if indent.is_some_and(|indent| indent > MAX_INDENT) {
        return Err(ErrorKind::InvalidOperation.into());
    }
    let mut writer = Writer {
        out: String::new(),
        indent,
        depth: 0,
    };
    writer.value(value)?;
    Ok(Value::from(writer.out))
}

struct Writer {
    out: String,
    indent: Option<usize>,
    depth: usize,
}

impl Writer {
    fn value(&mut self, value: &Value) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self.out.push_str(match value.is_true() {
                true => "true",
                false => "false",
            }),
            ValueKind::Number => self.out.push_str(&value.to_string()),
            ValueKind::String => self.text(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.list(value)?,
            ValueKind::Map => self.map(value)?,
            _ => return Err(ErrorKind::InvalidOperation.into()),
        }
        Ok(())
    }

    fn list(&mut self, value: &Value) -> Result<(), Error> {
        let items: Vec<Value> = value.try_iter()?.collect();
        self.open('[')?;
        for (item, at) in items.iter().zip(0usize..) {
            self.separate(at);
            self.value(item)?;
        }
        self.close(']', items.len());
        Ok(())
    }

    fn map(&mut self, value: &Value) -> Result<(), Error> {
        let keys: Vec<Value> = value.try_iter()?.collect();
        self.open('{')?;
        for (key, at) in keys.iter().zip(0usize..) {
            self.separate(at);
            self.text(key.as_str().ok_or(ErrorKind::InvalidOperation)?);
            self.out.push_str(": ");
            self.value(&value.get_item(key)?)?;
        }
        self.close('}', keys.len());
        Ok(())
    }

    fn open(&mut self, bracket: char) -> Result<(), Error> {
        self.out.push(bracket);
        self.depth = self.depth.saturating_add(1);
        match self.depth > MAX_DEPTH {
            true => Err(ErrorKind::InvalidOperation.into()),
            false => Ok(()),
        }
    }

    fn close(&mut self, bracket: char, items: usize) {
        self.depth = self.depth.saturating_sub(1);
        if items > 0 {
            self.line();
        }
        self.out.push(bracket);
    }

    fn separate(&mut self, at: usize) {
        match (at, self.indent) {
            (0, _) => {}
            (_, None) => self.out.push_str(", "),
            (_, Some(_)) => self.out.push(','),
        }
        self.line();
    }

    fn line(&mut self) {
        if let Some(indent) = self.indent {
            let spaces = indent.saturating_mul(self.depth);
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', spaces));
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '\0'..'\u{20}' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(character));
                }
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }
}
