//! `narthex model`: weights that nobody but their owner and attested nodes can read (docs/sealed-models.md).

mod failure;
mod key_file;
mod keygen;
mod meter;
mod open;
mod owner;
mod seal;
mod told;
mod verify;

use super::{Context, Exit, Failure};
use clap::{Args, Subcommand};
use sealed_model::Threads;
use std::num::NonZeroUsize;

/// Seal a model's files under a key, open them, verify them
#[derive(Subcommand)]
pub(crate) enum ModelCommand {
    Keygen(keygen::Keygen),
    Seal(seal::Seal),
    Open(open::Open),
    Verify(verify::Verify),
}

impl ModelCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Keygen(keygen) => keygen.run(context),
            Self::Seal(seal) => seal.run(context),
            Self::Open(open) => open.run(context),
            Self::Verify(verify) => verify.run(context),
        }
    }
}

/// How much of the machine long work takes.
#[derive(Args)]
struct ThreadArgs {
    /// Threads that work [default: as many as the machine runs at once]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl ThreadArgs {
    fn threads(&self) -> Threads {
        self.threads.map_or_else(Threads::all, Threads::exactly)
    }
}
