//! The policy that the configuration names: signed, parsed, and not older than any seen before.

use crate::config::PolicyFiles;
use policy::Policy;
use provision::{PolicyFileError, PolicyMemory, PublicKeyError, read_policy, read_trust_root};

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyInForceError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] PublicKeyError),
    /// The signed document, or the memory of those before it.
    #[error(transparent)]
    Policy(#[from] PolicyFileError),
}

/// Reads the policy and remembers its version.
pub fn policy_in_force(files: &PolicyFiles) -> Result<Policy, PolicyInForceError> {
    let root = read_trust_root(&files.keys, Some(files.threshold))?;
    let memory = PolicyMemory::new(&files.state, &root);
    Ok(read_policy(&files.envelope, &root, &memory)?)
}
