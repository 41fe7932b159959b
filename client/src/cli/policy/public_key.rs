//! `narthex policy public-key`: the public half of a key that may not leave its file or token.

use super::super::{Context, Exit, Failure, files, keygen, signing_key::DocumentKey};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Print the public half of a private key, of a file or of a PKCS #11 token, as PEM
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy public-key --key alice.pem
  narthex policy public-key --key 'pkcs11:token=policy;object=alice?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:pin' -o alice.pub.pem")]
pub(crate) struct PublicKey {
    /// The private key: a file (PEM, PKCS#8), or one of a token (pkcs11:token=..;object=..?module-path=..)
    #[arg(long, value_name = "FILE|URI")]
    key: PathBuf,
    /// Where to write the PEM [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl PublicKey {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let raw = DocumentKey::open(&self.key)?.public_key();
        let pem = keygen::public_pem(&raw);
        match &self.output {
            Some(path) => files::write_shared(path, pem.as_bytes())?,
            None => {
                let keyid = ::policy::signature::keyid(&raw);
                let document = json!({ "pem": pem, "key": hex::encode(raw), "keyid": keyid });
                context.output.either(&document, &pem)?;
            }
        }
        Ok(Exit::Accepted)
    }
}
