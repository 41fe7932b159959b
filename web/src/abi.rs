//! The three functions that a page calls. A buffer is an address and a length in the module's memory; its maker is `narthex_alloc` or `narthex_verify`.

use crate::Trust;

/// Room for a request of `length` bytes; give it back with `narthex_free`.
#[unsafe(no_mangle)]
#[expect(
    unsafe_code,
    reason = "an unmangled name is how a WASM module exports a function"
)]
pub extern "C" fn narthex_alloc(length: usize) -> *mut u8 {
    let buffer = vec![0_u8; length].into_boxed_slice();
    Box::into_raw(buffer).cast()
}

/// Takes a buffer back.
///
/// # Safety
/// `address` and `length` are those of a buffer of `narthex_alloc` or `narthex_verify` that was not taken back yet.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the page hands over an address and a length")]
pub unsafe extern "C" fn narthex_free(address: *mut u8, length: usize) {
    let buffer = std::ptr::slice_from_raw_parts_mut(address, length);
    // SAFETY: the caller says that `narthex_alloc` or `narthex_verify` made this boxed slice, and gives it up.
    drop(unsafe { Box::from_raw(buffer) });
}

/// Answers the request in the buffer, which stays the page's. The answer's address is in the high 32 bits, its length in the low ones.
///
/// # Safety
/// `address` and `length` are those of a buffer of `narthex_alloc`.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the page hands over an address and a length")]
pub unsafe extern "C" fn narthex_verify(address: *const u8, length: usize) -> u64 {
    // SAFETY: the caller says what `exchange` asks for.
    unsafe {
        exchange(address, length, |request| {
            crate::answer(request, &Trust::vendor())
        })
    }
}

/// What `answer` says of the request in the buffer, as [`narthex_verify`] returns it.
///
/// # Safety
/// `address` and `length` are those of a buffer of `narthex_alloc`.
#[expect(unsafe_code, reason = "the page hands over an address and a length")]
pub unsafe fn exchange(
    address: *const u8,
    length: usize,
    answer: impl FnOnce(&[u8]) -> String,
) -> u64 {
    // SAFETY: the caller says that the buffer is one of `narthex_alloc`: initialised, and not written to while this runs.
    let request = unsafe { std::slice::from_raw_parts(address, length) };
    let answer = answer(request).into_bytes().into_boxed_slice();
    let length = answer.len() as u64;
    let address = Box::into_raw(answer).cast::<u8>() as usize as u64;
    address << 32 | length
}
