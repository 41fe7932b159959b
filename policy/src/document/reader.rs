//! Reading one TOML table field by field: what is asked for is taken out, what remains at the end is unknown.

use super::{PolicyError, mistakes::Mistakes};
use attestation::UnixTime;
use std::{collections::BTreeMap, ops::RangeInclusive};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Longest name or label in a document, in characters.
const MAX_TEXT_CHARS: usize = 128;

/// A table whose fields are taken out one by one.
pub(crate) struct Section<'t> {
    path: String,
    pub(crate) at: usize,
    fields: BTreeMap<String, (usize, Spanned<DeValue<'t>>)>,
}

/// One value with its full name and its place.
pub(crate) struct Field<'t> {
    pub(crate) path: String,
    pub(crate) at: usize,
    value: DeValue<'t>,
}

impl<'t> Section<'t> {
    /// The document itself.
    pub(crate) fn root(table: Spanned<DeTable<'t>>) -> Self {
        Self::new(String::new(), table.span().start, table.into_inner())
    }

    fn new(path: String, at: usize, table: DeTable<'t>) -> Self {
        let fields = table.into_iter().map(|(key, value)| {
            let at = key.span().start;
            (key.into_inner().into_owned(), (at, value))
        });
        Self {
            path,
            at,
            fields: fields.collect(),
        }
    }

