//! OCSP responses (RFC 6960), stapled or cached.
