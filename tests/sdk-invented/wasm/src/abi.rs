//! What the module exports beside those functions that ship.

use narthex_wasm::{Worker, abi};
use std::cell::RefCell;

thread_local! {
    static ROOTS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Trusts the roots in the buffer from now on; 1: it does.
///
/// # Safety
/// `address` and `length` are those of a buffer of `narthex_alloc`.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the test hands over an address and a length")]
pub(crate) unsafe extern "C" fn invented_trust(address: *const u8, length: usize) -> i32 {
    // SAFETY: the caller says that the buffer is one of `narthex_alloc`: initialised, and not written to while this runs.
    let frame = unsafe { std::slice::from_raw_parts(address, length) };
    if crate::composition(frame, abi::random).is_none() {
        return 0;
    }
    ROOTS.replace(frame.to_vec());
    let compose = || {
        let trusted = ROOTS.with_borrow(|frame| crate::composition(frame, abi::random));
        trusted.unwrap_or_else(|| session::Composition::vendor(abi::random))
    };
    i32::from(abi::employ(Worker::composed(compose)))
}
