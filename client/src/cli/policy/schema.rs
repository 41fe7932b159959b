//! `narthex policy schema`: JSON Schema of each kind of document, for editors.

use super::{
    super::{Context, Exit, Failure},
    kind::Kind,
};
use clap::Args;
use policy::schema_json;

/// Print the JSON Schema (draft 2020-12) of a kind of document, for editors that complete and check TOML
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy schema > policy.schema.json
  narthex policy schema --kind inventory > inventory.schema.json

An editor with a TOML language server takes it from a first line such as `#:schema ./policy.schema.json`.")]
pub(crate) struct Schema {
    /// Which kind of document
    #[arg(long, value_enum, default_value = "policy")]
    kind: Kind,
}

impl Schema {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let text = schema_json::text(self.kind.payload_type());
        context.output.text(text)?;
        Ok(Exit::Accepted)
    }
}
