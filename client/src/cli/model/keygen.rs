//! `narthex model keygen`.

use super::{
    super::{Context, Exit, Failure},
    key_file,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Make a key for sealing models: 32 random bytes in a file of mode 0600
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex model keygen weights.key

The key is never printed. Its id commits to it and tells nothing of it: manifests and key releasers know keys by it.
Who has the key can read every model that is sealed under it; without it they cannot be read again.")]
pub(crate) struct Keygen {
    /// Where to write it
    file: PathBuf,
}

impl Keygen {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let key_id = key_file::make(&self.file)?.id().to_string();
        let document = json!({"key_file": self.file, "key_id": key_id});
        let text = format!("key file  {}\nkey id    {key_id}\n", self.file.display());
        context.output.either(&document, &text)?;
        Ok(Exit::Accepted)
    }
}
