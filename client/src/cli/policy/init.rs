//! `narthex policy init`: a policy repository to begin with.

use super::super::{Context, Exit, Failure, files};
use clap::Args;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Write a commented policy, root, inventory and a first case into a folder
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy init
  narthex policy init rules

Nothing is overwritten. Every value is a placeholder until you have put yours there: `narthex policy lint *.toml` tells what is wrong,
`narthex policy test cases` whether the rules say what you mean.")]
pub(crate) struct Init {
    /// The folder; made if it is not there
    #[arg(default_value = ".")]
    folder: PathBuf,
}

const FILES: [(&str, &str); 4] = [
    ("policy.toml", include_str!("template/policy.toml")),
    ("root.toml", include_str!("template/root.toml")),
    ("inventory.toml", include_str!("template/inventory.toml")),
    ("cases/accept.toml", include_str!("template/accept.toml")),
];

impl Init {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let paths = FILES.map(|(name, _)| self.folder.join(name));
        if let Some(path) = paths.iter().find(|path| path.exists()) {
            let message = format!("{} exists already", path.display());
            return Err(Failure::usage("policy.init.exists", message)
                .advice("choose another folder; nothing is overwritten"));
        }
        make(&self.folder.join("cases"))?;
        for (path, (_, text)) in paths.iter().zip(FILES) {
            files::write_shared(path, text.as_bytes())?;
        }
        let text: String = paths
            .iter()
            .map(|path| format!("{}\n", path.display()))
            .collect();
        context.output.either(&json!({"files": paths}), &text)?;
        Ok(Exit::Accepted)
    }
}

fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| files::unwritable(folder, &error))
}
