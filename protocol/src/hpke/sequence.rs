//! An AEAD key whose nonces count up: `ContextS.Seal` and `ContextR.Open` of RFC 9180 section 5.2, and the response of Chunked OHTTP.

use crate::crypto::{Aead, AeadKey, NONCE};

/// An AEAD key with a base nonce and a counter that never wraps.
pub(crate) struct SequencedAead {
    key: AeadKey,
    base_nonce: [u8; NONCE],
    next: Option<u64>,
}

impl SequencedAead {
    /// `key` has the AEAD's Nk bytes.
    pub(crate) fn new(aead: Aead, key: &[u8], base_nonce: [u8; NONCE]) -> Option<Self> {
        let key = AeadKey::new(aead, key)?;
        Some(Self {
            key,
            base_nonce,
            next: Some(0),
        })
    }

    /// Encrypts what is at the front of `out`, then `bulk`, into `out`, whose end is the tag's; `None` when the counter is used up.
    pub(crate) fn seal(&mut self, aad: &[u8], bulk: &[u8], out: &mut [u8]) -> Option<()> {
        let nonce = self.nonce()?;
        self.key.seal(nonce, aad, bulk, out)
    }

    /// Decrypts ciphertext and tag in place. The counter moves on even when this fails: a stream that failed once is not read further.
    pub(crate) fn open<'a>(&mut self, aad: &[u8], in_out: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let nonce = self.nonce()?;
        self.key.open(nonce, aad, in_out)
    }

    /// [`Self::open`] from one buffer into another of the plaintext's length.
    pub(crate) fn open_into(&mut self, aad: &[u8], sealed: &[u8], out: &mut [u8]) -> Option<()> {
        let nonce = self.nonce()?;
        self.key.open_into(nonce, aad, sealed, out)
    }

    /// The base nonce XOR the counter, big-endian; `None` once 2^64 messages were made.
    fn nonce(&mut self) -> Option<[u8; NONCE]> {
        let counter = self.next?;
        self.next = counter.checked_add(1);
        let mut nonce = self.base_nonce;
        for (byte, mask) in nonce.iter_mut().rev().zip(counter.to_le_bytes()) {
            *byte ^= mask;
        }
        Some(nonce)
    }

    #[cfg(test)]
    pub(crate) fn jump_to(&mut self, counter: u64) {
        self.next = Some(counter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_ends_and_does_not_wrap() {
        let mut aead = SequencedAead::new(Aead::Aes128Gcm, &[1; 16], [0; NONCE]).unwrap();
        aead.jump_to(u64::MAX);
        assert!(aead.seal(b"", b"", &mut [0; 20]).is_some());
        assert!(aead.seal(b"", b"", &mut [0; 20]).is_none());
        assert!(aead.open(b"", &mut [0; 20]).is_none());
        assert!(aead.open_into(b"", &[0; 20], &mut [0; 4]).is_none());
    }

    #[test]
    fn a_key_of_the_wrong_length_is_refused() {
        assert!(SequencedAead::new(Aead::Aes128Gcm, &[1; 32], [0; NONCE]).is_none());
        assert!(SequencedAead::new(Aead::Aes256Gcm, &[1; 16], [0; NONCE]).is_none());
    }
}
