//! `model.safetensors.index.json`: which tensor is in which file.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::FolderError;
use crate::strict_json;

/// Most files.
const MAX_FILES: usize = 1000;

/// Names of the files and, sorted, of the tensors in each.
pub(super) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Vec<String>>, FolderError> {
    let index: Map<String, Value> = strict_json::parse(bytes).map_err(|_| FolderError::Index)?;
    let map = index.get("weight_map").and_then(Value::as_object);
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, file) in map.ok_or(FolderError::Index)? {
        let file = file.as_str().filter(|file| is_plain(file));
        let file = file.ok_or(FolderError::Index)?;
        files
            .entry(file.to_owned())
            .or_default()
            .push(tensor.clone());
    }
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(FolderError::Index);
    }
    files
        .values_mut()
        .for_each(|tensors| tensors.sort_unstable());
    Ok(files)
}

/// Whether a name stays in the folder.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.ends_with(".safetensors") && name.len() <= 128 && name.chars().all(plain)
}
