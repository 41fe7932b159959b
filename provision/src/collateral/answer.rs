//! One request to a vendor's service and its answer.

use attestation::Window;
use aws_lc_rs::digest::{Context, SHA256};

/// What to ask for, and what an answer must be.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) url: String,
    /// POSTed with its media type; `None`: GET.
    pub(super) post: Option<(Vec<u8>, &'static str)>,
    /// The header that carries the issuer's chain (PEM, percent-encoded).
    pub(super) chain_header: Option<&'static str>,
    pub(super) max_bytes: usize,
    /// For error messages.
    pub(super) what: &'static str,
    /// When the answer holds; `None` if it is not what was asked for.
    pub(super) window: fn(&Answer) -> Option<Window>,
}

/// A whole answer with status 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// The issuer's chain, as in the header.
    pub(super) chain: Option<String>,
}

impl Request {
    /// Names the request: equal ones get equal answers.
    pub(super) fn key(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(self.url.as_bytes());
        context.update(&[0]);
        context.update(self.post.as_ref().map_or(&[], |(body, _)| body));
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        key
    }
}

/// The certificates of a PEM file or of an issuer chain, DER; `None` if there is none.
pub(super) fn certificates(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    use rustls_pki_types::{CertificateDer, pem::PemObject};
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
        .map(|item| item.map(|der| der.to_vec()))
        .collect();
    found.ok().filter(|found| !found.is_empty())
}
