//! What the module exports beside `web`'s functions, of which `narthex_alloc` and `narthex_free` serve here too.

/// `narthex_verify` under invented roots.
///
/// # Safety
/// `address` and `length` are those of a buffer of `narthex_alloc`.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the script hands over an address and a length")]
pub(crate) unsafe extern "C" fn invented_verify(address: *const u8, length: usize) -> u64 {
    // SAFETY: the caller says what `exchange` asks for.
    unsafe { web::abi::exchange(address, length, crate::answer) }
}
