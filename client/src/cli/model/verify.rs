//! `narthex model verify`.

use super::{
    super::{
        Context, Exit, Failure,
        report::{Report, Retryable},
    },
    ThreadArgs,
    failure::exit_of,
    meter::Meter,
    owner::OwnerArgs,
    told,
};
use crate::Check;
use clap::Args;
use policy::TrustRoot;
use sealed_model::{OpenError, SealedModel, Work};
use serde_json::Value;
use std::path::PathBuf;

/// Verify a copy of a sealed model without its key: nothing was changed since its owner signed
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex model verify sealed --owner-key owner.pub.pem
  narthex model verify sealed --owner-key owner.pub.pem --json

The SHA-256 of a model of one file is the digest by which policies and receipts know it.")]
pub(crate) struct Verify {
    /// The sealed model
    sealed: PathBuf,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

impl Verify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let owner = self.owner.root()?;
        let report = match SealedModel::open(&self.sealed, &owner) {
            Ok(model) => self.segments(&model, &owner, context),
            Err(error) if exit_of(&error) == Exit::Usage => return Err(error.into()),
            Err(error) => refused(Vec::new(), &error),
        };
        context.output.report(&report)
    }

    /// The verdict on a model whose manifest, lengths and headers hold.
    fn segments(&self, model: &SealedModel, owner: &TrustRoot, context: &Context<'_>) -> Report {
        let manifest = model.manifest();
        let mut checks = vec![signed(owner), listed(model)];
        let meter = Meter::new(&context.output, "verifying", Some(manifest.total_bytes()));
        let verified = model.verify(Work {
            threads: self.threads.threads(),
            progress: &meter,
        });
        drop(meter);
        if let Err(error) = verified {
            return refused(checks, &error);
        }
        let segments: u64 = manifest.files().iter().map(|file| file.segments()).sum();
        let check = Check::pass("sealed.segment", "segments are those that the owner signed");
        checks.push(check.detail(format!("{segments} segments")));
        checks.push(key(model));
        for file in manifest.files() {
            let check = Check::info("sealed.sha256", "plaintext, as the owner states it");
            let sha256 = hex::encode(file.sha256());
            checks.push(check.detail(format!("{sha256}  {}", file.name())));
        }
        Report::of(checks, told::document(manifest, model.manifest_digest()))
    }
}

fn signed(owner: &TrustRoot) -> Check {
    let check = Check::pass("sealed.signature", "manifest signed by the owner");
    let keys = owner.keys().len();
    check.detail(format!("{} of {keys} keys", owner.threshold()))
}

fn listed(model: &SealedModel) -> Check {
    let check = Check::pass(
        "sealed.header",
        "files have the lengths and headers of the manifest",
    );
    check.detail(format!("{} files", model.manifest().files().len()))
}

fn key(model: &SealedModel) -> Check {
    let check = Check::info("sealed.key", "id of the key");
    check.detail(model.manifest().key_id().to_string())
}

fn refused(mut checks: Vec<Check>, error: &OpenError) -> Report {
    let check = Check::fail(error.code(), "sealed model");
    checks.push(check.detail(error.to_string()));
    Report::of(checks, Value::Null).and(exit_of(error), Retryable::No)
}
