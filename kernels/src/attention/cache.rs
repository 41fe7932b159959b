//! Layout of a page of one head: `key[column][position]`, then `value[position][column]`, 16 positions.

use super::PAGE;

/// Length of one head's part of a page.
pub const fn page_len(width: usize) -> usize {
    2 * PAGE * width
}

/// Writes key and value of one position into one head's part of a page; `place` is the position's in the page.
///
/// # Panics
/// If the place is beyond the page.
#[expect(
    clippy::indexing_slicing,
    reason = "a place beyond the page is the caller's mistake"
)]
pub fn append(page: &mut [f32], place: usize, key: &[f32], value: &[f32]) {
    let width = key.len();
    let (keys, values) = page.split_at_mut(PAGE * width);
    for (keys, key) in keys.chunks_exact_mut(PAGE).zip(key) {
        keys[place] = *key;
    }
    values[place * width..][..width].copy_from_slice(value);
}

/// Keys and values of one page.
pub(super) fn split(page: &[f32]) -> (&[f32], &[f32]) {
    page.split_at(page.len() / 2)
}
