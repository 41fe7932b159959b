//! Weights in huge pages: decoding reads all of them for each token, and looking up small pages would take longer than
//! reading them.

/// Bytes of a huge page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HUGE_PAGE: usize = 2 << 20;

/// Moves what lies in `values`, and what shares pages with it, into huge pages, as far as the system has them to give.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn gather<T>(values: &[T]) {
    let bytes = values.as_ptr_range();
    let start = bytes.start.addr() & !(HUGE_PAGE - 1);
    let length = bytes.end.addr().next_multiple_of(HUGE_PAGE) - start;
    #[expect(unsafe_code, reason = "a system call")]
    // SAFETY: memory moves to other pages under the same addresses, with the same contents; nobody can tell.
    unsafe {
        libc::madvise(
            bytes.start.with_addr(start).cast_mut().cast(),
            length,
            libc::MADV_COLLAPSE,
        )
    };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn gather<T>(_values: &[T]) {}
