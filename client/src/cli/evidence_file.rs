//! Evidence as people keep it: raw bytes, hexadecimal text, PEM or DER; always capped.

use super::{Exit, Failure, files};
use attestation::collateral::MAX_COLLATERAL_BYTES;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, pem::PemObject};
use std::path::Path;

const MAX_FILE_BYTES: usize = 1024 * 1024;
const PEM_MARK: &[u8] = b"-----BEGIN ";

/// Bytes, raw or in hexadecimal.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(decode(files::read(path, MAX_FILE_BYTES)?))
}

/// Bytes, raw or in base64.
pub(super) fn base64_or_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let content = files::read(path, MAX_FILE_BYTES)?;
    let digits: Vec<u8> = content
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    Ok(STANDARD.decode(&digits).unwrap_or(content))
}

/// A collateral bundle: its bytes.
pub(super) fn collateral(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, MAX_COLLATERAL_BYTES)
}

/// Certificates: PEM (any number), DER or hexadecimal DER (one).
pub(super) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let content = files::read(path, MAX_FILE_BYTES)?;
    if !is_pem(&content) {
        return Ok(vec![decode(content)]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content)
        .map(|item| item.map(|der| der.to_vec()))
        .collect();
    not_empty(path, found.ok())
}

/// Revocation lists: PEM (any number), DER or hexadecimal DER (one).
pub(super) fn crls(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let content = files::read(path, MAX_FILE_BYTES)?;
    if !is_pem(&content) {
        return Ok(vec![decode(content)]);
    }
    let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&content)
        .map(|item| item.map(|der| der.to_vec()))
        .collect();
    not_empty(path, found.ok())
}

fn not_empty(path: &Path, found: Option<Vec<Vec<u8>>>) -> Result<Vec<Vec<u8>>, Failure> {
    found.filter(|found| !found.is_empty()).ok_or_else(|| {
        let message = format!("{} is PEM without what is asked for", path.display());
        Failure::new(Exit::Malformed, "file.pem", message)
    })
}

fn is_pem(content: &[u8]) -> bool {
    content
        .windows(PEM_MARK.len())
        .any(|window| window == PEM_MARK)
}

/// Hexadecimal text becomes bytes; anything else is bytes already.
fn decode(content: Vec<u8>) -> Vec<u8> {
    let digits: Vec<u8> = content
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let digits = digits.strip_prefix(b"0x").unwrap_or(&digits);
    if digits.is_empty() {
        return content;
    }
    hex::decode(digits).unwrap_or(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_text_is_read_and_bytes_are_left_alone() {
        assert_eq!(decode(b"0x00ff\n 10".to_vec()), [0, 255, 16]);
        assert_eq!(decode(b"0ff".to_vec()), b"0ff");
        assert_eq!(decode(vec![2, 0, 0]), [2, 0, 0]);
        assert_eq!(decode(Vec::new()), b"");
    }
}
