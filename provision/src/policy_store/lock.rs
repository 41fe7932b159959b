//! One process at a time: an advisory lock on `policy.lock`, which goes with its handle, however the process ends.

use super::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// A transaction takes some hundredths of a second on a slow disk.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(5);

/// Held until it is dropped; `None` where there is nothing to lock and no way to make it.
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] Option<File>);

impl Lock {
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("policy.lock");
        let opened = open(&path).map_err(|source| StoreError::write(&path, source))?;
        if let Some(file) = &opened {
            wait(file, &path, PATIENCE)?;
        }
        Ok(Self(opened))
    }
}

/// On a disk that is read only, a lock that others made can still be held, and one that nobody made needs no holding.
fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let created = options.write(true).create(true).truncate(false).open(path);
    match created {
        Err(error) if is_read_only(&error) => match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        },
        created => created.map(Some),
    }
}

fn is_read_only(error: &io::Error) -> bool {
    let kind = error.kind();
    kind == ErrorKind::PermissionDenied || kind == ErrorKind::ReadOnlyFilesystem
}

fn wait(file: &File, path: &Path, patience: Duration) -> Result<(), StoreError> {
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(StoreError::write(path, source)),
            Err(TryLockError::WouldBlock) if began.elapsed() >= patience => {
                let path = path.to_owned();
                return Err(StoreError::Busy { path });
            }
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    #[test]
    fn a_lock_that_is_not_let_go_is_an_error_and_one_that_is_can_be_had() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("policy.lock");
        let held = Lock::take(folder.path()).unwrap();
        let file = open(&path).unwrap().unwrap();
        let error = wait(&file, &path, Duration::ZERO).unwrap_err();
        assert_eq!(error.code(), "provision.memory.busy");
        assert!(error.to_string().contains("policy.lock"));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&file, &path, PATIENCE));
            drop(held);
            waiting.join().unwrap().unwrap();
        });
    }
}
