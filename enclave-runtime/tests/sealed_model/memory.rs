//! What the kernel shows of this process's memory, as `/proc/PID/mem` and a core dump have it.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
};

const STEP: usize = 1024 * 1024;
/// What is looked for is in memory only under this mask, but where it should not be.
const MASK: u8 = 0xa5;

/// A secret that can be looked for without being there.
pub(crate) struct Masked(Vec<u8>);

impl Masked {
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(secret.iter().map(|byte| byte ^ MASK).collect())
    }

    /// How often it is in memory.
    pub(crate) fn occurrences(&self) -> usize {
        let memory = File::open("/proc/self/mem").unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let readable = maps.lines().filter_map(range);
        readable
            .map(|(from, to)| self.within(&memory, from, to))
            .sum()
    }

    /// Pieces overlap, so that none is missed on a border; a page that cannot be read shows nothing to anybody.
    fn within(&self, memory: &File, from: u64, to: u64) -> usize {
        let mut piece = vec![0; STEP + self.0.len()];
        let starts = (from..to).step_by(STEP);
        let found = starts.map(|start| {
            let length = piece.len().min((to - start) as usize);
            let read = memory.read_at(&mut piece[..length], start).unwrap_or(0);
            self.count(&piece[..read])
        });
        let found = found.sum();
        piece.fill(0);
        found
    }

    fn count(&self, piece: &[u8]) -> usize {
        let first = self.0[0] ^ MASK;
        let is_it = |at: &usize| {
            let found = piece[*at..].iter().zip(&self.0);
            piece.len() - at >= self.0.len()
                && found.clone().all(|(byte, masked)| byte ^ MASK == *masked)
        };
        let places = piece.iter().enumerate();
        let places = places.filter(|(_, byte)| **byte == first).map(|(at, _)| at);
        places.filter(is_it).count()
    }
}

/// The addresses of a readable mapping.
fn range(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split(' ');
    let (from, to) = words.next()?.split_once('-')?;
    let is_readable = words.next()?.starts_with('r') && !line.ends_with("[vvar]");
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    is_readable.then_some((number(from)?, number(to)?))
}
