//! `narthex policy sign`: adds one signature.

use super::{
    super::{Context, Exit, Failure, config, files, signing_key::DocumentKey},
    read_either,
};
use clap::Args;
use policy::Policy;
use std::path::PathBuf;

/// Sign a policy: a TOML document becomes an envelope, an envelope gets one more signature
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy sign --key alice.pem policy.toml -o policy.json
  narthex policy sign --key bob.pem policy.json -o policy.json")]
pub(crate) struct Sign {
    /// Ed25519 private key: a file (PEM, PKCS#8), or one of a token (pkcs11:token=..;object=..?module-path=..)
    #[arg(long, value_name = "FILE|URI")]
    key: PathBuf,
    /// Policy document (TOML) or envelope (JSON)
    file: PathBuf,
    /// Where to write the envelope [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Sign {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let key = DocumentKey::open(&self.key)?;
        let mut envelope = read_either(&self.file)?;
        // Nobody is helped to sign what no client could read.
        Policy::from_toml(envelope.unverified_payload())
            .map_err(|errors| config::policy_failure(&errors))?;
        key.sign(&mut envelope)?;
        let json = envelope.to_json();
        match &self.output {
            Some(path) => files::write_shared(path, json.as_bytes())?,
            None => context.output.text(&json)?,
        }
        Ok(Exit::Accepted)
    }
}
