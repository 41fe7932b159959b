//! The attestation result, and its export as EAR (draft-ietf-rats-ear-04): what a verifier tells a relying party that trusts it.
//!
//! An [`AttestationResult`] has one [`Appraisal`] per part of the attester (CPU, GPUs, the node as a whole), each with a tier and AR4SI's
//! trustworthiness vector (draft-ietf-rats-ar4si-09). It is made from the findings of a verification by [`appraise`], whatever the verdict, and becomes a JWT or a
//! CWT under a key that [`Signer`] stands for.

mod appraisal;
mod blame;
mod claims_set;
mod findings;
mod token;
mod vector;

pub use appraisal::{Appraisal, AttestationResult, VerifierId};
pub use findings::{Finding, FindingOutcome, Verdict, appraise};
pub use token::{Algorithm, Signer};
pub use vector::{Aspect, Tier, TrustworthinessVector};
