//! `narthex policy sign`: adds signatures.

use super::{
    super::{Context, Exit, Failure, files, signing_key::DocumentKey},
    document::{Document, Found, too_many_bytes},
    kind::Kind,
};
use attestation::crypto::sha256;
use clap::Args;
use policy::{Envelope, publication::MAX_LINES_BYTES, root::RootDocument, signature::keyid};
use std::path::{Path, PathBuf};

/// Sign a document: TOML becomes an envelope, an envelope gets more signatures
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy sign --key alice.pem policy.toml -o policy.json
  narthex policy sign --key bob.pem policy.json -o policy.json
  narthex policy sign --key alice.pem --key bob.pem inventory.toml -o inventory.json
  narthex policy sign --key dora.pem published/orders.jsonl -o published/orders.jsonl

Every kind of document is signed this way: policy, root, inventory, order and timestamp. A document with a mistake is not signed.
Of a file with an envelope on each line (.jsonl) every line is signed that the key has not signed yet, and lines are written.
Signatures are Ed25519 only.")]
pub(crate) struct Sign {
    /// Ed25519 private key: a file (PEM, PKCS#8), or one of a token (pkcs11:token=..;object=..?module-path=..); repeatable
    #[arg(long, value_name = "FILE|URI", required = true)]
    key: Vec<PathBuf>,
    /// What the document is [default: what it looks like]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Document (TOML), envelope (JSON), or envelopes on a line each (.jsonl)
    file: PathBuf,
    /// Where to write the envelope [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Sign {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let keys = open_keys(&self.key)?;
        let signed = match Found::read(&self.file, self.kind)? {
            Found::One(document) => one(document, &keys, context)?,
            Found::Lines(documents) => lines(documents, &keys, context)?,
        };
        match &self.output {
            Some(path) => files::write_shared(path, signed.as_bytes())?,
            None => context.output.text(&signed)?,
        }
        Ok(Exit::Accepted)
    }
}

fn one(
    mut document: Document,
    keys: &[DocumentKey],
    context: &Context<'_>,
) -> Result<String, Failure> {
    // Nobody is helped to sign what no client could read.
    document.check()?;
    tell_strangers(&document, keys, context);
    sign(&mut document.envelope, keys)?;
    Ok(document.envelope.to_json())
}

/// Every line with the signatures that it lacks; what a line says stays as it is.
fn lines(
    mut documents: Vec<Document>,
    keys: &[DocumentKey],
    context: &Context<'_>,
) -> Result<String, Failure> {
    documents.iter().try_for_each(Document::check)?;
    let mut signed = 0;
    let mut text = String::new();
    for document in &mut documents {
        signed += usize::from(sign_missing(&mut document.envelope, keys)?);
        text.push_str(&document.envelope.to_line());
        text.push('\n');
    }
    if text.len() > MAX_LINES_BYTES {
        let path = documents.first().map(|document| document.path.as_path());
        return Err(too_many_bytes(path.unwrap_or_else(|| Path::new("-"))));
    }
    let told = format!("{signed} of {} lines got a signature", documents.len());
    context.output.notice(&told);
    Ok(text)
}

/// Adds the signatures of those of `keys` that have not signed; whether any had not.
fn sign_missing(envelope: &mut Envelope, keys: &[DocumentKey]) -> Result<bool, Failure> {
    let before = envelope.keyids().count();
    for key in keys {
        let keyid = keyid(&key.public_key());
        if !envelope.keyids().any(|signed| signed == keyid) {
            key.sign(envelope)?;
        }
    }
    Ok(envelope.keyids().count() > before)
}

/// Says which of `keys` a root document does not have: theirs is a signature that may count for nothing.
fn tell_strangers(document: &Document, keys: &[DocumentKey], context: &Context<'_>) {
    let Ok(root) = RootDocument::from_toml(document.toml()) else {
        return;
    };
    for key in keys.iter().map(DocumentKey::public_key) {
        let has = |wanted: &[u8]| root.keys().iter().find(|named| named.key == wanted);
        if has(&key).is_some() {
            continue;
        }
        let is_keyid = has(&sha256(&key)).map_or_else(String::new, |named| {
            format!("; what stands for {} is this key's keyid", named.name)
        });
        context.output.notice(&format!(
            "{} does not have the key {} that signs it{is_keyid}. The signature counts only if the root before has the key",
            document.place(),
            hex::encode(key)
        ));
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
