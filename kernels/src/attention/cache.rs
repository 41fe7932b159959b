//! Layout of one head's keys and values: pages of 16 positions, `key[column][position]` then `value[position][column]`.

use super::{PAGE, TILE};

/// Length of a head's cache for so many positions: whole tiles.
pub fn cache_len(width: usize, positions: usize) -> usize {
    2 * width * positions.next_multiple_of(TILE)
}

/// Writes key and value of one position.
///
/// # Panics
/// If the position is beyond the cache.
#[expect(
    clippy::indexing_slicing,
    reason = "a position beyond the cache is the caller's mistake"
)]
pub fn append(pages: &mut [f32], position: usize, key: &[f32], value: &[f32]) {
    let width = key.len();
    let page = &mut pages[position / PAGE * 2 * PAGE * width..][..2 * PAGE * width];
    let (keys, values) = page.split_at_mut(PAGE * width);
    let place = position % PAGE;
    for (keys, key) in keys.chunks_exact_mut(PAGE).zip(key) {
        keys[place] = *key;
    }
    values[place * width..][..width].copy_from_slice(value);
}

/// Keys and values of one page.
pub(super) fn split(page: &[f32]) -> (&[f32], &[f32]) {
    page.split_at(page.len() / 2)
}
