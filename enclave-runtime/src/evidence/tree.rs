//! configfs-tsm as a tree of files: one folder per report, made and removed by its user, with attributes that the kernel fills in.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::PathBuf,
};

/// A folder of report entries. The kernel's is [`Configfs`].
pub trait ReportTree: Send + Sync {
    /// Makes entry `name`; fails if it exists.
    fn create(&self, name: &str) -> io::Result<()>;
    /// Writes an attribute of an entry, in one piece.
    fn write(&self, name: &str, attribute: &str, bytes: &[u8]) -> io::Result<()>;
    /// Reads an attribute of at most `max_bytes`.
    fn read(&self, name: &str, attribute: &str, max_bytes: usize) -> io::Result<Vec<u8>>;
    /// Removes an entry.
    fn remove(&self, name: &str) -> io::Result<()>;
}

impl<T: ReportTree> ReportTree for &T {
    fn create(&self, name: &str) -> io::Result<()> {
        (**self).create(name)
    }

    fn write(&self, name: &str, attribute: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).write(name, attribute, bytes)
    }

    fn read(&self, name: &str, attribute: &str, max_bytes: usize) -> io::Result<Vec<u8>> {
        (**self).read(name, attribute, max_bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }
}

/// The tree under a root path, `/sys/kernel/config/tsm/report` on a guest.
#[derive(Clone, Debug)]
pub struct Configfs {
    root: PathBuf,
}

impl Configfs {
    /// The tree under `root`.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn attribute(&self, name: &str, attribute: &str) -> PathBuf {
        self.root.join(name).join(attribute)
    }
}

impl ReportTree for Configfs {
    fn create(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.root.join(name))
    }

    fn write(&self, name: &str, attribute: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.attribute(name, attribute);
        OpenOptions::new().write(true).open(path)?.write_all(bytes)
    }

    fn read(&self, name: &str, attribute: &str, max_bytes: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(max_bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        File::open(self.attribute(name, attribute))?
            .take(limit)
            .read_to_end(&mut bytes)?;
        if bytes.len() > max_bytes {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.root.join(name))
    }
}
