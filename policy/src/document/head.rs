//! What every kind of document begins with: schema, version, name and the window of its life.

use super::{PolicyError, SCHEMA, mistakes::Mistakes, reader::Field, reader::Section};
use attestation::UnixTime;
use toml::de::DeTable;

/// Greatest version, serial or other number that counts releases: TOML has no greater integer.
pub(crate) const MAX_VERSION: u64 = i64::MAX as u64;

/// `version`, `name` and the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: u64,
    pub(crate) name: String,
    pub(crate) window: Window,
}

/// When a document may be used; both ends belong to the window, `not_before` is the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) not_before: UnixTime,
    pub(crate) expires: UnixTime,
}

impl Head {
    pub(crate) fn read(document: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Self> {
        let version = version(document, "version", mistakes);
        let name = document.read("name", mistakes, Field::text);
        let window = Window::read(document, mistakes);
        Some(Self {
            version: version?,
            name: name?,
            window: window?,
        })
    }
}

impl Window {
    fn read(document: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Self> {
        let not_before = document.read("not_before", mistakes, Field::time);
        let (not_before, expires) = until(document, ("not_before", not_before), mistakes)?;
        Some(Self {
            not_before,
            expires,
        })
    }
}

/// Reads `expires` beside the field that it must be later than; both times.
pub(crate) fn until(
    document: &mut Section<'_>,
    (name, from): (&'static str, Option<UnixTime>),
    mistakes: &mut Mistakes<'_>,
) -> Option<(UnixTime, UnixTime)> {
    let field = document.required("expires", mistakes);
    let (offset, expires) = field.and_then(|field| Some((field.at, field.time(mistakes)?)))?;
    let from = from?;
    if expires <= from {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: "expires".to_owned(),
            other: not_earlier(name),
        });
        return None;
    }
    Some((from, expires))
}

fn not_earlier(name: &str) -> &'static str {
    match name {
        "issued" => "`issued`, which is not earlier",
        _ => "`not_before`, which is not earlier",
    }
}

/// A number that rises from 1.
pub(crate) fn version(
    section: &mut Section<'_>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<u64> {
    section.read(name, mistakes, |field, mistakes| {
        field.integer(1..=MAX_VERSION, mistakes)
    })
}

/// Reads a document of at most `limit_bytes` whose schema is ours, and tells all its mistakes.
pub(crate) fn parse<T>(
    bytes: &[u8],
    limit_bytes: usize,
    read: impl FnOnce(&mut Section<'_>, &mut Mistakes<'_>) -> Option<T>,
) -> Result<T, Vec<PolicyError>> {
    if bytes.len() > limit_bytes {
        return Err(vec![PolicyError::TooLarge { limit_bytes }]);
    }
    let text = str::from_utf8(bytes).map_err(|_| vec![PolicyError::NotUtf8])?;
    let mut mistakes = Mistakes::of(text);
    let document = table(text, &mut mistakes).and_then(|mut document| {
        schema(&mut document, &mut mistakes)?;
        let read = read(&mut document, &mut mistakes);
        document.close(&mut mistakes);
        read
    });
    mistakes.or(document)
}

/// The text as one table, if it is TOML.
fn table<'t>(text: &'t str, mistakes: &mut Mistakes<'_>) -> Option<Section<'t>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = error.message().to_owned();
        let offset = error.span().map_or(0, |span| span.start);
        mistakes.note(offset, |at| PolicyError::Syntax { at, message });
    }
    errors.is_empty().then(|| Section::root(table))
}

/// Nothing else is read of a document whose schema is not ours.
fn schema(document: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<()> {
    let field = document.required("schema", mistakes)?;
    let offset = field.at;
    let found = field.integer(0..=u64::MAX, mistakes)?;
    if found != SCHEMA {
        mistakes.note(offset, |at| PolicyError::Schema { at, found });
    }
    (found == SCHEMA).then_some(())
}
