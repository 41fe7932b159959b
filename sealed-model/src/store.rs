//! Where a sealed model lies: a folder, or memory.

use crate::{FileName, MANIFEST_NAME, OpenError};
use std::{collections::BTreeMap, io, sync::Arc};

/// Where a sealed model lies. What it gives is verified, not believed.
pub trait Store: Send + Sync {
    /// The manifest's envelope, if it has at most `most_bytes`; longer, `most_bytes` + 1 of it.
    fn manifest(&self, most_bytes: usize) -> Result<Vec<u8>, OpenError>;

    /// The sealed file of `name`.
    fn file(&self, name: &FileName) -> Result<Box<dyn StoredFile>, OpenError>;
}

/// A sealed file, read anywhere by several threads at once.
pub trait StoredFile: Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` with what stands at `offset`; less is an error.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

/// A sealed model in memory, by the names of its files.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    files: BTreeMap<String, Arc<[u8]>>,
}

impl MemoryStore {
    /// Puts a file in; the manifest is [`MANIFEST_NAME`].
    pub fn insert(&mut self, stored: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.files.insert(stored.into(), bytes.into());
    }

    fn get(&self, stored: &str) -> Result<&Arc<[u8]>, OpenError> {
        let file = self.files.get(stored);
        file.ok_or_else(|| OpenError::Missing(stored.to_owned()))
    }
}

impl Store for MemoryStore {
    fn manifest(&self, most_bytes: usize) -> Result<Vec<u8>, OpenError> {
        let bytes = self.get(MANIFEST_NAME)?;
        Ok(bytes.iter().take(most_bytes + 1).copied().collect())
    }

    fn file(&self, name: &FileName) -> Result<Box<dyn StoredFile>, OpenError> {
        Ok(Box::new(Arc::clone(self.get(&name.stored())?)))
    }
}

impl StoredFile for Arc<[u8]> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let offset = usize::try_from(offset).map_err(|_| end())?;
        let rest = self.get(offset..).unwrap_or_default();
        let part = rest.get(..buffer.len()).ok_or_else(end)?;
        buffer.copy_from_slice(part);
        Ok(())
    }
}
