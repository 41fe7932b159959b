//! AMD SEV-SNP: reports v2 to v5, VCEK and VLEK chains, Milan, Genoa (with Bergamo and Siena) and Turin.
//!
//! [`verify`] answers whether evidence is authentic, not whether it is acceptable: debug guests and old firmware are told in the claims.
//! Whoever judges many reports of one chip keeps its [`VerifiedVek`]: each report then costs one signature.

mod chain;
mod claims;
mod error;
mod named_vek;
mod product;
mod report;
mod revocation;
mod steps;
mod tcb;
mod vek;
mod verified_vek;
mod verify;

pub use claims::SnpClaims;
pub use error::{Certificate, SnpError};
pub use named_vek::NamedVek;
pub use product::Product;
pub(crate) use revocation::lists_for;
pub use steps::STEPS;
pub use tcb::TcbVersion;
pub(crate) use vek::vek_name;
pub use verified_vek::VerifiedVek;
pub(crate) use verify::verify_cpu;
pub use verify::{Evidence, verify};

/// The key that signed the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// Versioned chip endorsement key: names one chip.
    Vcek,
    /// Versioned loaded endorsement key: names a cloud provider, no chip.
    Vlek,
}

impl std::fmt::Display for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Vcek => "VCEK",
            Self::Vlek => "VLEK",
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
