//! `narthex collateral`: gathers what verification needs beside evidence, and shows what is at hand.

mod contents;
mod export;
mod fetch;
mod import;
mod parts;
mod show;

use super::{Context, Exit, Failure, files};
use attestation::{
    CollateralBundle,
    collateral::{CollateralError, MAX_COLLATERAL_BYTES},
};
use clap::Subcommand;
use std::path::Path;

/// Fetch, import, export and show collateral: certificates, CRLs, TCB info, reference manifests, OCSP responses
#[derive(Subcommand)]
#[command(after_help = "\
On a machine with a network, and on one behind an air gap:
  narthex collateral fetch --out now.collateral --snp-report report.bin --tdx-quote quote.bin
  narthex collateral show now.collateral
  narthex collateral import --out all.collateral old.collateral now.collateral")]
pub(crate) enum CollateralCommand {
    Fetch(fetch::Fetch),
    Import(import::Import),
    Export(export::Export),
    Show(show::Show),
}

impl CollateralCommand {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Fetch(fetch) => fetch.run(context),
            Self::Import(import) => import.run(context),
            Self::Export(export) => export.run(context),
            Self::Show(show) => show.run(context),
        }
    }
}

fn read(path: &Path) -> Result<CollateralBundle, Failure> {
    let bytes = files::read(path, MAX_COLLATERAL_BYTES)?;
    CollateralBundle::from_cbor(&bytes).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Malformed, error.code(), message).advice(
            "give a bundle that `narthex collateral fetch` or `import` has written; `import` takes single parts",
        )
    })
}

/// Writes what [`read`] will read.
fn write(path: &Path, bundle: &CollateralBundle) -> Result<(), Failure> {
    let bytes = bundle.to_cbor();
    match CollateralBundle::from_cbor(&bytes) {
        Ok(_) => files::write_shared(path, &bytes),
        Err(CollateralError::Empty) => Err(Failure::usage(
            CollateralError::Empty.code(),
            "there is nothing to put into the bundle",
        )
        .advice("name evidence, parts or bundles; --help has examples")),
        Err(error) => Err(Failure::usage(error.code(), error.to_string()).advice(
            "make several bundles: each verification needs the parts for its evidence only",
        )),
    }
}
