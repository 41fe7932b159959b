//! GPT-2's rules, the first that matches:
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.

use super::class::{Class, first_class, run_len, space_len};

const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// Bytes of the first piece.
pub(super) fn first(text: &str) -> usize {
    if let Some(contraction) = CONTRACTIONS.iter().find(|c| text.starts_with(**c)) {
        return contraction.len();
    }
    let lead = usize::from(text.starts_with(' '));
    let body = text.get(lead..).unwrap_or_default();
    match first_class(body) {
        Some(word @ (Class::Letter | Class::Number | Class::Other)) => {
            lead.saturating_add(run_len(body, word))
        }
        _ => space_len(text),
    }
}
