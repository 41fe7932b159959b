//! `narthex receipt`: what a serving receipt says, and whether it holds.

mod show;
mod verify;

use super::{Context, Exit, Failure};
use clap::Subcommand;

/// Read and verify serving receipts
#[derive(Subcommand)]
pub(crate) enum ReceiptCommand {
    Verify(Box<verify::ReceiptVerify>),
    Show(show::Show),
}

impl ReceiptCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Verify(verify) => verify.run(context),
            Self::Show(show) => show.run(context),
        }
    }
}
