//! A folder whose files are opened component by component: no link is followed, below it nothing leads out of it.

use crate::{FileName, MANIFEST_NAME, OpenError, Store, StoredFile, audience::Audience};
use rustix::{
    fs::{Mode, OFlags, mkdirat, open, openat},
    io::Errno,
};
use std::{
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
};

/// A folder that is held open.
pub struct Folder {
    folder: File,
    /// How errors name it.
    path: String,
}

/// What may be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    /// Made for these where it is not there, read and written. What is there, folders on the way too, must be the user's.
    Write(Audience),
}

impl Access {
    fn flags(self) -> OFlags {
        // Without NONBLOCK opening a pipe that somebody put there would wait for ever.
        let always = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match self {
            Self::Read => always | OFlags::RDONLY,
            Self::Write(_) => always | OFlags::RDWR | OFlags::CREATE,
        }
    }

    const fn mode(self) -> Mode {
        match self {
            Self::Read => Mode::empty(),
            Self::Write(audience) => Mode::from_raw_mode(audience.file_mode()),
        }
    }

    fn admits(self, opened: &Metadata) -> bool {
        match self {
            Self::Read => true,
            Self::Write(audience) => audience.admits(opened),
        }
    }
}

const FOLDER_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl Folder {
    /// Opens the folder at `path`, which is no link itself.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let folder = open(path, FOLDER_FLAGS, Mode::empty()).map_err(|e| refused(&shown, e))?;
        Ok(Self {
            folder: File::from(folder),
            path: shown,
        })
    }

    /// The folder at `path`, if it is the user's and gives others no more than `audience` may have.
    pub(crate) fn open_for(path: &Path, audience: Audience) -> Result<Self, OpenError> {
        let folder = Self::open(path)?;
        let metadata = folder.folder.metadata();
        let metadata = metadata.map_err(|error| folder.unreadable("", &error))?;
        match audience.admits(&metadata) {
            true => Ok(folder),
            false => Err(OpenError::Link(folder.path)),
        }
    }

    /// The file at `name`, whose components are separated by `/`. For writing, folders on the way are made.
    pub(crate) fn file(&self, name: &str, access: Access) -> Result<File, OpenError> {
        let (above, last) = name.rsplit_once('/').unwrap_or(("", name));
        let mut folder: Option<File> = None;
        for component in above.split('/').filter(|component| !component.is_empty()) {
            let inside = folder.as_ref().unwrap_or(&self.folder);
            let entered = enter(inside, component, access).map_err(|e| self.refused(name, e))?;
            if !access.admits(&self.metadata(name, &entered)?) {
                return Err(OpenError::Link(self.below(name)));
            }
            folder = Some(entered);
        }
        let inside = folder.as_ref().unwrap_or(&self.folder);
        let file = openat(inside, last, access.flags(), access.mode());
        let file = File::from(file.map_err(|errno| self.refused(name, errno))?);
        let metadata = self.metadata(name, &file)?;
        match metadata.is_file() && access.admits(&metadata) {
            true => Ok(file),
            false => Err(OpenError::Link(self.below(name))),
        }
    }

    fn metadata(&self, name: &str, opened: &File) -> Result<Metadata, OpenError> {
        let metadata = opened.metadata();
        metadata.map_err(|error| self.unreadable(name, &error))
    }

    fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    fn refused(&self, name: &str, errno: Errno) -> OpenError {
        refused(&self.below(name), errno)
    }

    fn unreadable(&self, name: &str, error: &io::Error) -> OpenError {
        OpenError::Io {
            path: self.below(name),
            kind: error.kind(),
        }
    }
}

fn enter(folder: &File, component: &str, access: Access) -> Result<File, Errno> {
    if let Access::Write(audience) = access {
        let mode = Mode::from_raw_mode(audience.folder_mode());
        match mkdirat(folder, component, mode) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    openat(folder, component, FOLDER_FLAGS, Mode::empty()).map(File::from)
}

fn refused(path: &str, errno: Errno) -> OpenError {
    let path = path.to_owned();
    match errno {
        Errno::NOENT => OpenError::Missing(path),
        Errno::LOOP | Errno::NOTDIR | Errno::NXIO | Errno::ISDIR | Errno::MLINK => {
            OpenError::Link(path)
        }
        other => OpenError::Io {
            path,
            kind: io::Error::from(other).kind(),
        },
    }
}

impl Store for Folder {
    fn manifest(&self, most_bytes: usize) -> Result<Vec<u8>, OpenError> {
        let file = self.file(MANIFEST_NAME, Access::Read)?;
        let mut bytes = Vec::new();
        let read = file.take(most_bytes as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.unreadable(MANIFEST_NAME, &error))?;
        Ok(bytes)
    }

    fn file(&self, name: &FileName) -> Result<Box<dyn StoredFile>, OpenError> {
        Ok(Box::new(self.file(&name.stored(), Access::Read)?))
    }
}

impl StoredFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn no_link_is_followed() {
        let place = tempfile::tempdir().unwrap();
        let [model, other] = ["model", "other"].map(|name| place.path().join(name));
        fs::create_dir_all(model.join("inside")).unwrap();
        fs::create_dir_all(&other).unwrap();
        fs::write(other.join("file"), b"theirs").unwrap();
        symlink(&other, model.join("folder")).unwrap();
        symlink(other.join("file"), model.join("file")).unwrap();
        symlink(&model, place.path().join("link")).unwrap();
        let folder = Folder::open(&model).unwrap();
        for access in [Access::Read, Access::Write(Audience::All)] {
            for name in ["folder/file", "file", "inside"] {
                let error = folder.file(name, access).unwrap_err();
                assert_eq!(error.code(), "sealed.link", "{name} {access:?}");
            }
        }
        let link = Folder::open(&place.path().join("link")).err().unwrap();
        assert_eq!(link.code(), "sealed.link");
        assert_eq!(fs::read(other.join("file")).unwrap(), b"theirs");
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        for name in ["a", "a/b"] {
            let error = folder.file(name, Access::Read).unwrap_err();
            assert_eq!(error.code(), "sealed.missing");
        }
        assert!(folder.file("a/b", Access::Write(Audience::All)).is_ok());
        assert!(folder.file("a/b", Access::Read).is_ok());
    }
}
