//! A global allocator that overwrites memory before it gives it back, so that no prompt outlives its request on the heap.
//! A binary installs it; the library imposes it on nobody.
#![expect(
    unsafe_code,
    reason = "GlobalAlloc is an unsafe trait; this adds one write of zeros to the system's allocator"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    arch::asm,
};

/// The system's allocator, wiping on free (and on every move of a reallocation: the trait's own `realloc` allocates, copies, frees).
#[derive(Clone, Copy, Debug, Default)]
pub struct WipingAllocator;

// SAFETY: every call is forwarded to `System` with the caller's own arguments; `dealloc` first writes `layout.size()` bytes to a block
// that the caller has given up and that is at least that long.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is `System`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is `System`'s contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` is a live block of `layout`, by the caller's contract. The empty assembly may read all memory as far as the
        // compiler knows, so the zeros are not a dead store.
        unsafe {
            block.write_bytes(0, layout.size());
            asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags));
            System.dealloc(block, layout);
        }
    }
}
