//! The files that a configuration names, read once at start.

use super::{Config, ConfigError, GpuSource, ModelKeySettings, PolicyRoot, PolicySettings};
use crate::{EvidenceSettings, evidence::VekFile};
use attestation::{Digest, UnixTime};
use aws_lc_rs::digest::{Context, SHA256};
use policy::{InForce, Root, TrustRoot};
use provision::{
    FileError, PolicyKeeper, PolicySource, PublicKeyError, RootSource, SystemClock, file,
};
use std::{fs::File, io, path::Path, sync::Arc};

const MAX_VEK_BYTES: usize = 16 * 1024;
const MAX_EVENT_LOG_BYTES: usize = 256 * 1024;
/// The running executable, as the kernel knows it.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

/// What the files say.
pub struct Files {
    /// What is in force.
    pub in_force: InForce,
    /// Keeps it current.
    pub keeper: PolicyKeeper,
    /// SHA-256 of the AIBOM, if one is named.
    pub aibom_digest: Option<Digest>,
    /// How to ask the platform.
    pub evidence: EvidenceSettings,
    /// SHA-256 of the running executable.
    pub runtime_digest: Digest,
    /// Who sealed the model, where it is sealed.
    pub owner: Option<TrustRoot>,
    /// SHA-256 of the model's file, where a server beside this process serves it.
    pub upstream_model: Option<Digest>,
}

/// Reads and checks the files that `config` names, at `now`, the policy wherever it comes from; the model is only opened.
pub async fn read_files(config: &Config, now: UnixTime) -> Result<Files, ConfigError> {
    open(&config.model)?;
    let (keeper, in_force) = obey(&config.policy, now).await?;
    Ok(Files {
        in_force,
        keeper,
        aibom_digest: config.aibom.as_deref().map(digest_of).transpose()?,
        evidence: EvidenceSettings {
            tsm_root: config.evidence.tsm_root.clone(),
            vek: config.evidence.vek.as_deref().map(read_vek).transpose()?,
            privlevel: config.evidence.privlevel,
            event_log: read_event_log(&config.evidence.event_log)?,
            nvml: match &config.evidence.gpus {
                GpuSource::None => None,
                GpuSource::Nvml(library) => Some(library.clone()),
            },
        },
        runtime_digest: digest_of(Path::new(OWN_EXECUTABLE))?,
        owner: config.model_key.as_ref().map(owner).transpose()?,
        upstream_model: upstream_model(config)?,
    })
}

/// Takes the first documents. Nothing is remembered on disk: the host owns it, so that it would support no claim.
async fn obey(
    settings: &PolicySettings,
    now: UnixTime,
) -> Result<(PolicyKeeper, InForce), ConfigError> {
    let settings = provision::PolicySettings {
        root: settings.root.clone().into(),
        source: PolicySource::parse(&settings.source)?,
        state: None,
    };
    let (keeper, in_force) = PolicyKeeper::open(settings, Arc::new(SystemClock)).await?;
    check_root(keeper.pinned_root())?;
    let policy = in_force.policy();
    let (not_before, expires) = (policy.not_before(), policy.expires());
    if now < not_before || expires <= now {
        return Err(ConfigError::PolicyNotInForce {
            not_before,
            expires,
        });
    }
    Ok((keeper, in_force))
}

/// The manifest names the root by the digest of its first version, which a later version only says of itself: whoever configures this
/// machine could name a root that is not theirs.
fn check_root(pinned: &Root) -> Result<(), ConfigError> {
    match pinned.version() {
        version @ 2.. => Err(ConfigError::LaterRoot { version }),
        _ => Ok(()),
    }
}

impl From<PolicyRoot> for RootSource {
    fn from(root: PolicyRoot) -> Self {
        match root {
            PolicyRoot::Document(path) => Self::Document(path),
            PolicyRoot::Keys { files, threshold } => Self::Keys { files, threshold },
        }
    }
}

fn owner(settings: &ModelKeySettings) -> Result<TrustRoot, PublicKeyError> {
    provision::read_trust_root(&settings.owner, settings.threshold)
}

fn read_vek(path: &Path) -> Result<VekFile, ConfigError> {
    let bytes = file::read(path, MAX_VEK_BYTES)?;
    Ok(VekFile::from_der(bytes.to_vec())?)
}

/// The event log; a guest without one has no such file.
fn read_event_log(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(file::read(path, MAX_EVENT_LOG_BYTES)?.to_vec()))
}

/// SHA-256 of the file at `path`.
/// What the server beside this process serves; our own engine hashes what it loads itself.
fn upstream_model(config: &Config) -> Result<Option<Digest>, FileError> {
    let served = config.upstream.as_ref().map(|_| &config.model);
    served.map(|path| digest_of(path)).transpose()
}

fn digest_of(path: &Path) -> Result<Digest, FileError> {
    let mut context = Context::new(&SHA256);
    let mut digested = Digested(&mut context);
    io::copy(&mut open(path)?, &mut digested).map_err(|source| unreadable(path, source))?;
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// Hashes what is written to it.
struct Digested<'a>(&'a mut Context);

impl io::Write for Digested<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    File::open(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> FileError {
    FileError::Read {
        path: path.to_owned(),
        source,
    }
}
