//! `narthex model seal`.

use super::{
    super::{Context, Exit, Failure, signing_key::DocumentKey},
    ThreadArgs, key_file,
    meter::Meter,
    told,
};
use attestation::crypto::sha256;
use clap::Args;
use policy::TrustRoot;
use sealed_model::{Draft, Manifest, ModelKey, SealSettings, SegmentSize, Work, seal};
use std::path::PathBuf;

/// Seal a model's files under a key, and sign what was sealed
///
/// The output is a folder with MANIFEST.json and one sealed file for each of the model's. Interrupted and begun again with the same arguments (a key that
/// --new-key made is given with --key then) it goes on where it was, after verifying what is there; the output has its name only when all of it is on
/// disk.
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex model seal models/smollm2 --out sealed --key weights.key --owner owner.pem
  narthex model seal SmolLM2.gguf --out sealed --new-key weights.key --owner alice.pem --owner bob.pem

Copies can be verified without the key: narthex model verify sealed --owner-key owner.pub.pem")]
pub(crate) struct Seal {
    /// Folder or file with the model
    model: PathBuf,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
    /// Ed25519 private key of the owner who signs: a file (PEM, PKCS#8), or one of a token (pkcs11:token=..;object=..?module-path=..); repeatable
    #[arg(long, value_name = "FILE|URI", required = true)]
    owner: Vec<PathBuf>,
    /// Plaintext bytes of a segment, a power of two from 4096 to 16777216
    #[arg(long, value_name = "BYTES", default_value = "1048576", value_parser = segment_size)]
    segment_bytes: SegmentSize,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// The model's key.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct KeyArgs {
    /// File with the key, as `narthex model keygen` makes it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Make a key and write it to this file, which must not exist
    #[arg(long, value_name = "FILE")]
    new_key: Option<PathBuf>,
}

impl KeyArgs {
    fn open(&self) -> Result<ModelKey, Failure> {
        match (&self.key, &self.new_key) {
            (Some(path), _) => key_file::read(path),
            (None, Some(path)) => key_file::make(path),
            (None, None) => Err(Failure::usage("usage", "--key or --new-key is needed")),
        }
    }

    /// The same failure, told what became of a new key: it is there, and would not be made again.
    fn keep(&self, failure: Failure) -> Failure {
        let Some(path) = &self.new_key else {
            return failure;
        };
        let kept = format!("the key is in {0}: give it with --key {0}", path.display());
        let advice = match failure.advice.is_empty() {
            true => kept,
            false => format!("{}; {kept}", failure.advice),
        };
        failure.advice(advice)
    }
}

impl Seal {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let owners = self.owner.iter().map(|name| DocumentKey::open(name));
        let signers = Signers::new(owners.collect::<Result<_, _>>()?)?;
        let key = self.key.open()?;
        let draft = self.seal(&key, context);
        let manifest = draft.and_then(|draft| signers.finish(draft));
        let manifest = manifest.map_err(|failure| self.key.keep(failure))?;
        let digest = sha256(&manifest.to_cbor());
        let document = told::document(&manifest, &digest);
        let text = told::text(&manifest, &digest);
        context.output.either(&document, &text)?;
        Ok(Exit::Accepted)
    }

    fn seal(&self, key: &ModelKey, context: &Context<'_>) -> Result<Draft, Failure> {
        let meter = Meter::new(&context.output, "sealing", None);
        let settings = SealSettings {
            key,
            segment: self.segment_bytes,
            work: Work {
                threads: self.threads.threads(),
                progress: &meter,
            },
        };
        Ok(seal(&self.model, &self.out, settings)?)
    }
}

/// The owner's private keys, all of which sign.
struct Signers {
    keys: Vec<DocumentKey>,
    root: TrustRoot,
}

impl Signers {
    fn new(keys: Vec<DocumentKey>) -> Result<Self, Failure> {
        let public = keys.iter().map(DocumentKey::public_key).collect();
        let root = TrustRoot::new(public, keys.len())
            .map_err(|error| Failure::usage(error.code(), error.to_string()))?;
        Ok(Self { keys, root })
    }

    /// Signs `draft` and gives it its name, if what the keys signed verifies.
    fn finish(&self, draft: Draft) -> Result<Manifest, Failure> {
        let mut envelope = draft.envelope()?;
        let mut keys = self.keys.iter();
        keys.try_for_each(|key| key.sign(&mut envelope))?;
        Ok(draft.finish(&envelope, &self.root)?)
    }
}

fn segment_size(text: &str) -> Result<SegmentSize, String> {
    let bytes = text.parse().ok().and_then(SegmentSize::new);
    bytes.ok_or_else(|| "a power of two from 4096 to 16777216".to_owned())
}
