//! Texts by their beginnings: which of them a text begins with, in as many steps as the longest of those has bytes.

/// Texts with an id each.
pub(super) struct Prefixes {
    /// In byte order; none is empty.
    sorted: Vec<(Box<[u8]>, u32)>,
}

impl Prefixes {
    pub(super) fn new<'a>(texts: impl Iterator<Item = (u32, &'a str)>) -> Self {
        let mut sorted: Vec<(Box<[u8]>, u32)> = texts
            .filter(|(_, text)| !text.is_empty())
            .map(|(id, text)| (text.as_bytes().into(), id))
            .collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The texts that `bytes` begins with, shortest first: the bytes of each and its id.
    pub(super) fn of(&self, bytes: &[u8]) -> impl Iterator<Item = (usize, u32)> {
        let mut candidates = self.sorted.as_slice();
        let mut ahead = bytes.iter().zip(1usize..);
        std::iter::from_fn(move || {
            for (byte, len) in ahead.by_ref() {
                candidates = narrowed(candidates, len.saturating_sub(1), *byte);
                match candidates.first() {
                    None => return None,
                    Some((text, id)) if text.len() == len => return Some((len, *id)),
                    Some(_) => {}
                }
            }
            None
        })
    }
}

/// Those of `sorted` that have `byte` at `at`; all of them are equal before.
fn narrowed(sorted: &[(Box<[u8]>, u32)], at: usize, byte: u8) -> &[(Box<[u8]>, u32)] {
    let start = sorted.partition_point(|(text, _)| text.get(at) < Some(&byte));
    let from = sorted.get(start..).unwrap_or_default();
    let end = from.partition_point(|(text, _)| text.get(at) == Some(&byte));
    from.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&str], text: &str) -> Vec<(usize, u32)> {
        let prefixes = Prefixes::new((0..).zip(texts.iter().copied()));
        prefixes.of(text.as_bytes()).collect()
    }

    #[test]
    fn all_beginnings_are_found_shortest_first() {
        let texts = ["abc", "a", "b", "ab", "abd", "", "abcde"];
        assert_eq!(found(&texts, "abcd"), [(1, 1), (2, 3), (3, 0)]);
        assert_eq!(found(&texts, "b"), [(1, 2)]);
        assert_eq!(found(&texts, "c"), []);
        assert_eq!(found(&texts, ""), []);
        assert_eq!(found(&[], "a"), []);
    }
}
