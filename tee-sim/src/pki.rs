//! AMD's certificate profiles (AMD 57230, chapter 3): RSA-4096 ARK and ASK, P-384 VCEK, all signed with RSASSA-PSS and SHA-384.

mod authority;
mod certificate;
mod vek;

pub(crate) use authority::{ark, ask};
pub use certificate::Validity;
pub use vek::VekCertificate;

use attestation::snp::Product;

/// The product's name in common names: `ARK-Milan`, `SEV-Milan`.
pub(crate) const fn product_name(product: Product) -> &'static str {
    match product {
        Product::Milan => "Milan",
        Product::Genoa => "Genoa",
        Product::Turin => "Turin",
    }
}
