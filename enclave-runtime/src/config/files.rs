//! The files that a configuration names, read once at start.

use super::{Config, ConfigError, PolicySettings};
use crate::{EvidenceSettings, PolicyInForce, evidence::VekFile};
use attestation::{Digest, UnixTime};
use aws_lc_rs::digest::{Context, SHA256};
use policy::Policy;
use provision::{FileError, PolicyFileError, file, policy_file::read_envelope, read_trust_root};
use std::{fs::File, io, path::Path};

const MAX_VEK_BYTES: usize = 16 * 1024;
const MAX_EVENT_LOG_BYTES: usize = 256 * 1024;
/// The running executable, as the kernel knows it.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

/// What the files say.
pub struct Files {
    /// The policy in force.
    pub policy: PolicyInForce,
    /// How to ask the platform.
    pub evidence: EvidenceSettings,
    /// SHA-256 of the running executable.
    pub runtime_digest: Digest,
}

/// Reads and checks the files that `config` names, at `now`; the model is only opened.
pub fn read_files(config: &Config, now: UnixTime) -> Result<Files, ConfigError> {
    open(&config.model)?;
    Ok(Files {
        policy: read_policy(&config.policy, now)?,
        evidence: EvidenceSettings {
            tsm_root: config.evidence.tsm_root.clone(),
            vek: config.evidence.vek.as_deref().map(read_vek).transpose()?,
            privlevel: config.evidence.privlevel,
            event_log: read_event_log(&config.evidence.event_log)?,
        },
        runtime_digest: own_digest()?,
    })
}

fn read_policy(settings: &PolicySettings, now: UnixTime) -> Result<PolicyInForce, ConfigError> {
    let root = read_trust_root(&settings.keys, settings.threshold)?;
    let envelope = read_envelope(&settings.envelope)?;
    let policy = Policy::from_envelope(&envelope, &root).map_err(|mistakes| {
        let path = settings.envelope.clone();
        PolicyFileError::Policy { path, mistakes }
    })?;
    let (not_before, expires) = (policy.not_before(), policy.expires());
    if now < not_before || expires <= now {
        return Err(ConfigError::PolicyNotInForce {
            not_before,
            expires,
        });
    }
    Ok(PolicyInForce::of(&policy, &root))
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

fn own_digest() -> Result<Digest, FileError> {
    let path = Path::new(OWN_EXECUTABLE);
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
