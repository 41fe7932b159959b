//! A sealed model of one GGUF file: what is known of it before it is open, and the engine that serves it after.

mod source;

use crate::{model_key::Wanted, telemetry};
use attestation::Digest;
use engine::{
    Engine,
    gguf::{Gguf, GgufError},
    local::{LoadError, LocalConfig, LocalEngine, PromisedModel},
};
use gpu::{Device, GpuBackend};
use policy::{InForce, TrustRoot};
use protocol::{key_release::KeyId, secret::KeptSecret};
use sealed_model::{Checks, OpenError, OpenFile, SealedModel, Work};
use source::{FileBytes, FileSource};
use std::{path::Path, sync::Arc};

/// Largest model file: 64 GiB.
const MAX_MODEL_BYTES: u64 = 64 << 30;
/// Of what a model's policy entry does not say.
const UNKNOWN: Digest = [0; 32];

/// A sealed model whose manifest its owner signed, and that is not open.
pub struct Sealed {
    model: SealedModel,
    file: String,
    digest: Digest,
}

/// Why a sealed model is not served, in the order of the steps; `code()` is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedError {
    /// The sealed model.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Not one file, a GGUF.
    #[error("a sealed model that a runtime serves is one file NAME.gguf, and this one is not")]
    Files,
    /// Nobody says what it is called.
    #[error(
        "no name: neither model_name nor the policy's [[models.accepted]] says how this model is called"
    )]
    Name,
    /// The opened file.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The opened file is not what its owner signed.
    #[error("the opened model is not the one that its owner signed")]
    Digest,
    /// The engine.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl SealedError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::Files => "sealed.files",
            Self::Name => "sealed.model_name",
            Self::Gguf(error) => error.code(),
            Self::Digest => "sealed.digest",
            Self::Load(error) => error.code(),
        }
    }
}

impl Sealed {
    /// Opens the folder at `path`, whose manifest enough keys of `owner` must have signed.
    pub fn open(path: &Path, owner: &TrustRoot) -> Result<Self, SealedError> {
        let model = SealedModel::open(path, owner)?;
        let [entry] = model.manifest().files() else {
            return Err(SealedError::Files);
        };
        let (file, digest) = (entry.name().as_str().to_owned(), *entry.sha256());
        match file.ends_with(".gguf") {
            true => Ok(Self {
                model,
                file,
                digest,
            }),
            false => Err(SealedError::Files),
        }
    }

    /// Which key opens it.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted {
            key_id: KeyId(self.model.manifest().key_id().0),
            model: self.digest,
        }
    }

    /// What is promised of it before it is open: what the policy in force accepts under its digest. `name` goes before the policy's.
    pub fn promise(
        &self,
        name: Option<&str>,
        in_force: &InForce,
    ) -> Result<PromisedModel, SealedError> {
        let models = in_force.policy().models();
        let accepted = models.and_then(|models| {
            let is_this = |name_of: &str| name.is_none_or(|name| name == name_of);
            let mut models = models.iter();
            models.find(|model| model.digest == self.digest && is_this(&model.name))
        });
        let known = accepted.map(|model| model.name.as_str());
        let name = name.or(known).ok_or(SealedError::Name)?;
        let digest = |of: Option<Digest>| of.unwrap_or(UNKNOWN);
        Ok(PromisedModel {
            name: name.to_owned(),
            model_digest: self.digest,
            tokenizer_digest: digest(accepted.and_then(|model| model.tokenizer)),
            template_digest: digest(accepted.and_then(|model| model.template)),
        })
    }

    /// Opens it with `key`, which is wiped before the engine starts, and serves it under `name`.
    pub fn load(
        self,
        key: Box<dyn KeptSecret>,
        name: &str,
        config: LocalConfig,
    ) -> Result<Arc<dyn Engine>, SealedError> {
        let unlocked = self.model.unlock(key)?;
        let gguf = opened(&unlocked.file(&self.file)?, self.digest)?;
        drop(unlocked);
        let engine = LocalEngine::from_gguf(gguf, config)?.with_name(name)?;
        Ok(Arc::new(engine))
    }

    /// As [`Self::load`], computed by `gpu`: matrices are deciphered there where [`GpuBackend::deciphers`] says so, otherwise opened here and copied.
    /// The key is wiped before the engine is given out.
    pub fn load_on<D: Device>(
        self,
        gpu: GpuBackend<D>,
        key: Box<dyn KeptSecret>,
        (name, config): (&str, LocalConfig),
    ) -> Result<Arc<dyn Engine>, SealedError> {
        let unlocked = self.model.unlock(key)?;
        let file = unlocked.file(&self.file)?;
        let bytes = FileBytes(&file);
        let header = Gguf::describe(&bytes, self.digest)?;
        let engine = if gpu.deciphers(&header) {
            telemetry::model_opened_by("device");
            let mut source = FileSource::new(&file)?;
            LocalEngine::elsewhere(gpu.deciphering(&mut source), (header, &bytes), config)?
        } else {
            telemetry::model_opened_by("processor");
            let gguf = opened(&file, self.digest)?;
            drop(file);
            drop(unlocked);
            LocalEngine::on(gpu, gguf, config)?
        };
        Ok(Arc::new(engine.with_name(name)?))
    }
}

/// The file, opened here, if it is the one that its owner signed.
fn opened(file: &OpenFile<'_>, digest: Digest) -> Result<Gguf, SealedError> {
    let bytes = file.read(MAX_MODEL_BYTES, Checks::Tags, Work::silent())?;
    let gguf = Gguf::from_bytes(bytes)?;
    match gguf.digest() == digest {
        true => Ok(gguf),
        false => Err(SealedError::Digest),
    }
}
