//! What commands tell of a sealed model.

use attestation::Digest;
use sealed_model::{FileEntry, Manifest};
use serde_json::{Value, json};

/// A manifest for scripts.
pub(super) fn document(manifest: &Manifest, manifest_digest: &Digest) -> Value {
    json!({
        "manifest": hex::encode(manifest_digest),
        "model_id": hex::encode(manifest.model_id()),
        "key_id": manifest.key_id().to_string(),
        "segment_bytes": manifest.segment_size().bytes(),
        "files": manifest.files().iter().map(file).collect::<Vec<_>>(),
    })
}

fn file(entry: &FileEntry) -> Value {
    json!({
        "name": entry.name().as_str(),
        "bytes": entry.length(),
        "sha256": hex::encode(entry.sha256()),
    })
}

/// A manifest for people.
pub(super) fn text(manifest: &Manifest, manifest_digest: &Digest) -> String {
    let mut text = format!(
        "manifest  {}\nmodel id  {}\nkey id    {}\n",
        hex::encode(manifest_digest),
        hex::encode(manifest.model_id()),
        manifest.key_id()
    );
    for entry in manifest.files() {
        let sha256 = hex::encode(entry.sha256());
        text.push_str(&format!("{sha256}  {}\n", entry.name()));
    }
    text
}
