//! `model.safetensors.index.json`: which tensor is in which file.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::FolderError;
use crate::{safetensors::Safetensors, strict_json};

/// Most files.
const MAX_FILES: usize = 1000;

/// What is read of the index.
#[derive(Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// Names of the files and of the tensors in each.
pub(super) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, BTreeSet<String>>, FolderError> {
    let index: Index = strict_json::parse(bytes).map_err(|_| none())?;
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (tensor, file) in index.weight_map {
        if !is_plain(&file) {
            return Err(FolderError::Index(format!(
                "puts tensor {tensor} into {file:?}, which is no name of a file of weights in the folder"
            )));
        }
        files.entry(file).or_default().insert(tensor);
    }
    match (1..=MAX_FILES).contains(&files.len()) {
        true => Ok(files),
        false => Err(none()),
    }
}

/// Refuses a file that has other tensors than the index says.
pub(super) fn check(
    file: &str,
    listed: &BTreeSet<String>,
    weights: &Safetensors,
) -> Result<(), FolderError> {
    let absent = listed.iter().find(|name| !weights.has(name));
    if let Some(name) = absent {
        let fault = format!("puts tensor {name} into {file}, which does not have it");
        return Err(FolderError::Index(fault));
    }
    let names = weights.names();
    match names.iter().find(|name| !listed.contains(*name)) {
        Some(name) => Err(FolderError::Index(format!(
            "does not say that tensor {name} is in {file}, which has it"
        ))),
        None => Ok(()),
    }
}

fn none() -> FolderError {
    FolderError::Index(format!(
        "has no weight_map of 1 to {MAX_FILES} files, or a key twice"
    ))
}

/// Whether a name stays in the folder.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.ends_with(".safetensors") && name.len() <= 128 && name.chars().all(plain)
}
