//! X.509 certificates and revocation lists (RFC 5280) of any invented vendor: every field can be set before it is signed.

mod certificate;
mod crl;
mod extension;
mod key;
mod name;

pub use certificate::Certificate;
pub use crl::RevocationList;
pub use extension::{Extension, KeyUsage, oids};
pub use key::{Key, rsassa_pss_sha384};
pub use name::Name;
