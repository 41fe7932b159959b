//! Whose signature on a sealed model counts.

use super::super::{Exit, Failure};
use clap::Args;
use policy::TrustRoot;
use provision::{PublicKeyError, read_trust_root};
use std::path::PathBuf;

/// The owner's public keys.
#[derive(Args)]
pub(super) struct OwnerArgs {
    /// Ed25519 public key (PEM) of the model's owner; repeatable
    #[arg(long, value_name = "FILE", required = true)]
    owner_key: Vec<PathBuf>,
    /// How many distinct ones must have signed [default: all that are given]
    #[arg(long, value_name = "N")]
    owner_threshold: Option<usize>,
}

impl OwnerArgs {
    pub(super) fn root(&self) -> Result<TrustRoot, Failure> {
        read_trust_root(&self.owner_key, self.owner_threshold).map_err(|error| {
            let exit = match error {
                PublicKeyError::File(_) | PublicKeyError::Root(_) => Exit::Usage,
                _ => Exit::Malformed,
            };
            Failure::new(exit, error.code(), error.to_string())
                .advice("`narthex policy keygen` makes a pair; give its NAME.pub.pem here")
        })
    }
}
