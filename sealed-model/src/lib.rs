//! Encrypted model directories: a signed manifest of segments, opened anywhere at once (docs/sealed-models.md).
//!
//! ```text
//! seal ─► Draft ─► finish(signed envelope)                 the owner
//! SealedModel::open(folder, owner) ─► verify()             anybody: nothing was changed since the owner signed
//!                                  └► unlock(key) ─► Unlocked ─► read_at, read_into, export, ciphertexts
//! ```
//! No type here prints a key, and no plaintext is given out before its segment was verified.

mod audience;
mod ciphertext;
mod collision;
mod error;
mod export;
mod folder;
mod frame;
mod header;
mod in_order;
mod key;
mod layout;
mod manifest;
mod model;
mod name;
mod output;
mod parallel;
mod reader;
mod seal;
mod store;
mod unlocked;

pub use ciphertext::{Ciphertext, Ciphertexts};
pub use error::OpenError;
pub use export::ExportError;
pub use folder::Folder;
pub use key::{KeyId, ModelKey};
pub use layout::SegmentSize;
pub use manifest::{FileEntry, MANIFEST_NAME, MAX_FILES, Manifest};
pub use model::SealedModel;
pub use name::FileName;
pub use output::OutputError;
pub use parallel::{Progress, Threads, Work};
pub use reader::Checks;
pub use seal::{Draft, SealError, SealSettings, seal};
pub use store::{MemoryStore, Store, StoredFile};
pub use unlocked::{OpenFile, Unlocked};

/// Length of what identifies one sealing.
pub const MODEL_ID_BYTES: usize = 32;
