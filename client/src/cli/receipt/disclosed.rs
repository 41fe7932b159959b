//! The files of a disclosed exchange.

use super::super::{Exit, Failure, evidence_file, files};
use protocol::{
    Opening, SignedReceipt,
    receipt::{MAX_SIGNED_RECEIPT, ReceiptError},
};
use std::path::Path;
use zeroize::Zeroizing;

const MAX_OPENING_BYTES: usize = 1024;
const MAX_TOKENS_BYTES: usize = 4 * 1024 * 1024;

/// The exit status that a refused receipt means.
pub(in super::super) const fn exit_of(error: &ReceiptError) -> Exit {
    match error {
        ReceiptError::Malformed => Exit::Malformed,
        _ => Exit::Rejected,
    }
}

/// Reads a receipt file; nothing of it is verified.
pub(in super::super) fn read_receipt(path: &Path) -> Result<SignedReceipt, Failure> {
    let bytes = evidence_file::bytes(path)?;
    if bytes.len() > MAX_SIGNED_RECEIPT {
        let message = format!("{} is larger than any receipt", path.display());
        return Err(Failure::new(Exit::Malformed, "receipt.malformed", message));
    }
    Ok(SignedReceipt::from_bytes(bytes))
}

/// Reads the secret that opens a receipt's digests.
pub(in super::super) fn read_opening(path: &Path) -> Result<Opening, Failure> {
    let text = Zeroizing::new(files::read_unlisted(path, MAX_OPENING_BYTES)?);
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), secret.as_mut_slice()).map_err(|_| {
        let message = format!("{} is not 64 hexadecimal digits", path.display());
        Failure::new(Exit::Malformed, "receipt.opening", message)
    })?;
    Ok(Opening::from_bytes(*secret))
}

/// Reads disclosed token ids.
pub(super) fn read_tokens(path: &Path) -> Result<Zeroizing<Vec<u32>>, Failure> {
    let text = Zeroizing::new(files::read_unlisted(path, MAX_TOKENS_BYTES)?);
    serde_json::from_slice(&text)
        .map(Zeroizing::new)
        .map_err(|_| {
            let message = format!("{} is not a JSON array of token ids", path.display());
            Failure::new(Exit::Malformed, "receipt.tokens", message)
        })
}