    /// The fields that were not taken out yet.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Spanned<DeValue<'t>>)> {
        let fields = self.fields.iter();
        fields.map(|(name, (_, value))| (name.as_str(), value))
    }

    /// Takes a field out; its absence is a mistake.
    pub(crate) fn required(
        &mut self,
        name: &str,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<Field<'t>> {
        let field = self.optional(name);
        if field.is_none() {
            let field = self.full_name(name);
            mistakes.note(self.at, |at| PolicyError::MissingField { at, field });
        }
        field
    }

    /// Takes a required field out and reads it.
    pub(crate) fn read<T>(
        &mut self,
        name: &str,
        mistakes: &mut Mistakes<'_>,
        read: impl FnOnce(Field<'t>, &mut Mistakes<'_>) -> Option<T>,
    ) -> Option<T> {
        let field = self.required(name, mistakes)?;
        read(field, mistakes)
    }

    /// Takes a field out, if it is there.
    pub(crate) fn optional(&mut self, name: &str) -> Option<Field<'t>> {
        #[cfg(test)]
        asked::note(self.full_name(name));
        let (_, value) = self.fields.remove(name)?;
        Some(Field {
            path: self.full_name(name),
            at: value.span().start,
            value: value.into_inner(),
        })
    }

    /// Whatever was not taken out is a mistake.
    pub(crate) fn close(self, mistakes: &mut Mistakes<'_>) {
        for (name, (at, _)) in &self.fields {
            let field = self.full_name(name);
            mistakes.note(*at, |at| PolicyError::UnknownField { at, field });
        }
    }

    fn full_name(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

impl<'t> Field<'t> {
    /// A table.
    pub(crate) fn section(self, mistakes: &mut Mistakes<'_>) -> Option<Section<'t>> {
        match self.value {
            DeValue::Table(table) => Some(Section::new(self.path, self.at, table)),
            _ => self.wrong_type("a table", mistakes),
        }
    }

    /// An array with at least one entry.
    pub(crate) fn entries(self, mistakes: &mut Mistakes<'_>) -> Option<Vec<Self>> {
        let DeValue::Array(array) = self.value else {
            return self.wrong_type("an array", mistakes);
        };
        if array.is_empty() {
            let field = self.path;
            mistakes.note(self.at, |at| PolicyError::EmptyList { at, field });
            return None;
        }
        let entries = array.into_iter().enumerate().map(|(index, value)| Self {
            path: format!("{}[{index}]", self.path),
            at: value.span().start,
            value: value.into_inner(),
        });
        Some(entries.collect())
    }

    /// An array with 1 to `most` entries.
    pub(crate) fn at_most(self, most: usize, mistakes: &mut Mistakes<'_>) -> Option<Vec<Self>> {
        match &self.value {
            DeValue::Array(array) if array.len() > most => {
                self.wrong_value(format!("a list of at most {most} entries"), mistakes)
            }
            _ => self.entries(mistakes),
        }
    }

    /// A string that `parse` reads as what is `expected`.
    pub(crate) fn parsed<T>(
        self,
        expected: &str,
        mistakes: &mut Mistakes<'_>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        match parse(self.string(mistakes)?) {
            Some(value) => Some(value),
            None => self.wrong_value(expected.to_owned(), mistakes),
        }
    }

    /// A name for people: 1 to 128 characters, none of them a control character.
    pub(crate) fn text(self, mistakes: &mut Mistakes<'_>) -> Option<String> {
        let text = self.string(mistakes)?;
        let length = text.chars().count();
        if (1..=MAX_TEXT_CHARS).contains(&length) && !text.contains(char::is_control) {
            return Some(text.to_owned());
        }
        self.wrong_value(
            format!("1 to {MAX_TEXT_CHARS} characters without control characters"),
            mistakes,
        )
    }

    /// A text of several lines, 1 to `max_bytes` bytes.
    pub(crate) fn document(self, max_bytes: usize, mistakes: &mut Mistakes<'_>) -> Option<String> {
        let text = self.string(mistakes)?;
        if (1..=max_bytes).contains(&text.len()) {
            return Some(text.to_owned());
        }
        self.wrong_value(format!("a text of 1 to {max_bytes} bytes"), mistakes)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(self, mistakes: &mut Mistakes<'_>) -> Option<bool> {
        match &self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("a boolean", mistakes),
        }
    }

    /// An integer in `range`.
    pub(crate) fn integer(
        self,
        range: RangeInclusive<u64>,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<u64> {
        let DeValue::Integer(integer) = &self.value else {
            return self.wrong_type("an integer", mistakes);
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        self.wrong_value(expected, mistakes)
    }

    /// An integer that fits in a byte.
    pub(crate) fn byte(self, mistakes: &mut Mistakes<'_>) -> Option<u8> {
        let number = self.integer(0..=u64::from(u8::MAX), mistakes)?;
        u8::try_from(number).ok()
    }

    /// A TOML date-time with an offset, not before 1970.
    pub(crate) fn time(self, mistakes: &mut Mistakes<'_>) -> Option<UnixTime> {
        let DeValue::Datetime(datetime) = &self.value else {
            return self.wrong_type("a date-time", mistakes);
        };
        if let Some(time) = UnixTime::from_rfc3339(&with_seconds(*datetime)) {
            return Some(time);
        }
        let expected = "a date-time with an offset, such as 2026-06-01T00:00:00Z";
        self.wrong_value(expected.to_owned(), mistakes)
    }

    /// `N` bytes in hexadecimal.
    pub(crate) fn digest<const N: usize>(self, mistakes: &mut Mistakes<'_>) -> Option<[u8; N]> {
        let mut digest = [0; N];
        if hex::decode_to_slice(self.string(mistakes)?, &mut digest).is_ok() {
            return Some(digest);
        }
        self.wrong_value(format!("{} hexadecimal digits", 2 * N), mistakes)
    }

    /// One of `names`.
    pub(crate) fn named<T: Copy>(
        self,
        names: &[(&'static str, T)],
        mistakes: &mut Mistakes<'_>,
    ) -> Option<T> {
        let text = self.string(mistakes)?;
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names: Vec<_> = names.iter().map(|(name, _)| format!("{name:?}")).collect();
        self.wrong_value(format!("one of {}", names.join(", ")), mistakes)
    }

    /// Notes that the value is not `expected`.
    pub(crate) fn wrong_value<T>(self, expected: String, mistakes: &mut Mistakes<'_>) -> Option<T> {
        let field = self.path;
        mistakes.note(self.at, |at| PolicyError::Value {
            at,
            field,
            expected,
        });
        None
    }

    fn string(&self, mistakes: &mut Mistakes<'_>) -> Option<&str> {
        if let DeValue::String(text) = &self.value {
            return Some(text);
        }
        self.wrong_type("a string", mistakes)
    }

    fn wrong_type<T>(&self, expected: &'static str, mistakes: &mut Mistakes<'_>) -> Option<T> {
        let (field, found) = (self.path.clone(), self.value.type_str());
        mistakes.note(self.at, |at| PolicyError::Type {
            at,
            field,
            expected,
            found,
        });
        None
    }
}

/// TOML 1.1 lets seconds be left out; RFC 3339 does not.
fn with_seconds(mut datetime: toml::value::Datetime) -> String {
    if let Some(time) = &mut datetime.time {
        time.second.get_or_insert(0);
    }
    datetime.to_string()
}

/// Which fields a reading asked for: the schemas for editors are held against it.
#[cfg(test)]
pub(crate) mod asked {
    use std::{cell::RefCell, collections::BTreeSet};

    thread_local! {
        static ASKED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// Nothing is asked for yet.
    pub(crate) fn start() {
        ASKED.take();
    }

    pub(super) fn note(field: String) {
        ASKED.with_borrow_mut(|asked| asked.insert(field));
    }

    /// The full names of all so far.
    pub(crate) fn so_far() -> BTreeSet<String> {
        ASKED.with_borrow(Clone::clone)
    }
}
