//! Where evidence for a simulation comes from: bundles that were saved, or the nodes on offer.

use super::super::super::{
    Exit, Failure, block_on, files, gateway_args::GatewayArgs, verify::read_bundle,
};
use crate::fleet::Fleet;
use attestation::{EvidenceBundle, Nonce};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// One node's evidence, or why there is none.
pub(super) struct Evidence {
    /// The file's name, or the node's.
    pub(super) name: String,
    /// The node that offers it; `None` for a file, which does not tell.
    pub(super) node: Option<String>,
    pub(super) nonce: Option<Nonce>,
    pub(super) bundle: Result<EvidenceBundle, (String, String)>,
}

/// Files, and the bundles of folders in the order of their names.
pub(super) fn recorded(paths: &[PathBuf]) -> Result<Vec<Evidence>, Failure> {
    let mut bundles = Vec::new();
    for path in paths {
        if path.is_dir() {
            bundles.extend(in_folder(path)?);
        } else {
            bundles.push(path.clone());
        }
    }
    if bundles.is_empty() {
        return Err(
            Failure::usage("policy.simulate.evidence", "there is no evidence to judge")
                .advice("give --evidence with bundles or folders of *.bundle files, or --gateway"),
        );
    }
    bundles.iter().map(|path| of_file(path)).collect()
}

fn of_file(path: &Path) -> Result<Evidence, Failure> {
    let bundle = match read_bundle(path) {
        Ok(bundle) => Ok(bundle),
        Err(failure) if failure.exit == Exit::Malformed => {
            Err((failure.code.into_owned(), failure.message))
        }
        Err(failure) => return Err(failure),
    };
    Ok(Evidence {
        name: path.display().to_string(),
        node: None,
        nonce: None,
        bundle,
    })
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| files::unreadable(folder, &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_bundle = |path: &PathBuf| path.extension().is_some_and(|name| name == "bundle");
    let mut bundles: Vec<PathBuf> = paths.filter(is_bundle).collect();
    bundles.sort();
    Ok(bundles)
}

/// What every node on offer answers to a challenge.
pub(super) fn live(gateway: GatewayArgs) -> Result<Vec<Evidence>, Failure> {
    let gateway = gateway.gateway()?;
    block_on(async {
        let fleet = Fleet::new(&gateway)?;
        let mut all = Vec::new();
        for offer in fleet.offers().await? {
            let answer = fleet.evidence(&offer).await;
            let (nonce, bundle) = match answer {
                Ok((nonce, bundle)) => (Some(nonce), Ok(bundle)),
                Err(error) => (None, Err((error.code().to_owned(), error.to_string()))),
            };
            all.push(Evidence {
                name: offer.node.clone(),
                node: Some(offer.node),
                nonce,
                bundle,
            });
        }
        Ok(all)
    })
}
