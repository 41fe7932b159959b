//! `narthex collateral export`: the parts of a bundle as files that other tools read.

use super::{
    super::{Context, Exit, Failure, files},
    read,
};
use attestation::{CollateralBundle, tdx::Collateral};
use clap::Args;
use serde_json::json;
use std::{fs, path::PathBuf};

/// Write the parts of a bundle as files: DER, XML, and Intel's as JSON documents
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex collateral export now.collateral --dir parts

`narthex collateral import` makes the same bundle from the files.")]
pub(crate) struct Export {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Folder for the files; made if it is not there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

impl Export {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let bundle = read(&self.bundle)?;
        fs::create_dir_all(&self.dir).map_err(|error| files::unwritable(&self.dir, &error))?;
        let mut written = Vec::new();
        for (name, bytes) in parts(&bundle).ok_or_else(no_text)? {
            let path = self.dir.join(name);
            files::write_shared(&path, &bytes)?;
            written.push(path);
        }
        let lines = written.iter().map(|path| format!("{}\n", path.display()));
        let text: String = lines.collect();
        context.output.either(&json!({"files": written}), &text)?;
        Ok(Exit::Accepted)
    }
}

fn no_text() -> Failure {
    let message = "a document of Intel's in the bundle is no text";
    Failure::new(Exit::Malformed, "collateral.item", message)
        .advice("fetch it again: `narthex collateral fetch`")
}

/// Names and contents, numbered in the order of the bundle; `None` if one of Intel's documents is no text.
fn parts(bundle: &CollateralBundle) -> Option<Vec<(String, Vec<u8>)>> {
    let numbered = |name: &str, extension: &str, items: &[Vec<u8>]| -> Vec<(String, Vec<u8>)> {
        let items = items.iter().enumerate();
        items
            .map(|(index, bytes)| {
                (
                    format!("{name}-{:03}.{extension}", index + 1),
                    bytes.clone(),
                )
            })
            .collect()
    };
    let tdx: Option<Vec<_>> = bundle.tdx.iter().map(Collateral::to_json).collect();
    let tdx: Vec<_> = tdx?.into_iter().map(String::into_bytes).collect();
    let parts = [
        numbered("snp-certificate", "der", &bundle.snp.certificates),
        numbered("snp-crl", "der", &bundle.snp.crls),
        numbered("tdx-collateral", "json", &tdx),
        numbered("nvidia-rim", "xml", &bundle.nvidia.rims),
        numbered("nvidia-ocsp", "der", &bundle.nvidia.ocsp),
    ];
    Some(parts.concat())
}
