//! `narthex collateral import`: makes a bundle from parts and other bundles, without a network.

use super::{
    super::{Context, Exit, Failure},
    parts::Parts,
    read, write,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Make a bundle from files and other bundles: everything of all, each part once
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex collateral import --out node.collateral --certificate vcek.der --certificate ask.pem --crl milan.crl
  narthex collateral import --out node.collateral --tdx-collateral tdx.json --rim driver.xml --rim vbios.xml --ocsp l2.der
  narthex collateral import --out all.collateral old.collateral new.collateral")]
pub(crate) struct Import {
    /// Where to write the bundle
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    parts: Parts,
    /// Bundles to take in
    #[arg(value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
}

impl Import {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let mut all = self.parts.read()?;
        for path in &self.bundles {
            all = all.merge(read(path)?);
        }
        write(&self.out, &all)?;
        let items = all.contents().len();
        let document = json!({"bundle": self.out, "items": items});
        let text = format!("{}  {items} items\n", self.out.display());
        context.output.either(&document, &text)?;
        Ok(Exit::Accepted)
    }
}
