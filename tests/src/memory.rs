//! A look into another process's memory, for canaries: Linux `/proc/PID/maps` and `/proc/PID/mem`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

const STEP: usize = 1 << 20;

/// How often `marker` stands in the writable memory of process `id`.
///
/// Errors where that memory cannot be read at all: a search that saw nothing must never look like one that found nothing.
pub fn occurrences(id: u32, marker: &[u8]) -> io::Result<usize> {
    let memory = File::open(format!("/proc/{id}/mem"))?;
    let mut searched = 0_u64;
    let mut found = 0;
    for (start, end) in writable_regions(&fs::read_to_string(format!("/proc/{id}/maps"))?) {
        let (bytes, hits) = search_region(&memory, start, end, marker);
        searched += bytes;
        found += hits;
    }
    if searched < STEP as u64 {
        return Err(io::Error::other(format!(
            "only {searched} bytes of process {id} could be read"
        )));
    }
    Ok(found)
}

fn writable_regions(maps: &str) -> impl Iterator<Item = (u64, u64)> + '_ {
    maps.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        words.next()?.starts_with("rw").then_some(())?;
        Some((
            u64::from_str_radix(start, 16).ok()?,
            u64::from_str_radix(end, 16).ok()?,
        ))
    })
}

/// Bytes read and hits in one region; windows overlap by the marker's length less one, so that no hit is missed or counted twice.
fn search_region(memory: &File, start: u64, end: u64, marker: &[u8]) -> (u64, usize) {
    let mut buffer = vec![0; STEP + marker.len() - 1];
    let (mut at, mut read, mut hits) = (start, 0, 0);
    let blank = vec![0; buffer.len()];
    while at < end {
        let want = usize::try_from(end - at).map_or(buffer.len(), |left| left.min(buffer.len()));
        let Some(window) = buffer.get_mut(..want) else {
            break;
        };
        let Ok(got) = memory.read_at(window, at) else {
            break;
        };
        if got == 0 {
            break;
        }
        let seen = window.get(..got).unwrap_or_default();
        // Pages that nobody has touched, most of what an engine reserves, are quickly looked through.
        if blank.get(..got) != Some(seen) {
            hits += count(seen, marker);
        }
        read += got as u64;
        at += STEP.min(got) as u64;
    }
    (read, hits)
}

/// Occurrences of `marker` in `bytes`, overlapping ones too.
#[must_use]
pub fn count(bytes: &[u8], marker: &[u8]) -> usize {
    bytes
        .windows(marker.len().max(1))
        .filter(|window| *window == marker)
        .count()
}
