//! The files of a model: one GGUF file, and whatever lies beside it.

use super::super::{Exit, Failure, files};
use attestation::Digest;
use engine::{
    describe::{ModelDescription, describe},
    gguf::{Gguf, GgufError},
    local::LoadError,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Most files that a model directory may have.
const MAX_FILES: usize = 4096;

/// A model directory, read.
pub(super) struct ModelFolder {
    pub(super) model: ModelDescription,
    pub(super) weights: ModelFile,
    /// Everything else, by name.
    pub(super) others: Vec<ModelFile>,
}

/// One file by name and digest.
pub(super) struct ModelFile {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) sha256: Digest,
}

impl ModelFolder {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let (weights, others) = if path.is_dir() {
            split(path)?
        } else {
            (path.to_owned(), Vec::new())
        };
        let gguf = Gguf::open(&weights).map_err(LoadError::Gguf);
        let model = gguf.and_then(|gguf| describe(&gguf));
        let model = model.map_err(|error| unusable(&weights, &error))?;
        let others = others.iter().map(|path| ModelFile::read(path));
        Ok(Self {
            weights: ModelFile::known(&weights, model.model_digest)?,
            others: others.collect::<Result<_, _>>()?,
            model,
        })
    }
}

impl ModelFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        Self::known(path, files::sha256(path)?)
    }

    fn known(path: &Path, sha256: Digest) -> Result<Self, Failure> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| {
            let message = format!("{} has no name in UTF-8", path.display());
            Failure::new(Exit::Malformed, "aibom.file_name", message)
        })?;
        let metadata = fs::metadata(path).map_err(|error| unlisted(path, &error))?;
        Ok(Self {
            name: name.to_owned(),
            size_bytes: metadata.len(),
            sha256,
        })
    }
}

/// The one GGUF file of a directory, and its other files by name. Nothing is left out silently.
fn split(directory: &Path) -> Result<(PathBuf, Vec<PathBuf>), Failure> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| unlisted(directory, &error))? {
        let path = entry.map_err(|error| unlisted(directory, &error))?.path();
        if !path.is_file() {
            return Err(unexpected(&path));
        }
        paths.push(path);
        if paths.len() > MAX_FILES {
            let message = format!("{} has more than {MAX_FILES} files", directory.display());
            return Err(Failure::new(
                Exit::Malformed,
                "aibom.too_many_files",
                message,
            ));
        }
    }
    paths.sort();
    let is_weights = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "gguf")
    };
    let (mut weights, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_weights);
    match (weights.pop(), weights.len()) {
        (Some(only), 0) => Ok((only, others)),
        (one, more) => Err(not_one(directory, more + usize::from(one.is_some()))),
    }
}

fn not_one(directory: &Path, found: usize) -> Failure {
    let message = format!("{} has {found} GGUF files, not one", directory.display());
    Failure::new(Exit::Malformed, "aibom.weights", message)
        .advice("give the GGUF file itself, or a directory for each model")
}

fn unexpected(path: &Path) -> Failure {
    let message = format!("{} is not a plain file", path.display());
    Failure::new(Exit::Malformed, "aibom.not_a_file", message)
        .advice("a bill of materials that left it out would not be whole: put the model's files flat into one directory")
}

fn unlisted(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be read: {error}", path.display());
    Failure::usage("file.read", message).advice("check the path and its permissions")
}

fn unusable(path: &Path, error: &LoadError) -> Failure {
    let message = format!("{}: {error}", path.display());
    match error {
        LoadError::Gguf(GgufError::Io(_)) => Failure::usage(error.code(), message),
        _ => Failure::new(Exit::Malformed, error.code(), message),
    }
}
