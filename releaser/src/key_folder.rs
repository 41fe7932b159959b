//! The folder of keys: one file for each model, `SHA-256 of the opened model` `.key`, its owner's alone. Only what is needed to find a key
//! stays in memory; the key is read for one release and wiped.

use attestation::Digest;
use protocol::key_release::{KeyId, MODEL_KEY_BYTES};
use rustix::fs::OFlags;
use sealed_model::ModelKey;
use std::{
    collections::HashMap,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Most keys in one folder.
const MAX_KEYS: usize = 10_000;
/// 64 hexadecimal digits and a line end.
const MAX_FILE_BYTES: usize = 2 * MODEL_KEY_BYTES + 1;
const EXTENSION: &str = ".key";
/// Modes with a bit of these let others than the owner read or write.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// Which keys there are. It holds none.
#[derive(Debug)]
pub struct KeyFolder {
    files: HashMap<(KeyId, Digest), PathBuf>,
}

/// Why a folder or a key in it is refused; `code()` is stable, and no text repeats anything of a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFolderError {
    /// The system refused.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// Others may use it.
    #[error("{0} can be used by others, or belongs to another user: a key has mode 0600, its folder 0700", path.display())]
    Permissions {
        /// The file or folder.
        path: PathBuf,
    },
    /// A link, a folder, or something else that is no file.
    #[error("{} is not a file: links are not followed", path.display())]
    NotAFile {
        /// What it is called.
        path: PathBuf,
    },
    /// A name that is no model's.
    #[error(
        "{} is not named after a model: 64 lower-case hexadecimal digits, the SHA-256 of the model, then .key",
        path.display()
    )]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// Not the key's form.
    #[error("{} is not a model's key: 64 hexadecimal digits and a line end, as narthex model keygen writes them", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// More than [`MAX_KEYS`], or none.
    #[error("{} needs 1 to {MAX_KEYS} keys", path.display())]
    Number {
        /// The folder.
        path: PathBuf,
    },
    /// The key is another than when the folder was read.
    #[error("{} holds another key than before: tell the releaser to read its folder again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl KeyFolderError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "key_folder.read",
            Self::Permissions { .. } => "key_folder.permissions",
            Self::NotAFile { .. } => "key_folder.not_a_file",
            Self::Name { .. } => "key_folder.name",
            Self::Malformed { .. } => "key_folder.malformed",
            Self::Number { .. } => "key_folder.number",
            Self::Changed { .. } => "key_folder.changed",
        }
    }
}

impl KeyFolder {
    /// Looks at every file of `folder` once.
    pub fn open(folder: &Path) -> Result<Self, KeyFolderError> {
        check_folder(folder)?;
        let mut files = HashMap::new();
        let listed = fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
        for entry in listed {
            let path = entry.map_err(|source| unreadable(folder, source))?.path();
            let model = model_of(&path)?;
            let key = read(&path)?;
            files.insert((KeyId(key.id().0), model), path);
            check_number(folder, files.len())?;
        }
        check_number(folder, files.len())?;
        Ok(Self { files })
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none, which [`Self::open`] refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether there is a key `id` of `model`.
    pub(crate) fn find(&self, id: KeyId, model: &Digest) -> Option<&Path> {
        self.files.get(&(id, *model)).map(PathBuf::as_path)
    }

    /// The key in `path`, which must still be `id`.
    pub(crate) fn read(path: &Path, id: KeyId) -> Result<ModelKey, KeyFolderError> {
        let key = read(path)?;
        if key.id().0 != id.0 {
            let path = path.to_owned();
            return Err(KeyFolderError::Changed { path });
        }
        Ok(key)
    }
}

fn check_folder(folder: &Path) -> Result<(), KeyFolderError> {
    let metadata = fs::metadata(folder).map_err(|source| unreadable(folder, source))?;
    match is_own(&metadata) && metadata.mode() & OTHERS_WRITE == 0 {
        true => Ok(()),
        false => Err(KeyFolderError::Permissions {
            path: folder.to_owned(),
        }),
    }
}

/// Whether it belongs to whoever runs this, or to root: a releaser that may read everything takes nobody else's keys.
fn is_own(metadata: &Metadata) -> bool {
    let this = rustix::process::geteuid().as_raw();
    [this, 0].contains(&metadata.uid())
}

fn check_number(folder: &Path, keys: usize) -> Result<(), KeyFolderError> {
    match (1..=MAX_KEYS).contains(&keys) {
        true => Ok(()),
        false => Err(KeyFolderError::Number {
            path: folder.to_owned(),
        }),
    }
}

/// The model that a file is named after.
fn model_of(path: &Path) -> Result<Digest, KeyFolderError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let digits = name.and_then(|name| name.strip_suffix(EXTENSION));
    digits.and_then(digest).ok_or_else(|| KeyFolderError::Name {
        path: path.to_owned(),
    })
}

fn digest(digits: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    hex::decode_to_slice(digits, &mut digest).ok()?;
    (hex::encode(digest) == digits).then_some(digest)
}

fn read(path: &Path) -> Result<ModelKey, KeyFolderError> {
    let file = open_own(path)?;
    // The capacity suffices, so that no outgrown copy stays behind unwiped.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES + 1));
    let read = file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut text);
    read.map_err(|source| unreadable(path, source))?;
    ModelKey::from_file(&text).ok_or_else(|| KeyFolderError::Malformed {
        path: path.to_owned(),
    })
}

/// Opens a file that is no link and its owner's alone.
fn open_own(path: &Path) -> Result<File, KeyFolderError> {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.read(true).custom_flags(flags.bits().cast_signed());
    let file = options.open(path).map_err(|source| {
        match source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            true => not_a_file(path),
            false => unreadable(path, source),
        }
    })?;
    let metadata = file.metadata().map_err(|source| unreadable(path, source))?;
    if !metadata.is_file() {
        return Err(not_a_file(path));
    }
    match is_own(&metadata) && metadata.mode() & OTHERS == 0 {
        true => Ok(file),
        false => Err(KeyFolderError::Permissions {
            path: path.to_owned(),
        }),
    }
}

fn unreadable(path: &Path, source: io::Error) -> KeyFolderError {
    KeyFolderError::Read {
        path: path.to_owned(),
        source,
    }
}

fn not_a_file(path: &Path) -> KeyFolderError {
    KeyFolderError::NotAFile {
        path: path.to_owned(),
    }
}
