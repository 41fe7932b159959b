//! An Ed25519 public key in PEM, as `openssl pkey -pubout` and `narthex policy keygen` write it (RFC 8410, RFC 7468).

/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 section 4); no parameters, so nothing varies.
const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// Largest text read, in bytes; a real one has 113.
const MAX_PEM_BYTES: usize = 16 * 1024;

/// The 32 bytes of the key; `None` if the text is not exactly one such key.
pub(crate) fn parse(pem: &[u8]) -> Option<[u8; 32]> {
    if pem.len() > MAX_PEM_BYTES {
        return None;
    }
    let mut der = [0; ED25519_SPKI_PREFIX.len() + 32];
    let (label, der) = pem_rfc7468::decode(pem, &mut der).ok()?;
    if label != "PUBLIC KEY" {
        return None;
    }
    der.strip_prefix(&ED25519_SPKI_PREFIX)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn one_ed25519_public_key_and_nothing_else() {
        assert_eq!(parse(KEY.as_bytes()).unwrap()[..2], [0x19, 0xbf]);
        let private = KEY.replace("PUBLIC", "PRIVATE");
        let x25519 = KEY.replace("K2Vw", "K2Vu");
        let doubled = KEY.repeat(2);
        let cut = KEY.replace("xZuE=", "xZu==");
        let large = " ".repeat(20_000) + KEY;
        for pem in ["", &private, &x25519, &doubled, &cut, &large] {
            assert_eq!(parse(pem.as_bytes()), None, "{pem}");
        }
    }
}
