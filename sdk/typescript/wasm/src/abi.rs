//! The three functions that JavaScript calls, and the one that it gives. A buffer is an address and a length in the module's memory; its
//! maker is `narthex_alloc` or `narthex_answer`.

use crate::Worker;
use std::cell::RefCell;
use zeroize::Zeroize;

#[link(wasm_import_module = "narthex")]
#[expect(unsafe_code, reason = "this is how a WASM module imports a function")]
unsafe extern "C" {
    /// Fills with random bytes; 1: it did.
    #[link_name = "random"]
    fn narthex_random(address: *mut u8, length: usize) -> i32;
}

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// JavaScript's `crypto.getRandomValues`.
#[expect(unsafe_code, reason = "JavaScript writes where it is told to")]
pub fn random(bytes: &mut [u8]) -> bool {
    // SAFETY: the buffer is `bytes`, which JavaScript fills and does not keep.
    unsafe { narthex_random(bytes.as_mut_ptr(), bytes.len()) == 1 }
}

/// Has orders answered by `worker` from now on; false: there already is one.
pub fn employ(worker: Worker) -> bool {
    WORKER.with_borrow_mut(|employed| {
        if employed.is_some() {
            return false;
        }
        *employed = Some(worker);
        true
    })
}

/// Room for an order of `length` bytes; give it back with `narthex_free`.
#[unsafe(no_mangle)]
#[expect(
    unsafe_code,
    reason = "an unmangled name is how a WASM module exports a function"
)]
pub extern "C" fn narthex_alloc(length: usize) -> *mut u8 {
    let buffer = vec![0_u8; length].into_boxed_slice();
    Box::into_raw(buffer).cast()
}

/// Takes a buffer back, wiped: it may hold a prompt or an answer.
///
/// # Safety
/// `address` and `length` are those of a buffer of `narthex_alloc` or `narthex_answer` that was not taken back yet.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "JavaScript hands over an address and a length")]
pub unsafe extern "C" fn narthex_free(address: *mut u8, length: usize) {
    let buffer = std::ptr::slice_from_raw_parts_mut(address, length);
    // SAFETY: the caller says that `narthex_alloc` or `narthex_answer` made this boxed slice, and gives it up.
    let mut buffer = unsafe { Box::from_raw(buffer) };
    buffer.zeroize();
}

/// Answers the order in the buffer, which stays JavaScript's. The answer's address is in the high 32 bits, its length in the low ones.
///
/// # Safety
/// `address` and `length` are those of a buffer of `narthex_alloc`.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "JavaScript hands over an address and a length")]
pub unsafe extern "C" fn narthex_answer(address: *const u8, length: usize) -> u64 {
    // SAFETY: the caller says that the buffer is one of `narthex_alloc`: initialised, and not written to while this runs.
    let order = unsafe { std::slice::from_raw_parts(address, length) };
    let answer = WORKER.with_borrow_mut(|worker| {
        let worker = worker.get_or_insert_with(Worker::vendor);
        protocol::entropy::install(random);
        worker.answer(order)
    });
    let answer = answer.to_bytes().into_boxed_slice();
    let length = answer.len() as u64;
    let address = Box::into_raw(answer).cast::<u8>() as usize as u64;
    address << 32 | length
}
