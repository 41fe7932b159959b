//! Memory for secrets at rest. `memfd_secret(2)` where the kernel has it: pages that the kernel itself has unmapped, so that neither
//! `/proc/PID/mem`, ptrace nor a core dump shows them. Elsewhere anonymous memory, locked where the limit allows.
//!
//! Each secret has pages of its own: there are a handful at a time, and what is unmapped cannot be read late.
#![expect(
    unsafe_code,
    reason = "an edge to the operating system: mapping, locking and unmapping memory, and one system call that has no wrapper"
)]

#[cfg(test)]
mod tests;

use crate::telemetry;
use protocol::secret::{KeptSecret, SecretMemory};
use rustix::{
    fs::ftruncate,
    io::{Errno, Result},
    mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap, mmap_anonymous, munmap},
};
use std::{
    os::fd::{AsFd, FromRawFd, OwnedFd},
    ptr, slice,
};
use zeroize::Zeroize;

/// The best memory for secrets that this system gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretPages {
    kind: PageKind,
}

/// Kinds of memory for secrets, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// `memfd_secret(2)`: outside the kernel's own map, never swapped.
    Secret,
    /// Anonymous, locked, not in core dumps, not inherited.
    Locked,
    /// As [`PageKind::Locked`], but not locked: swap has to be off.
    Unlocked,
}

impl PageKind {
    const ALL: [Self; 3] = [Self::Secret, Self::Locked, Self::Unlocked];

    /// Stable name, for the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secret => "memfd_secret",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
        }
    }
}

impl SecretPages {
    /// Tries what there is and says in the log what it was.
    #[must_use]
    pub fn probe() -> Self {
        let works = |kind: &PageKind| Pages::filled(*kind, &[0]).is_ok();
        let kind = PageKind::ALL.into_iter().find(works);
        let kind = kind.unwrap_or(PageKind::Unlocked);
        telemetry::secret_memory(kind);
        Self { kind }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(self) -> PageKind {
        self.kind
    }

    /// `secret` in the best pages to be had; where a limit is reached since, the next best, which the log says.
    fn pages(self, secret: &[u8]) -> Result<Pages> {
        if let Ok(pages) = Pages::filled(self.kind, secret) {
            return Ok(pages);
        }
        for kind in PageKind::ALL {
            if let Ok(pages) = Pages::filled(kind, secret) {
                telemetry::secret_memory(kind);
                return Ok(pages);
            }
        }
        Err(Errno::NOMEM)
    }
}

impl SecretMemory for SecretPages {
    fn keep(&self, secret: &[u8]) -> Box<dyn KeptSecret> {
        // Without a page the process ends, as it does where the heap is exhausted.
        let pages = self.pages(secret);
        Box::new(pages.unwrap_or_else(|_| std::process::abort()))
    }
}

/// A mapping of its own for one secret.
struct Pages {
    start: *mut u8,
    /// Bytes of the secret.
    length: usize,
    /// Bytes mapped, not none.
    mapped: usize,
}

// SAFETY: the mapping belongs to the value alone, is written before it is shared, and nothing of it is bound to a thread.
unsafe impl Send for Pages {}
// SAFETY: as above; shared, it is only read.
unsafe impl Sync for Pages {}

impl Pages {
    fn filled(kind: PageKind, secret: &[u8]) -> Result<Self> {
        let mut pages = match kind {
            PageKind::Secret => Self::map_secret(secret.len())?,
            PageKind::Locked | PageKind::Unlocked => Self::map_anonymous(secret.len())?,
        };
        if kind == PageKind::Locked {
            pages.lock()?;
        }
        let (place, _) = pages.bytes_mut().split_at_mut(secret.len());
        place.copy_from_slice(secret);
        Ok(pages)
    }

    fn map_secret(length: usize) -> Result<Self> {
        let mapped = length.max(1);
        let file = memfd_secret()?;
        ftruncate(&file, mapped as u64)?;
        let (access, shared) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: the kernel chooses the address, so that no other mapping is touched.
        let start = unsafe { mmap(ptr::null_mut(), mapped, access, shared, file.as_fd(), 0)? };
        Self::alone(start.cast(), length, mapped)
    }

    fn map_anonymous(length: usize) -> Result<Self> {
        let mapped = length.max(1);
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: as in `map_secret`.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), mapped, access, MapFlags::PRIVATE)? };
        Self::alone(start.cast(), length, mapped)
    }

    /// A new mapping that no core dump and no child of this process has.
    fn alone(start: *mut u8, length: usize, mapped: usize) -> Result<Self> {
        let pages = Self {
            start,
            length,
            mapped,
        };
        for advice in [Advice::LinuxDontDump, Advice::LinuxDontFork] {
            // SAFETY: neither advice changes what this process reads from its mapping.
            unsafe { madvise(start.cast(), mapped, advice)? };
        }
        Ok(pages)
    }

    fn lock(&self) -> Result<()> {
        // SAFETY: `start` and `mapped` are those of a live mapping.
        unsafe { mlock(self.start.cast(), self.mapped) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is `mapped` bytes long, readable, writable, zeroed by the kernel, and borrowed as `self` is.
        unsafe { slice::from_raw_parts_mut(self.start, self.mapped) }
    }
}

impl KeptSecret for Pages {
    fn expose(&self) -> &[u8] {
        // SAFETY: the mapping is at least `length` bytes long, and `&self` keeps it alive and unwritten.
        unsafe { slice::from_raw_parts(self.start, self.length) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        // SAFETY: the mapping is this value's own, and no reference into it outlives the value. Nothing can be done where it fails.
        let _ = unsafe { munmap(self.start.cast(), self.mapped) };
    }
}

/// A file whose pages only this process's mappings show.
fn memfd_secret() -> Result<OwnedFd> {
    // SAFETY: the call takes flags alone and gives a new descriptor or -1.
    let file = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    match i32::try_from(file) {
        // SAFETY: a descriptor that the kernel has just made, and that nobody else owns.
        Ok(file) if file >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(file) }),
        _ => Err(Errno::NOSYS),
    }
}
