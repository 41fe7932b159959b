//! Growing a secret buffer without leaving copies of it behind.

use zeroize::Zeroizing;

/// Appends `bytes`. A buffer that must grow is moved by hand, so that the old allocation is wiped, which `Vec` alone does not do.
pub(crate) fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    reserve(buffer, bytes.len());
    buffer.extend_from_slice(bytes);
}

/// Makes `buffer` at least `length` bytes long, at least doubling it when it grows; what is added is zero.
pub(crate) fn grow(buffer: &mut Zeroizing<Vec<u8>>, length: usize) {
    let more = length.saturating_sub(buffer.len());
    if more > 0 {
        reserve(buffer, more);
        let room = buffer.capacity();
        buffer.resize(room, 0);
    }
}

/// Makes room for `more` bytes, at least doubling what is held.
pub(crate) fn reserve(buffer: &mut Zeroizing<Vec<u8>>, more: usize) {
    let needed = buffer.len().saturating_add(more);
    if needed <= buffer.capacity() {
        return;
    }
    let capacity = needed.max(buffer.capacity().saturating_mul(2));
    let mut grown = Zeroizing::new(Vec::with_capacity(capacity));
    grown.extend_from_slice(buffer);
    *buffer = grown;
}
