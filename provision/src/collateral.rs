//! Fetches collateral from AMD, Intel and NVIDIA (or mirrors of theirs) into a [`attestation::CollateralBundle`].
//!
//! What comes in is capped and must parse; whether it is authentic is for the verifier. A request that may succeed later is made
//! again after a growing pause; one that was refused is not. Of equal requests at the same time one goes out. Answers are kept on
//! disk until their own window ends.

mod answer;
mod cache;
mod error;
mod fetcher;
mod flights;
mod kds;
mod needs;
mod ocsp;
mod pace;
mod pcs;
mod rims;
mod source;
mod transport;

pub use error::{Fault, FetchError};
pub use fetcher::{Fetcher, Observe, Progress, Settings};
pub use needs::{Needs, NeedsError, PckCa, TdxNeed, VekNeed};
pub use ocsp::OcspNeed;
pub use pace::{Pace, SystemPace};
pub use source::{BaseUrl, SourceError, Sources};
pub(crate) use transport::{Current, Transport};
