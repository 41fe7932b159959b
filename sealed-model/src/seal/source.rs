//! What is sealed: the files of a folder, or one file.

use super::SealError;
use crate::{FileName, Folder, MAX_FILES, OpenError, collision::misplaced, folder::Access};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Deepest nesting of folders.
const MAX_DEPTH: usize = 32;

/// The files to be sealed.
pub(super) struct Source {
    root: PathBuf,
    folder: Folder,
    /// Ascending.
    files: Vec<FileName>,
}

impl Source {
    /// All files below the folder at `path`, or the file at `path`. Links are refused.
    pub(super) fn open(path: &Path) -> Result<Self, SealError> {
        let metadata = fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
        let (root, mut files) = if metadata.is_dir() {
            (path.to_owned(), below(path)?)
        } else if metadata.is_file() {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.and_then(FileName::parse);
            let name = name.ok_or_else(|| SealError::Name(path.to_owned()))?;
            (folder_of(path), vec![name])
        } else {
            return Err(SealError::Link(path.to_owned()));
        };
        files.sort_unstable();
        if files.is_empty() {
            return Err(SealError::Limits);
        }
        if let Some(name) = misplaced(files.iter()) {
            return Err(SealError::Name(root.join(name.as_str())));
        }
        let folder = Folder::open(&root).map_err(|error| not_read(&root, &error))?;
        Ok(Self {
            root,
            folder,
            files,
        })
    }

    pub(super) fn files(&self) -> &[FileName] {
        &self.files
    }

    /// The file `name` and its length.
    pub(super) fn file(&self, name: &FileName) -> Result<(File, u64), SealError> {
        let file = self.folder.file(name.as_str(), Access::Read);
        let file = file.map_err(|error| not_read(&self.path(name), &error))?;
        let length = file
            .metadata()
            .map_err(|error| self.unreadable(name, &error))?;
        Ok((file, length.len()))
    }

    pub(super) fn path(&self, name: &FileName) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// A file that ends early has changed since its length was asked for.
    pub(super) fn unreadable(&self, name: &FileName, error: &io::Error) -> SealError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => SealError::Changed(self.path(name)),
            _ => unreadable(&self.path(name), error),
        }
    }
}

fn folder_of(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new(".")).to_owned()
}

fn below(root: &Path) -> Result<Vec<FileName>, SealError> {
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if depth > MAX_DEPTH {
            return Err(SealError::Name(folder));
        }
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(&path, &error))?;
            if kind.is_dir() {
                folders.push((path, depth + 1));
            } else if kind.is_file() {
                files.push(name_below(root, &path)?);
            } else {
                return Err(SealError::Link(path));
            }
            if files.len() > MAX_FILES {
                return Err(SealError::Limits);
            }
        }
    }
    Ok(files)
}

fn name_below(root: &Path, path: &Path) -> Result<FileName, SealError> {
    let name = path.strip_prefix(root).ok().and_then(Path::to_str);
    let name = name.and_then(FileName::parse);
    name.ok_or_else(|| SealError::Name(path.to_owned()))
}

fn unreadable(path: &Path, error: &io::Error) -> SealError {
    SealError::Source {
        path: path.to_owned(),
        kind: error.kind(),
    }
}

fn not_read(path: &Path, error: &OpenError) -> SealError {
    let path = path.to_owned();
    match error {
        OpenError::Link(_) => SealError::Link(path),
        OpenError::Io { kind, .. } => SealError::Source { path, kind: *kind },
        _ => SealError::Source {
            path,
            kind: io::ErrorKind::NotFound,
        },
    }
}
