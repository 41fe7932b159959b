//! `narthex policy`: documents of a security team: made, checked, compared, tried, signed, published and taken back.

mod case;
mod diff;
mod document;
mod explain;
mod facts;
mod fmt;
mod folder;
mod import;
mod init;
mod inventory;
mod jsonl;
mod kind;
mod layout;
mod lint;
mod order;
mod public_key;
mod reasons;
mod resign;
mod rotate_root;
mod schema;
mod sign;
mod simulate;
mod test;
mod timestamp;
mod trust;
mod verify;

use super::{Context, Exit, Failure, keygen};
use clap::Subcommand;

/// Make, check, compare, try, sign, publish and take back policies and what stands beside them
#[derive(Subcommand)]
#[command(after_help = "\
From nothing to a signed policy:
  narthex policy init rules && cd rules
  narthex policy keygen alice
  narthex policy lint policy.toml
  narthex policy sign --key alice.pem policy.toml -o policy.json
  narthex policy verify --policy-key alice.pub.pem policy.json")]
pub(crate) enum PolicyCommand {
    Init(init::Init),
    Keygen(keygen::Keygen),
    PublicKey(public_key::PublicKey),
    Lint(lint::Lint),
    Fmt(fmt::Fmt),
    Explain(explain::Explain),
    Schema(schema::Schema),
    Diff(diff::Diff),
    Simulate(simulate::Simulate),
    Test(test::Test),
    Import(import::Import),
    Sign(sign::Sign),
    Verify(verify::PolicyVerify),
    RotateRoot(rotate_root::RotateRoot),
    Timestamp(timestamp::TimestampArgs),
    Stop(order::Stop),
    Start(order::Start),
    Append(order::Append),
    #[command(subcommand)]
    Inventory(inventory::InventoryCommand),
}

impl PolicyCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Init(init) => init.run(context),
            Self::Keygen(keygen) => keygen.run(context),
            Self::PublicKey(key) => key.run(context),
            Self::Lint(lint) => lint.run(context),
            Self::Fmt(fmt) => fmt.run(context),
            Self::Explain(explain) => explain.run(context),
            Self::Schema(schema) => schema.run(context),
            Self::Diff(diff) => diff.run(context),
            Self::Simulate(simulate) => simulate.run(context),
            Self::Test(test) => test.run(context),
            Self::Import(import) => import.run(context),
            Self::Sign(sign) => sign.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::RotateRoot(rotate) => rotate.run(context),
            Self::Timestamp(timestamp) => timestamp.run(context),
            Self::Stop(stop) => stop.run(context),
            Self::Start(start) => start.run(context),
            Self::Append(append) => append.run(context),
            Self::Inventory(inventory) => inventory.run(context),
        }
    }
}
