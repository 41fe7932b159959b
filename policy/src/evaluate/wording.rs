//! How reasons word what a rule accepts and what evidence says.

/// Most names or characters of a list or a text that a reason repeats.
const MAX_TOLD: usize = 64;

/// The alternatives of a rule in an order of their own, cut where people stop reading.
pub(super) fn listed(alternatives: impl Iterator<Item = String>) -> String {
    let mut all: Vec<_> = alternatives.collect();
    all.sort();
    let shown: Vec<_> = all.iter().take(MAX_TOLD).map(String::as_str).collect();
    match all.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A text from outside, quoted, escaped and cut.
pub(super) fn told(text: &str) -> String {
    let shown: String = text.chars().take(MAX_TOLD).collect();
    let more = if shown.len() < text.len() { ".." } else { "" };
    format!("{shown:?}{more}")
}
