//! `narthex audit`: what an auditor can find out again, years later, from what was kept.

mod replay;

use super::{Context, Exit, Failure};
use clap::Subcommand;

/// Find out again what a receipt states
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    Replay(Box<replay::Replay>),
}

impl AuditCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Replay(replay) => replay.run(context),
        }
    }
}
