//! `narthex model open`.

use super::{
    super::{Context, Exit, Failure},
    ThreadArgs, key_file,
    meter::Meter,
    owner::OwnerArgs,
    told,
};
use clap::Args;
use protocol::secret::{Heap, SecretMemory};
use sealed_model::{SealedModel, Work};
use std::path::PathBuf;

/// Open a sealed model into a folder, after verifying whose it is
///
/// Every segment is verified, by its tag and by the digest that the owner signed, before any of its plaintext is written. Interrupted and begun again it
/// goes on where it was; the output has its name only when all of it is there. Nobody but you can read it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex model open sealed --out model --key weights.key --owner-key owner.pub.pem
  narthex model open sealed --out model --key weights.key --owner-key alice.pub.pem --owner-key bob.pub.pem --owner-threshold 1")]
pub(crate) struct Open {
    /// The sealed model
    sealed: PathBuf,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// File with the key, as `narthex model keygen` makes it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

impl Open {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let owner = self.owner.root()?;
        let key = key_file::read(&self.key)?;
        let model = SealedModel::open(&self.sealed, &owner)?;
        let digest = *model.manifest_digest();
        let unlocked = model.unlock(Heap.keep(key.expose()))?;
        let manifest = unlocked.manifest();
        let meter = Meter::new(&context.output, "opening", Some(manifest.total_bytes()));
        let work = Work {
            threads: self.threads.threads(),
            progress: &meter,
        };
        unlocked.export(&self.out, work)?;
        drop(meter);
        let text = told::text(manifest, &digest);
        context
            .output
            .either(&told::document(manifest, &digest), &text)?;
        Ok(Exit::Accepted)
    }
}
