//! `narthex policy rotate-root`: the successor of a root, signed by those who leave and those who come.

use super::{
    super::{Context, Exit, Failure, config, files},
    document::Document,
    jsonl,
    kind::Kind,
    resign, sign, trust,
};
use clap::Args;
use policy::{Envelope, PayloadType, Role, Root, root::RootDocument};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make the successor of a root: signed by the threshold of the old root and by its own
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy rotate-root root.json root-2.toml --key alice.pem --key bob.pem --key dora.pem --roots published/roots.jsonl
  narthex policy rotate-root root.json root-2.toml --key alice.pem -o root-2.json
  narthex policy rotate-root root.json root-2.json --key bob.pem --key dora.pem --roots published/roots.jsonl

NEW.toml has the next version; `anchor` is filled in if it is not there. With too few signatures the envelope is written to --output
for others to sign, here or with `narthex policy sign`. Once there are enough it is appended to --roots. What the old root's users pin
stays as it is: they follow roots.jsonl. Documents beside --roots that no longer verify under the successor are told.")]
pub(crate) struct RotateRoot {
    /// The root that is pinned (envelope); rotations in --roots are followed from it
    old: PathBuf,
    /// Its successor (TOML, or an envelope that others have signed)
    new: PathBuf,
    /// Ed25519 private key (a file, or pkcs11:..) of the old or the new role `root`; repeatable
    #[arg(long, value_name = "FILE|URI")]
    key: Vec<PathBuf>,
    /// The file of rotations that the successor is appended to
    #[arg(long, value_name = "FILE", default_value = "roots.jsonl")]
    roots: PathBuf,
    /// Write the envelope here and append nothing
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl RotateRoot {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let keys = sign::open_keys(&self.key)?;
        let old = self.newest_old()?;
        let new = Document::read(&self.new, Some(Kind::Root))?;
        let mut envelope = anchored(new, &old)?;
        sign::sign(&mut envelope, &keys)?;
        let rotated = old.rotated(&envelope);
        if let Some(output) = &self.output {
            files::write_shared(output, envelope.to_json().as_bytes())?;
            match rotated {
                Ok(root) => resign::tell(&resign::needed(&self.roots, &root), context),
                Err(errors) => {
                    let refused = trust::refused(&errors).message;
                    let told = format!("{}: {refused}", output.display());
                    context.output.notice(&told);
                }
            }
            return Ok(Exit::Accepted);
        }
        let root = rotated.map_err(|errors| {
            trust::refused(&errors).advice(
                "write it with --output and have it signed by more of the old and of the new role root",
            )
        })?;
        jsonl::append(&self.roots, &envelope)?;
        told(&root, &self.roots, context)
    }

    /// The old root, or the last rotation from it.
    fn newest_old(&self) -> Result<Root, Failure> {
        let envelope = config::read_envelope(&self.old)?;
        trust::follow(trust::pin(&envelope)?, &jsonl::read(&self.roots)?)
    }
}

/// The successor with its `anchor`; what others have signed stays as it is.
fn anchored(new: Document, old: &Root) -> Result<Envelope, Failure> {
    let is_signed = new.envelope.keyids().next().is_some();
    let text = new.text()?;
    let mut document: toml_edit::DocumentMut = text.parse().map_err(|_| unreadable(&new))?;
    if is_signed || document.contains_key("anchor") {
        new.check()?;
        return Ok(new.envelope);
    }
    document.insert("anchor", toml_edit::value(hex::encode(old.anchor())));
    let text = document.to_string();
    RootDocument::from_toml(text.as_bytes()).map_err(|errors| config::policy_failure(&errors))?;
    Ok(Envelope::unsigned(PayloadType::Root, text.into_bytes()))
}

fn unreadable(document: &Document) -> Failure {
    let errors = document.kind.mistakes(document.toml());
    config::policy_failure(&errors)
}

fn told(root: &Root, roots: &Path, context: &Context<'_>) -> Result<Exit, Failure> {
    let unmet = resign::needed(roots, root);
    let threshold = root.role(Role::Root).map(policy::TrustRoot::threshold);
    let document = json!({
        "roots": roots,
        "version": root.version(),
        "digest": hex::encode(root.digest()),
        "anchor": hex::encode(root.anchor()),
        "threshold": threshold,
        "sign_again": unmet.iter().map(|one| &one.path).collect::<Vec<_>>(),
    });
    let text = format!(
        "root version {} is in {}\nanchor {} stays\n",
        root.version(),
        roots.display(),
        hex::encode(root.anchor())
    );
    context.output.either(&document, &text)?;
    resign::tell(&unmet, context);
    Ok(Exit::Accepted)
}
