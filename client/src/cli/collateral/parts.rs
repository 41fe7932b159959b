//! Single parts as files: each must be what it is given as.

use super::super::{Exit, Failure, evidence_file};
use attestation::{
    CollateralBundle,
    collateral::{ItemKind, SnpCollateral},
    nvidia::References,
    tdx::Collateral,
};
use clap::Args;
use std::path::{Path, PathBuf};

/// Parts of a bundle.
#[derive(Args)]
#[command(next_help_heading = "Parts")]
pub(super) struct Parts {
    /// AMD's certificates (VCEK, VLEK, ASK, ASVK): DER or PEM; repeatable
    #[arg(long, value_name = "FILE")]
    certificate: Vec<PathBuf>,
    /// Revocation list of AMD's root: DER or PEM; repeatable
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Intel's collateral of a platform family as one JSON document; repeatable
    #[arg(long, value_name = "FILE")]
    tdx_collateral: Vec<PathBuf>,
    /// NVIDIA's reference integrity manifest: XML; repeatable
    #[arg(long, value_name = "FILE")]
    rim: Vec<PathBuf>,
    /// OCSP response: DER, raw or in base64; repeatable
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
}

impl Parts {
    pub(super) fn read(&self) -> Result<CollateralBundle, Failure> {
        let one = |path: &Path| Ok(vec![evidence_file::bytes(path)?]);
        let one_in_base64 = |path: &Path| Ok(vec![evidence_file::base64_or_bytes(path)?]);
        Ok(CollateralBundle {
            snp: SnpCollateral {
                certificates: all(
                    &self.certificate,
                    ItemKind::SnpCertificate,
                    evidence_file::certificates,
                )?,
                crls: all(&self.crl, ItemKind::SnpCrl, evidence_file::crls)?,
            },
            tdx: self
                .tdx_collateral
                .iter()
                .map(|path| tdx(path))
                .collect::<Result<_, _>>()?,
            nvidia: References {
                rims: all(&self.rim, ItemKind::NvidiaRim, one)?,
                ocsp: all(&self.ocsp, ItemKind::NvidiaOcsp, one_in_base64)?,
            },
        })
    }
}

fn all(
    paths: &[PathBuf],
    kind: ItemKind,
    read: impl Fn(&Path) -> Result<Vec<Vec<u8>>, Failure>,
) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let items = read(path)?;
        if items.iter().any(|item| kind.window_of(item).is_none()) {
            return Err(malformed(path, kind.code()));
        }
        all.extend(items);
    }
    Ok(all)
}

fn tdx(path: &Path) -> Result<Collateral, Failure> {
    let document = evidence_file::bytes(path)?;
    Collateral::from_json(&document).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Malformed, error.code(), message)
            .advice("give a document like `narthex collateral export` writes")
    })
}

fn malformed(path: &Path, kind: &str) -> Failure {
    let message = format!("{} is no {kind}, or more than one", path.display());
    Failure::new(Exit::Malformed, "collateral.item", message)
        .advice("check the file and the flag that it is given with")
}
