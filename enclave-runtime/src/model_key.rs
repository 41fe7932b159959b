//! The key of a sealed model: asked for at start, of a releaser or of a key broker, with evidence of what this runtime is
//! (docs/key-release.md). It rests in secret memory, and is gone once the model is open.

mod asker;
mod error;
mod jwe;
mod kbs;
mod releaser;

pub use asker::Asker;
pub use error::ModelKeyError;
pub use kbs::KbsResource;

use crate::telemetry;
use attestation::Digest;
use protocol::{key_release::KeyId, secret::KeptSecret};
use provision::Https;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// For one request to the server, of which a fetch makes two or three.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Which key is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The key.
    pub key_id: KeyId,
    /// SHA-256 of the model, opened.
    pub model: Digest,
}

/// Who has the key, and how patiently it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyServer {
    /// Its address, `https://HOST[:PORT]`, without a path; plain HTTP on loopback only.
    pub address: String,
    /// What it speaks.
    pub kind: KeyServerKind,
    /// Certificates that it is trusted by, PEM; the system's, if absent.
    pub roots: Option<PathBuf>,
    /// How often it is asked before the runtime gives up.
    pub attempts: u32,
    /// Before the second try; doubles each time, up to a minute.
    pub first_pause: Duration,
}

/// What a server of keys speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyServerKind {
    /// `narthex-releaser`.
    Releaser,
    /// A key broker of Trustee; where the key lies in it.
    Kbs(KbsResource),
}

/// Asks until the key is there, the tries are used up, or asking again cannot help.
pub async fn fetch(
    server: &KeyServer,
    asker: &Arc<Asker>,
    wanted: Wanted,
) -> Result<Box<dyn KeptSecret>, ModelKeyError> {
    let https = Https::new(server.roots.as_deref(), REQUEST_TIMEOUT)?;
    let mut pause = server.first_pause;
    for _ in 1..server.attempts {
        match ask(server, &https, asker, wanted).await {
            Err(error) if !error.is_final() => telemetry::model_key_refused(error.code(), &error),
            asked => return asked,
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
    ask(server, &https, asker, wanted).await
}

async fn ask(
    server: &KeyServer,
    https: &Https,
    asker: &Arc<Asker>,
    wanted: Wanted,
) -> Result<Box<dyn KeptSecret>, ModelKeyError> {
    match &server.kind {
        KeyServerKind::Releaser => releaser::ask(https, &server.address, asker, wanted).await,
        KeyServerKind::Kbs(resource) => kbs::ask(https, &server.address, asker, resource).await,
    }
}
