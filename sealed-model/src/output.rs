//! A folder that takes its name when all of it is there and on disk; what was interrupted stays beside it and goes on.

use crate::{FileName, Folder, OpenError, audience::Audience, folder::Access};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Held locked by who works on an unfinished output.
pub(crate) const UNFINISHED: &str = ".unfinished";
/// What an output is called until it is finished.
const PART_SUFFIX: &str = ".part";

/// Why an output was not written; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// It is there already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// Another process works on it.
    #[error("another process works on {}", .0.display())]
    Busy(PathBuf),
    /// What is in the unfinished output and is none of the model's, or that others have a hand in.
    #[error("{} is not of this model, or not this user's alone: move it away", .0.display())]
    Stranger(PathBuf),
    /// It cannot be written.
    #[error("{} cannot be written: {kind}", path.display())]
    Write {
        /// What could not be written.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

impl OutputError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Exists(_) => "sealed.output.exists",
            Self::Busy(_) => "sealed.output.busy",
            Self::Stranger(_) => "sealed.output.stranger",
            Self::Write { .. } => "sealed.output.write",
        }
    }

    fn write(path: &Path, error: &io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            kind: error.kind(),
        }
    }
}

/// An unfinished output.
pub(crate) struct PartFolder {
    out: PathBuf,
    part: PathBuf,
    folder: Folder,
    audience: Audience,
    /// Locked as long as this is there.
    lock: File,
    /// Device and inode of each file that was opened.
    opened: Mutex<BTreeSet<(u64, u64)>>,
}

impl PartFolder {
    /// Begins what will be called `out`, or goes on with it.
    pub(crate) fn begin(out: &Path, audience: Audience) -> Result<Self, OutputError> {
        if fs::symlink_metadata(out).is_ok() {
            return Err(OutputError::Exists(out.to_owned()));
        }
        let part = part_of(out);
        match DirBuilder::new().mode(audience.folder_mode()).create(&part) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(OutputError::write(&part, &error));
            }
            _ => {}
        }
        let folder = Folder::open_for(&part, audience);
        let folder = folder.map_err(|error| not_written(&part, &error))?;
        let lock = folder.file(UNFINISHED, Access::Write(Audience::Owner));
        let lock = lock.map_err(|error| not_written(&part, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OutputError::Busy(part)),
            Err(TryLockError::Error(error)) => return Err(OutputError::write(&part, &error)),
        }
        Ok(Self {
            out: out.to_owned(),
            part,
            folder,
            audience,
            lock,
            opened: Mutex::default(),
        })
    }

    /// What the locked file holds: some bytes that belong to this output, made by `new` where they are not there yet.
    pub(crate) fn remembered<const N: usize>(
        &self,
        new: impl FnOnce() -> Option<[u8; N]>,
    ) -> Result<Option<[u8; N]>, OutputError> {
        let mut bytes = [0; N];
        if self.lock.read_exact_at(&mut bytes, 0).is_ok() {
            return Ok(Some(bytes));
        }
        let Some(bytes) = new() else {
            return Ok(None);
        };
        let written = self.lock.write_all_at(&bytes, 0);
        let written = written.and_then(|()| self.lock.sync_all());
        written.map_err(|error| self.unwritable(UNFINISHED, &error))?;
        Ok(Some(bytes))
    }

    /// The file at `name`, made where it is not there. Each is opened once: two names of one file are refused, however the file system folds names.
    pub(crate) fn file(&self, name: &str) -> Result<File, OutputError> {
        let file = self.folder.file(name, Access::Write(self.audience));
        let file = file.map_err(|error| not_written(&self.part.join(name), &error))?;
        let metadata = file.metadata();
        let metadata = metadata.map_err(|error| self.unwritable(name, &error))?;
        let opened = self.opened.lock();
        let mut opened = opened.unwrap_or_else(PoisonError::into_inner);
        match opened.insert((metadata.dev(), metadata.ino())) {
            true => Ok(file),
            false => Err(OutputError::Stranger(self.part.join(name))),
        }
    }

    /// Writes a whole file.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), OutputError> {
        let file = self.file(name)?;
        let written = file.set_len(0).and_then(|()| file.write_all_at(bytes, 0));
        let written = written.and_then(|()| file.sync_all());
        written.map_err(|error| self.unwritable(name, &error))
    }

    pub(crate) fn unwritable(&self, name: &str, error: &io::Error) -> OutputError {
        OutputError::write(&self.part.join(name), error)
    }

    /// Gives the output its name, if it has no other files than `names`.
    pub(crate) fn finish(self, names: &BTreeSet<String>) -> Result<(), OutputError> {
        let folders = self.folders(names)?;
        for folder in &folders {
            sync(folder)?;
        }
        let renamed = fs::rename(&self.part, &self.out);
        renamed.map_err(|error| OutputError::write(&self.out, &error))?;
        let lock = self.out.join(UNFINISHED);
        fs::remove_file(&lock).map_err(|error| OutputError::write(&lock, &error))?;
        sync(&self.out)?;
        match self.out.parent().filter(|parent| *parent != Path::new("")) {
            Some(parent) => sync(parent),
            None => sync(Path::new(".")),
        }
    }

    /// All folders of the output, which has no other files than `names`.
    fn folders(&self, names: &BTreeSet<String>) -> Result<Vec<PathBuf>, OutputError> {
        let mut folders = vec![self.part.clone()];
        let mut next = 0;
        while let Some(folder) = folders.get(next).cloned() {
            next += 1;
            let unreadable = |error: io::Error| OutputError::write(&folder, &error);
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                let path = entry.path();
                if entry.file_type().map_err(unreadable)?.is_dir() {
                    folders.push(path);
                } else if !self.belongs(&path, names) {
                    return Err(OutputError::Stranger(path));
                }
            }
        }
        Ok(folders)
    }

    fn belongs(&self, path: &Path, names: &BTreeSet<String>) -> bool {
        let name = path.strip_prefix(&self.part).ok().and_then(Path::to_str);
        name.is_some_and(|name| name == UNFINISHED || names.contains(name))
    }
}

