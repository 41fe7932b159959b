//! `narthex receipt`: what a serving receipt says, whether it holds, and one that did not arrive.

pub(super) mod disclosed;
mod fetch;
mod show;
mod verify;

use super::{Context, Exit, Failure};
use clap::Subcommand;

/// Read, verify and fetch serving receipts
#[derive(Subcommand)]
pub(crate) enum ReceiptCommand {
    Verify(Box<verify::ReceiptVerify>),
    Show(show::Show),
    Fetch(Box<fetch::Fetch>),
}

impl ReceiptCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Verify(verify) => verify.run(context),
            Self::Show(show) => show.run(context),
            Self::Fetch(fetch) => fetch.run(context),
        }
    }
}
