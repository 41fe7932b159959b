//! One table of the configuration, taken field by field; what is wrong or left over is a mistake.

use serde::de::DeserializeOwned;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{Table, Value};

/// Longest duration that can be set: a day.
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// A table and the mistakes found in it.
pub(super) struct Section<'a> {
    /// What stands before a field's name: empty, or `policy.`.
    prefix: String,
    table: Table,
    folder: &'a Path,
    mistakes: Vec<String>,
}

impl<'a> Section<'a> {
    /// The outermost table.
    pub(super) const fn outermost(table: Table, folder: &'a Path) -> Self {
        Self {
            prefix: String::new(),
            table,
            folder,
            mistakes: Vec::new(),
        }
    }

    /// Whether there is a field or table called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The table called `name`; an absent one is empty.
    pub(super) fn section(&mut self, name: &str) -> Self {
        let table = match self.table.remove(name) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_other) => {
                self.mistake(name, "must be a table");
                Table::new()
            }
        };
        Section {
            prefix: format!("{}{name}.", self.prefix),
            table,
            folder: self.folder,
            mistakes: Vec::new(),
        }
    }

    /// Field `name`, read by `parse`, which says `None` to what is not `expected`.
    pub(super) fn optional<T: DeserializeOwned, U>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> Option<U> {
        let value = self.table.remove(name)?;
        let parsed = value.try_into().ok().and_then(parse);
        if parsed.is_none() {
            self.mistake(name, &format!("must be {expected}"));
        }
        parsed
    }

    /// As [`Section::optional`], but an absent field is a mistake; the value is then the default and never used.
    pub(super) fn required<T: DeserializeOwned, U: Default>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> U {
        if !self.table.contains_key(name) {
            self.mistake(name, &format!("is required: {expected}"));
        }
        self.optional(name, expected, parse).unwrap_or_default()
    }

    /// A required path.
    pub(super) fn path(&mut self, name: &str) -> Option<PathBuf> {
        if !self.table.contains_key(name) {
            self.mistake(name, "is required: a path");
        }
        self.optional_path(name)
    }

    /// A path, relative to the configuration's folder.
    pub(super) fn optional_path(&mut self, name: &str) -> Option<PathBuf> {
        let folder = self.folder;
        let parse = |path: PathBuf| (!path.as_os_str().is_empty()).then(|| folder.join(path));
        self.optional(name, "a path", parse)
    }

    /// A required path, relative to the configuration's folder, or an address.
    pub(super) fn source(&mut self, name: &str) -> Option<String> {
        let expected = "a file, a folder or an address (http or https)";
        if !self.table.contains_key(name) {
            self.mistake(name, &format!("is required: {expected}"));
        }
        let folder = self.folder;
        let parse = |text: String| match text.as_str() {
            // What a client may write; a runtime is called by the gateway and calls nobody.
            "" | "gateway" => None,
            url if url.starts_with("http://") || url.starts_with("https://") => Some(text),
            path => Some(folder.join(path).display().to_string()),
        };
        self.optional(name, expected, parse)
    }

    /// A field that has another name now.
    pub(super) fn renamed(&mut self, from: &str, to: &str) {
        if self.table.remove(from).is_some() {
            let to = format!("{}{to}", self.prefix);
            self.mistake(from, &format!("is now {to}"));
        }
    }

    /// A field that says the same as `other`, which is there.
    pub(super) fn excluded(&mut self, name: &str, other: &str) {
        if self.table.remove(name).is_some() {
            let other = format!("{}{other}", self.prefix);
            self.mistake(name, &format!("has no meaning beside {other}"));
        }
    }

    /// A required list of at least one path.
    pub(super) fn paths(&mut self, name: &str) -> Option<Vec<PathBuf>> {
        if !self.table.contains_key(name) {
            self.mistake(name, "is required: at least one path");
        }
        let folder = self.folder;
        let usable = |paths: &Vec<PathBuf>| {
            !paths.is_empty() && paths.iter().all(|path| !path.as_os_str().is_empty())
        };
        let parse = |paths: Vec<PathBuf>| {
            let paths = Some(paths).filter(usable)?;
            Some(paths.into_iter().map(|path| folder.join(path)).collect())
        };
        self.optional(name, "at least one path", parse)
    }

    /// A positive number.
    pub(super) fn count(&mut self, name: &str, default: usize) -> usize {
        let positive = |count: usize| (count > 0).then_some(count);
        self.optional(name, "a positive number", positive)
            .unwrap_or(default)
    }

    /// A duration in seconds, up to a day.
    pub(super) fn seconds(&mut self, name: &str, default: Duration) -> Duration {
        let parse = |seconds: u64| {
            (1..=MAX_SECONDS)
                .contains(&seconds)
                .then(|| Duration::from_secs(seconds))
        };
        self.optional(name, "a number of seconds, 1 to 86400", parse)
            .unwrap_or(default)
    }

    /// Hands over the mistakes; what nobody took is one more each.
    pub(super) fn finish(mut self, mistakes: &mut Vec<String>) {
        for name in std::mem::take(&mut self.table).keys() {
            self.mistake(name, "is unknown");
        }
        mistakes.append(&mut self.mistakes);
    }

    /// Field `name` is wrong: `what` is.
    pub(super) fn mistake(&mut self, name: &str, what: &str) {
        self.mistakes.push(format!("{}{name} {what}", self.prefix));
    }
}
