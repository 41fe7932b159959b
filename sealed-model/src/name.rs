//! Names of a model's files: relative, and nothing that leads anywhere else.

use crate::output::UNFINISHED;
use std::fmt;

/// What a file's name gets where it lies sealed.
const SUFFIX: &str = ".sealed";
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 1024;
/// Longest component, in bytes; with the suffix it is what file systems take.
const MAX_COMPONENT_BYTES: usize = 248;

/// A relative name with `/` between its components.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// `text`, if it is a name that a model's file may have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() <= MAX_NAME_BYTES && text.split('/').all(is_component);
        (fits && !is_of_the_lock(text)).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the sealed file.
    #[must_use]
    pub fn stored(&self) -> String {
        format!("{}{SUFFIX}", self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a file so named would lie where an unfinished output has its lock.
fn is_of_the_lock(text: &str) -> bool {
    let first = text.split('/').next();
    first.is_some_and(|first| first.eq_ignore_ascii_case(UNFINISHED))
}

fn is_component(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && c != '\\';
    (1..=MAX_COMPONENT_BYTES).contains(&text.len())
        && text != "."
        && text != ".."
        && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_within_the_directory() {
        for name in [
            "a",
            "a/b.c",
            "...",
            ".hidden/x",
            "a/.unfinished",
            "ü",
            &"x".repeat(248),
        ] {
            let parsed = FileName::parse(name).unwrap();
            assert_eq!(parsed.stored(), format!("{name}.sealed"));
        }
    }

    #[test]
    fn everything_else_is_no_name() {
        let long = ["x".repeat(249), ["x"; 513].join("/")];
        let bad = [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/..",
            "../a",
            "a/./b",
            "a\\b",
            "a\0",
            "a\nb",
            ".unfinished",
            ".Unfinished/a",
        ];
        for name in bad.into_iter().chain(long.iter().map(String::as_str)) {
            assert_eq!(FileName::parse(name), None, "{name:?}");
        }
    }
}
