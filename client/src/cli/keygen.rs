//! `narthex policy keygen`: an Ed25519 pair as PEM, the private half for the user's eyes only.

use super::{Context, Exit, Failure, files};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use zeroize::Zeroizing;

const PEM_LINE_CHARS: usize = 64;
/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 section 4).
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Make an Ed25519 key pair for signing policies: NAME.pem (private, mode 0600) and NAME.pub.pem
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex policy keygen alice

`key` is the public key as root.toml has it; `keyid`, its SHA-256, is what envelopes call it.")]
pub(crate) struct Keygen {
    /// Path without extension
    name: PathBuf,
}

impl Keygen {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let (private, public) = (with(&self.name, "pem"), with(&self.name, "pub.pem"));
        for path in [&private, &public] {
            if path.exists() {
                let message = format!("{} exists already", path.display());
                return Err(Failure::usage("policy.keygen.exists", message)
                    .advice("choose another name; keys are never overwritten"));
            }
        }
        let pair = Ed25519KeyPair::generate().map_err(|_| no_key())?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| no_key())?;
        let raw: [u8; 32] = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| no_key())?;
        files::write(&private, pem("PRIVATE KEY", pkcs8.as_ref()).as_bytes())?;
        files::write_shared(&public, public_pem(&raw).as_bytes())?;
        let keyid = ::policy::signature::keyid(&raw);
        let key = hex::encode(raw);
        let document = json!({"private": private, "public": public, "key": key, "keyid": keyid});
        let text = format!(
            "private key  {}\npublic key   {}\nkey          {key}\nkeyid        {keyid}\n",
            private.display(),
            public.display()
        );
        context.output.either(&document, &text)?;
        Ok(Exit::Accepted)
    }
}

fn with(name: &std::path::Path, extension: &str) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    PathBuf::from(path)
}

/// SubjectPublicKeyInfo in PEM.
pub(crate) fn public_pem(raw: &[u8; 32]) -> String {
    let spki = [SPKI_PREFIX.as_slice(), raw].concat();
    pem("PUBLIC KEY", &spki).to_string()
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut pem = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(PEM_LINE_CHARS));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

fn no_key() -> Failure {
    Failure::new(Exit::Internal, "policy.keygen", "no key could be made")
}
