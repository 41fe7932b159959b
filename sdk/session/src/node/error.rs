//! Why a node is not sealed to.

use attestation::BundleError;
use policy::Refusal;
use protocol::SealError;

/// The step at which a node on offer was refused, in their order.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The evidence bundle does not parse.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The evidence is not authentic, or the user's policy denies what it says.
    #[error("the evidence or the policy refuses the node")]
    Refused(#[from] Refusal),
    /// The bundle carries no key list.
    #[error("the node's evidence comes without its signed key list")]
    NoKeys,
    /// The key list.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The key list names another node than the offer.
    #[error("the node calls itself {actual:?} in its key list, but was offered as {offered:?}")]
    NodeName {
        /// In the offer.
        offered: String,
        /// In the signed list.
        actual: String,
    },
}