/// The names of all sealed files of `names`.
pub(crate) fn stored_names<'a>(names: impl Iterator<Item = &'a FileName>) -> BTreeSet<String> {
    names.map(FileName::stored).collect()
}

/// `OUT.part`, also where `OUT/` was given.
fn part_of(out: &Path) -> PathBuf {
    let mut name = OsString::from(out.components().as_path());
    name.push(PART_SUFFIX);
    PathBuf::from(name)
}

fn sync(folder: &Path) -> Result<(), OutputError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| OutputError::write(folder, &error))
}

fn not_written(path: &Path, error: &OpenError) -> OutputError {
    let kind = match error {
        OpenError::Link(_) => return OutputError::Stranger(path.to_owned()),
        OpenError::Io { kind, .. } => *kind,
        OpenError::Missing(_) => io::ErrorKind::NotFound,
        _ => io::ErrorKind::InvalidInput,
    };
    OutputError::Write {
        path: path.to_owned(),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::Permissions,
        os::unix::fs::{PermissionsExt, symlink},
    };

    fn begin(out: &Path) -> Result<PartFolder, OutputError> {
        PartFolder::begin(out, Audience::Owner)
    }

    #[test]
    fn an_output_takes_its_name_at_the_end() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let part = begin(&out.join("")).unwrap();
        part.write("a/b", b"text").unwrap();
        assert!(!out.exists());
        part.finish(&BTreeSet::from(["a/b".to_owned()])).unwrap();
        assert_eq!(fs::read(out.join("a/b")).unwrap(), b"text");
        assert!(!out.join(UNFINISHED).exists() && !part_of(&out).exists());
        let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(""), mode("a"), mode("a/b")], [0o700, 0o700, 0o600]);
    }

    #[test]
    fn what_is_there_is_not_written_over() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        symlink("nowhere", &out).unwrap();
        assert_eq!(begin(&out).err().unwrap().code(), "sealed.output.exists");
    }

    #[test]
    fn two_do_not_work_on_one_output() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let first = begin(&out).unwrap();
        assert_eq!(begin(&out).err().unwrap().code(), "sealed.output.busy");
        drop(first);
        assert!(begin(&out).is_ok());
    }

    #[test]
    fn a_stranger_is_not_handed_on() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let part = begin(&out).unwrap();
        part.write("a/c", b"text").unwrap();
        let error = part.finish(&BTreeSet::from(["a/b".to_owned()]));
        assert_eq!(error.unwrap_err().code(), "sealed.output.stranger");
        assert!(!out.exists());
    }

    #[test]
    fn a_folder_that_others_may_use_is_not_written_to() {
        let place = tempfile::tempdir().unwrap();
        let [out, part] = ["out", "out.part"].map(|name| place.path().join(name));
        for (audience, mode) in [(Audience::Owner, 0o750), (Audience::All, 0o777)] {
            fs::create_dir(&part).unwrap();
            fs::set_permissions(&part, Permissions::from_mode(mode)).unwrap();
            let error = PartFolder::begin(&out, audience).err().unwrap();
            assert_eq!(error, OutputError::Stranger(part.clone()));
            fs::remove_dir(&part).unwrap();
        }
    }

    #[test]
    fn a_file_that_others_may_use_is_not_written_to() {
        let place = tempfile::tempdir().unwrap();
        let part = begin(&place.path().join("out")).unwrap();
        for (name, mode) in [("a", 0o666), ("b", 0o640), ("c/d", 0o600)] {
            part.file(name).unwrap();
            let path = place.path().join("out.part").join(name);
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
        let other = begin_again(part, place.path());
        for name in ["a", "b"] {
            assert_eq!(
                other.file(name).unwrap_err().code(),
                "sealed.output.stranger"
            );
        }
        let folder = place.path().join("out.part/c");
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        assert_eq!(
            other.file("c/d").unwrap_err().code(),
            "sealed.output.stranger"
        );
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let target = folder.join("d");
        fs::hard_link(&target, place.path().join("kept")).unwrap();
        assert_eq!(
            other.file("c/d").unwrap_err().code(),
            "sealed.output.stranger"
        );
        fs::remove_file(place.path().join("kept")).unwrap();
        assert!(other.file("c/d").is_ok());
    }

    fn begin_again(part: PartFolder, place: &Path) -> PartFolder {
        drop(part);
        begin(&place.join("out")).unwrap()
    }

    #[test]
    fn a_file_is_opened_under_one_name() {
        let place = tempfile::tempdir().unwrap();
        let part = begin(&place.path().join("out")).unwrap();
        part.file("a").unwrap();
        assert_eq!(part.file("a").unwrap_err().code(), "sealed.output.stranger");
    }

    #[test]
    fn a_place_that_is_not_there_cannot_be_written() {
        let place = tempfile::tempdir().unwrap();
        let error = begin(&place.path().join("no/out")).err().unwrap();
        assert_eq!(error.code(), "sealed.output.write");
    }

    #[test]
    fn bytes_are_remembered() {
        let place = tempfile::tempdir().unwrap();
        let part = begin(&place.path().join("out")).unwrap();
        assert_eq!(part.remembered(|| None::<[u8; 4]>), Ok(None));
        assert_eq!(part.remembered(|| Some([1; 4])), Ok(Some([1; 4])));
        assert_eq!(part.remembered(|| Some([2; 4])), Ok(Some([1; 4])));
    }
}
