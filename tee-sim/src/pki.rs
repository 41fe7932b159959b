//! AMD's certificate profiles (AMD 57230, chapter 3): RSA-4096 ARK and ASK, P-384 VCEK, all signed with RSASSA-PSS and SHA-384.

mod authority;
mod vek;

pub(crate) use authority::{ark, ask};
pub(crate) use vek::AMD_SEV;
pub use vek::VekCertificate;

use attestation::{UnixTime, snp::Product};

/// notBefore and notAfter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: UnixTime,
    /// Last second.
    pub not_after: UnixTime,
}

/// The product's name in common names: `ARK-Milan`, `SEV-Milan`.
pub(crate) const fn product_name(product: Product) -> &'static str {
    match product {
        Product::Milan => "Milan",
        Product::Genoa => "Genoa",
        Product::Turin => "Turin",
    }
}
