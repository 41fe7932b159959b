//! What a rotation leaves unsigned: the documents beside `roots.jsonl` that the new root does not accept.

use super::{
    super::{Context, Failure},
    document::Document,
    trust,
};
use policy::{Root, publication};
use std::path::{Path, PathBuf};

/// A document that must be signed again before the rotation is published.
pub(super) struct Unmet {
    pub(super) path: PathBuf,
    why: String,
}

/// The documents in the folder of `roots` that do not verify under `root`.
pub(super) fn needed(roots: &Path, root: &Root) -> Vec<Unmet> {
    let folder = trust::folder_of(roots);
    let names = [
        publication::POLICY,
        publication::INVENTORY,
        publication::ORDERS,
        publication::TIMESTAMP,
    ];
    let there = names.map(|name| folder.join(name)).into_iter();
    let there = there.filter(|path| path.exists());
    there.filter_map(|path| unmet(path, root)).collect()
}

/// Tells each of them, and how it is signed again.
pub(super) fn tell(unmet: &[Unmet], context: &Context<'_>) {
    for Unmet { path, why } in unmet {
        let file = path.display();
        let how = if path.ends_with(publication::TIMESTAMP) {
            let folder = trust::folder_of(path).display();
            format!("narthex policy timestamp --folder {folder} --key K")
        } else {
            format!("narthex policy sign --key K {file} -o {file}")
        };
        context.output.notice(&format!(
            "{file} does not verify under the new root ({why}). Before you publish it: `{how}`"
        ));
    }
}

fn unmet(path: PathBuf, root: &Root) -> Option<Unmet> {
    let why = signed(&path, root).err()?.message;
    Some(Unmet { path, why })
}

fn signed(path: &Path, root: &Root) -> Result<(), Failure> {
    let documents = if path.ends_with(publication::ORDERS) {
        Document::read_lines(path)?
    } else {
        vec![Document::read(path, None)?]
    };
    for document in &documents {
        trust::signers(root, document.role(), &document.envelope)
            .map_err(|failure| failure.within(&document.place()))?;
    }
    Ok(())
}
