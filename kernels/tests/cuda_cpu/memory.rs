//! Memory like a device's: 16-byte aligned, holding nothing that anybody wrote, and ending where nobody may read or write.

use std::{marker::PhantomData, ptr, slice};

/// `len` values of plain data, in pages of their own, which end at (or fewer than 16 bytes before) a page without any rights.
pub struct Memory<T> {
    pages: *mut u8,
    page_bytes: usize,
    len: usize,
    values: PhantomData<T>,
}

// SAFETY: the pages belong to this value alone; kernels write to them only while they are borrowed for a launch.
unsafe impl<T: Send> Send for Memory<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Memory<T> {}

impl<T: Copy> Memory<T> {
    /// Holding `values`.
    pub fn of(values: &[T]) -> Self {
        let memory = Self::unwritten(values.len());
        // SAFETY: both are as long, and the pages are new.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), memory.start(), values.len()) };
        memory
    }

    /// Holding bytes of 255, which are not-a-number in every format.
    pub fn unwritten(len: usize) -> Self {
        // SAFETY: asks the system for a number.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let used = (len * size_of::<T>()).next_multiple_of(page);
        let page_bytes = used + page;
        let (rights, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: new pages, the last of which loses its rights; nothing else is there.
        let pages = unsafe {
            let pages = libc::mmap(ptr::null_mut(), page_bytes, rights, kind, -1, 0);
            assert_ne!(pages, libc::MAP_FAILED, "no memory");
            ptr::write_bytes(pages.cast::<u8>(), 0xff, used);
            assert_eq!(libc::mprotect(pages.add(used), page, libc::PROT_NONE), 0);
            pages.cast()
        };
        Self {
            pages,
            page_bytes: used,
            len,
            values: PhantomData,
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it holds now.
    pub fn read(&self) -> Vec<T> {
        // SAFETY: the pages are written in full, and no launch is under way that borrows them mutably elsewhere.
        unsafe { slice::from_raw_parts(self.start(), self.len) }.to_vec()
    }

    /// Overwrites the values from `index` on.
    pub fn write(&mut self, index: usize, values: &[T]) {
        assert!(index + values.len() <= self.len);
        // SAFETY: the range is within the pages, which are borrowed exclusively.
        unsafe { ptr::copy(values.as_ptr(), self.start().add(index), values.len()) };
    }

    /// Its address for a kernel.
    pub fn address(&self) -> u64 {
        self.start() as u64
    }

    fn start(&self) -> *mut T {
        let bytes = (self.len * size_of::<T>()).next_multiple_of(16);
        // SAFETY: the pages end no sooner than the values, rounded up to 16 bytes.
        unsafe { self.pages.add(self.page_bytes - bytes).cast() }
    }
}

impl<T> Drop for Memory<T> {
    fn drop(&mut self) {
        // SAFETY: the pages are this value's own, with the page behind them.
        unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            libc::munmap(self.pages.cast(), self.page_bytes + page);
        }
    }
}
