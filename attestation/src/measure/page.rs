//! Pages of guest memory that are made, not read.

/// Bytes of a page, and the granularity of all that is measured.
pub(super) const PAGE_BYTES: usize = 4096;

/// A page with `fields` (offset in the page, bytes; offsets ascending, nothing overlapping) and zeros elsewhere.
pub(super) fn page_of(fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut page = Vec::with_capacity(PAGE_BYTES);
    for (offset, bytes) in fields {
        page.resize(*offset, 0);
        page.extend_from_slice(bytes);
    }
    page.resize(PAGE_BYTES, 0);
    page
}

#[cfg(test)]
mod tests {
    use super::page_of;

    #[test]
    fn fields_stand_at_their_offsets() {
        let page = page_of(&[(1, &[7, 8]), (4094, &[9])]);
        assert_eq!(page.len(), 4096);
        assert_eq!(page[..4], [0, 7, 8, 0]);
        assert_eq!(page[4092..], [0, 0, 9, 0]);
        assert_eq!(page.iter().filter(|byte| **byte != 0).count(), 3);
    }
}
