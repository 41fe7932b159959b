//! Names that cannot lie beside one another: as they are or sealed, and where capitals count for nothing.

use crate::{FileName, MANIFEST_NAME};
use std::iter;

/// Where a file lies, and whose name that is; the manifest is nobody's.
type Place<'a> = (String, Option<&'a FileName>);

/// The first name that does not follow the one before it; else one that would lie where another does, or in what is a file.
pub(crate) fn misplaced<'a>(
    names: impl Iterator<Item = &'a FileName> + Clone,
) -> Option<&'a FileName> {
    let plain = names.clone().map(|name| (name.as_str(), name));
    let plain = plain.map(|(path, name)| (folded(path), Some(name)));
    let sealed = names
        .clone()
        .map(|name| (folded(&name.stored()), Some(name)));
    let sealed = sealed.chain(iter::once((folded(MANIFEST_NAME), None)));
    disordered(names)
        .or_else(|| colliding(plain.collect()))
        .or_else(|| colliding(sealed.collect()))
}

fn disordered<'a>(names: impl Iterator<Item = &'a FileName> + Clone) -> Option<&'a FileName> {
    let mut pairs = names.clone().zip(names.skip(1));
    let pair = pairs.find(|(name, next)| name >= next);
    pair.map(|(_, next)| next)
}

/// `path` without its capitals. Its separators are what no name has and what goes before all else, so that what lies in a folder follows it at once.
fn folded(path: &str) -> String {
    path.to_lowercase().replace('/', "\0")
}

fn colliding(mut places: Vec<Place<'_>>) -> Option<&FileName> {
    places.sort_unstable();
    let mut pairs = places.iter().zip(places.iter().skip(1));
    let collides = |(place, _): &Place<'_>, (next, _): &Place<'_>| {
        let rest = next.strip_prefix(place.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\0'))
    };
    let pair = pairs.find(|(place, next)| collides(place, next));
    pair.and_then(|(place, next)| next.1.or(place.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(names: &[&str]) -> Option<String> {
        let names = names.iter().map(|name| FileName::parse(name).unwrap());
        let names: Vec<_> = names.collect();
        misplaced(names.iter()).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn names_ascend() {
        assert_eq!(refused(&["a", "b"]), None);
        assert_eq!(refused(&["b", "a"]).as_deref(), Some("a"));
        assert_eq!(refused(&["a", "a"]).as_deref(), Some("a"));
    }

    #[test]
    fn no_file_is_a_folder() {
        assert_eq!(refused(&["a", "a-b", "a/b"]).as_deref(), Some("a/b"));
        assert_eq!(refused(&["a", "a-b"]), None);
        assert_eq!(refused(&["a/b", "a/c", "ab"]), None);
    }

    #[test]
    fn no_sealed_file_is_a_folder() {
        assert_eq!(refused(&["a", "a.sealed/b"]).as_deref(), Some("a.sealed/b"));
        let below = ["MANIFEST.json/x"];
        assert_eq!(refused(&below).as_deref(), Some(below[0]));
        assert_eq!(refused(&["MANIFEST.json", "a", "a.sealed"]), None);
    }

    #[test]
    fn capitals_do_not_tell_names_apart() {
        assert_eq!(refused(&["A", "a"]).as_deref(), Some("a"));
        assert!(refused(&["Ä/b", "ä/B"]).is_some());
        assert!(refused(&["A/b", "a"]).is_some());
        assert!(refused(&["manifest.JSON/x"]).is_some());
        assert_eq!(refused(&["A/b", "a/c"]), None);
    }
}
