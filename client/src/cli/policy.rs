//! `narthex policy`: makes keys, signs policies, verifies and lints them.

mod import;
mod lint;
mod public_key;
mod sign;
mod verify;

use super::{Context, Exit, Failure, config, files, keygen};
use clap::Subcommand;
use policy::{Envelope, PayloadType, signature::MAX_ENVELOPE_BYTES};
use std::path::Path;

/// Make keys, sign policies, verify and lint them
#[derive(Subcommand)]
#[command(after_help = "\
From nothing to a signed policy:
  narthex policy keygen alice
  narthex policy lint policy.toml
  narthex policy sign --key alice.pem policy.toml -o policy.json
  narthex policy verify --policy-key alice.pub.pem policy.json")]
pub(crate) enum PolicyCommand {
    Keygen(keygen::Keygen),
    PublicKey(public_key::PublicKey),
    Sign(sign::Sign),
    Verify(verify::PolicyVerify),
    Lint(lint::Lint),
    Import(import::Import),
}

impl PolicyCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Keygen(keygen) => keygen.run(context),
            Self::PublicKey(key) => key.run(context),
            Self::Sign(sign) => sign.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Lint(lint) => lint.run(context),
            Self::Import(import) => import.run(context),
        }
    }
}

/// An envelope as it stands in the file, or a new one without signatures around the document that stands there.
fn read_either(path: &Path) -> Result<Envelope, Failure> {
    let bytes = files::read(path, MAX_ENVELOPE_BYTES)?;
    if bytes.trim_ascii_start().starts_with(b"{") {
        config::parse_envelope(&bytes)
    } else {
        Ok(Envelope::unsigned(PayloadType::Policy, bytes))
    }
}
