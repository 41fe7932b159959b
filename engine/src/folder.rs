//! Model folders as Hugging Face lays them out: `config.json`, weights as safetensors in one file or several, and the files of
//! the tokenizer.
//!
//! Only files that something here reads are read, each once and within a cap; they are what the folder's digest covers.

mod error;
mod index;
mod kind;
mod settings;

use std::{
    collections::BTreeMap,
    mem,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

pub use error::FolderError;
pub use kind::FolderKind;
pub(crate) use settings::{SettingFault, Settings};

use crate::{
    file::{self, FileError},
    gguf::Tensor,
    model::json::Json,
    safetensors::{LooseSafetensors, Safetensors, SafetensorsError},
};

/// The file that says how a model computes.
pub(crate) const CONFIG: &str = "config.json";
/// Weights in one file.
const WEIGHTS: &str = "model.safetensors";
/// Which tensor is in which of several files.
const INDEX: &str = "model.safetensors.index.json";

/// Files that are read where they are there, beside configuration and weights, and how large each may be.
const OTHERS: [(&str, u64); 9] = [
    ("1_Pooling/config.json", MAX_SMALL_BYTES),
    ("chat_template.jinja", MAX_SMALL_BYTES),
    ("generation_config.json", MAX_SMALL_BYTES),
    ("modules.json", MAX_SMALL_BYTES),
    ("sentence_bert_config.json", MAX_SMALL_BYTES),
    ("special_tokens_map.json", MAX_SMALL_BYTES),
    ("tokenizer.json", 64 << 20),
    ("tokenizer_config.json", 4 << 20),
    ("vocab.txt", 16 << 20),
];

/// Largest file that is no list of tokens, tensors or weights: 1 MiB. What is parsed of it takes some fifty times as much.
const MAX_SMALL_BYTES: u64 = 1 << 20;
/// Largest index: 16 MiB.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// A folder's files, read and digested.
pub struct ModelFolder {
    /// All but weights, by name.
    files: BTreeMap<&'static str, Vec<u8>>,
    /// What `config.json` has, if it is an object.
    config: Option<Json>,
    weights: Vec<Safetensors>,
    digest: [u8; 32],
}

impl ModelFolder {
    /// Reads the folder at `path`.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let mut reader = Reader {
            path: path.to_owned(),
            digests: BTreeMap::new(),
        };
        let config = reader.optional(CONFIG, MAX_SMALL_BYTES)?;
        let config = config.ok_or(FolderError::NoConfig)?;
        let mut files = BTreeMap::from([(CONFIG, config)]);
        for (name, most_bytes) in OTHERS {
            if let Some(bytes) = reader.optional(name, most_bytes)? {
                files.insert(name, bytes);
            }
        }
        let weights = reader.weights()?;
        Ok(Self::new(files, weights, &reader.digests))
    }

    fn new(
        files: BTreeMap<&'static str, Vec<u8>>,
        weights: Vec<Safetensors>,
        digests: &BTreeMap<String, [u8; 32]>,
    ) -> Self {
        let config = files.get(CONFIG);
        Self {
            config: config.and_then(|bytes| Json::parse(bytes).ok()),
            files,
            weights,
            digest: digest(digests),
        }
    }

    /// The folder of these files and weights, from memory.
    pub fn from_parts(
        files: impl IntoIterator<Item = (&'static str, Vec<u8>)>,
        weights: Safetensors,
    ) -> Self {
        let files: BTreeMap<_, _> = files.into_iter().collect();
        let digested = |(name, bytes): (&&str, &Vec<u8>)| ((*name).to_owned(), file::digest(bytes));
        let mut digests: BTreeMap<_, _> = files.iter().map(digested).collect();
        digests.insert(WEIGHTS.to_owned(), weights.digest());
        Self::new(files, vec![weights], &digests)
    }

    /// Whether weights of a folder are at `path`, with the file that says how they compute.
    pub fn is_at(path: &Path) -> bool {
        let has = |name| path.join(name).is_file();
        has(CONFIG) && (has(WEIGHTS) || has(INDEX))
    }

    /// SHA-256 of the list of the files that were read, as `sha256sum` prints it: for each of them in byte order of their
    /// names, its SHA-256 in lower-case hexadecimal, two spaces, its name below the folder, a line feed.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// A file that is not weights.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The object that a file has; none where it has none, or has a key twice.
    pub(crate) fn json(&self, name: &str) -> Option<Json> {
        match name {
            CONFIG => self.config.clone(),
            _ => Json::parse(self.file(name)?).ok(),
        }
    }

    /// Whether there is such a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.weights.iter().any(|weights| weights.has(name))
    }

    /// A tensor, as [`Safetensors::tensor`] gives it.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, SafetensorsError> {
        let missing = || SafetensorsError::MissingTensor(name.to_owned());
        let mut weights = self.weights.iter();
        let weights = weights.find(|weights| weights.has(name));
        weights.ok_or_else(missing)?.tensor(name)
    }

    /// Takes all tensors out of the folder, so that the memory of each can be given back by itself; the other files stay.
    pub(crate) fn take_tensors(&mut self) -> LooseSafetensors {
        let files = mem::take(&mut self.weights).into_iter();
        files.flat_map(Safetensors::into_tensors).collect()
    }

    /// Names of all tensors.
    pub fn tensor_names(&self) -> Vec<String> {
        self.weights.iter().flat_map(Safetensors::names).collect()
    }
}

/// Reads files and remembers their digests.
struct Reader {
    path: PathBuf,
    digests: BTreeMap<String, [u8; 32]>,
}

impl Reader {
    /// A file that is not weights, of at most so many bytes; none where there is none.
    fn optional(&mut self, name: &str, most_bytes: u64) -> Result<Option<Vec<u8>>, FolderError> {
        match file::read(&self.path.join(name), most_bytes) {
            Ok((bytes, digest)) => {
                self.digests.insert(name.to_owned(), digest);
                Ok(Some(bytes))
            }
            Err(FileError::Io(std::io::ErrorKind::NotFound)) => Ok(None),
            Err(error) => Err(FolderError::file(name, &error)),
        }
    }

    fn weights(&mut self) -> Result<Vec<Safetensors>, FolderError> {
        let Some(index) = self.optional(INDEX, MAX_INDEX_BYTES)? else {
            return Ok(vec![self.safetensors(WEIGHTS)?]);
        };
        if self.path.join(WEIGHTS).exists() {
            return Err(FolderError::TwoWeights);
        }
        let index = index::parse(&index)?;
        let files = index.keys().map(|file| self.safetensors(file));
        let weights: Vec<Safetensors> = files.collect::<Result<_, _>>()?;
        for ((file, listed), weights) in index.iter().zip(&weights) {
            index::check(file, listed, weights)?;
        }
        Ok(weights)
    }

    fn safetensors(&mut self, name: &str) -> Result<Safetensors, FolderError> {
        let weights = Safetensors::open(&self.path.join(name));
        let weights = weights.map_err(|error| FolderError::Weights {
            file: name.to_owned(),
            error,
        })?;
        self.digests.insert(name.to_owned(), weights.digest());
        Ok(weights)
    }
}

fn digest(files: &BTreeMap<String, [u8; 32]>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for (name, digest) in files {
        let hexadecimal = digest.iter().map(|byte| format!("{byte:02x}"));
        hasher.update(hexadecimal.collect::<String>());
        hasher.update(format!("  {name}\n"));
    }
    hasher.finalize().into()
}
