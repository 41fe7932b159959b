//! Sealing: a folder or a file becomes a sealed model, whose manifest the owner then signs.

mod error;
mod source;
mod target;

pub use error::SealError;

use crate::{
    FileEntry, MANIFEST_NAME, MODEL_ID_BYTES, Manifest, ModelKey, SegmentSize, Work,
    audience::Audience,
    manifest::MAX_MANIFEST_BYTES,
    output::{PartFolder, stored_names},
};
use aws_lc_rs::rand;
use policy::{Envelope, PayloadType, TrustRoot};
use source::Source;
use std::path::Path;
use target::Target;

/// How a model is sealed.
#[derive(Clone, Copy)]
pub struct SealSettings<'a> {
    /// Under which key.
    pub key: &'a ModelKey,
    /// In segments of which size.
    pub segment: SegmentSize,
    /// By whom, and who hears of it.
    pub work: Work<'a>,
}

/// A sealed model that waits for its owner's signature, in an unfinished output.
pub struct Draft {
    manifest: Manifest,
    output: PartFolder,
}

/// Seals the folder or file `source` into what will be the folder `out`. Interrupted, it goes on where it was: what is there is verified first.
pub fn seal(source: &Path, out: &Path, settings: SealSettings<'_>) -> Result<Draft, SealError> {
    let source = Source::open(source)?;
    let output = PartFolder::begin(out, Audience::All)?;
    let model_id = output.remembered(random::<MODEL_ID_BYTES>)?;
    let model_id = model_id.ok_or(SealError::Crypto)?;
    let target = Target {
        output: &output,
        model_id: &model_id,
        settings,
    };
    let files = source.files().iter().map(|file| target.seal(&source, file));
    let files: Vec<FileEntry> = files.collect::<Result<_, _>>()?;
    let manifest = Manifest {
        model_id,
        key_id: settings.key.id(),
        segment: settings.segment,
        files,
    };
    Ok(Draft { manifest, output })
}

impl Draft {
    /// What is to be signed.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The envelope for the owner's signatures.
    pub fn envelope(&self) -> Result<Envelope, SealError> {
        let payload = self.manifest.to_cbor();
        if payload.len() > MAX_MANIFEST_BYTES {
            return Err(SealError::Limits);
        }
        Ok(Envelope::unsigned(PayloadType::SealedModel, payload))
    }

    /// Writes `signed`, which is [`Draft::envelope`] with the signatures of enough keys of `owner`, and gives the output its name.
    pub fn finish(self, signed: &Envelope, owner: &TrustRoot) -> Result<Manifest, SealError> {
        let payload = signed.open(PayloadType::SealedModel, owner);
        if payload.map_err(SealError::of_signature)? != self.manifest.to_cbor() {
            return Err(SealError::Unsigned);
        }
        let mut names = stored_names(self.manifest.files.iter().map(FileEntry::name));
        names.insert(MANIFEST_NAME.to_owned());
        self.output
            .write(MANIFEST_NAME, signed.to_json().as_bytes())?;
        self.output.finish(&names)?;
        Ok(self.manifest)
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok()?;
    Some(bytes)
}
