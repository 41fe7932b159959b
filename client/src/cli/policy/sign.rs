//! `narthex policy sign`: adds signatures.

use super::{
    super::{Context, Exit, Failure, files, signing_key::DocumentKey},
    kind::{Document, Kind},
};
use clap::Args;
use policy::Envelope;
use std::path::{Path, PathBuf};

/// Sign a document: TOML becomes an envelope, an envelope gets more signatures
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy sign --key alice.pem policy.toml -o policy.json
  narthex policy sign --key bob.pem policy.json -o policy.json
  narthex policy sign --key alice.pem --key bob.pem inventory.toml -o inventory.json

Every kind of document is signed this way: policy, root, inventory, order and timestamp. A document with a mistake is not signed.")]
pub(crate) struct Sign {
    /// Ed25519 private key: a file (PEM, PKCS#8), or one of a token (pkcs11:token=..;object=..?module-path=..); repeatable
    #[arg(long, value_name = "FILE|URI", required = true)]
    key: Vec<PathBuf>,
    /// What the document is [default: what it looks like]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Document (TOML) or envelope (JSON)
    file: PathBuf,
    /// Where to write the envelope [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Sign {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let keys = open_keys(&self.key)?;
        let mut document = Document::read(&self.file, self.kind)?;
        // Nobody is helped to sign what no client could read.
        document.check()?;
        sign(&mut document.envelope, &keys)?;
        write(&document.envelope, self.output.as_deref(), context)?;
        Ok(Exit::Accepted)
    }
}

/// The private keys that `names` name: files, or keys of tokens.
pub(super) fn open_keys(names: &[PathBuf]) -> Result<Vec<DocumentKey>, Failure> {
    names.iter().map(|name| DocumentKey::open(name)).collect()
}

/// Adds a signature by each of `keys`.
pub(super) fn sign(envelope: &mut Envelope, keys: &[DocumentKey]) -> Result<(), Failure> {
    keys.iter().try_for_each(|key| key.sign(envelope))
}

/// The envelope to `output`, or to standard output.
fn write(envelope: &Envelope, output: Option<&Path>, context: &Context<'_>) -> Result<(), Failure> {
    let json = envelope.to_json();
    match output {
        Some(path) => files::write_shared(path, json.as_bytes()),
        None => context.output.text(&json),
    }
}
