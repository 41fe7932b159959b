//! The tenant's word to the runtime, inside the seal: who asks (`narthex-tenant`) and what may be shared (`narthex-cache-secret`). The gateway
//! sees neither.

use crate::crypto::sha256;
use attestation::{BindingId, crypto::ed25519_verify};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// A tenant's Ed25519 public key and its signature of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantCredential {
    /// The public key, as the policy lists it.
    pub key: [u8; 32],
    /// Over [`TenantStatement::to_bytes`].
    pub signature: [u8; 64],
}

/// What a tenant signs: one request to one attestation.
#[derive(Clone, Copy)]
pub struct TenantStatement<'a> {
    /// `narthex-request-id`.
    pub request_id: &'a [u8; 16],
    /// `narthex-binding`.
    pub binding_id: &'a BindingId,
    /// As sealed.
    pub method: &'a str,
    /// As sealed.
    pub path: &'a str,
    /// As sealed.
    pub body: &'a [u8],
}

/// Signs for a tenant; the key stays where it is.
pub trait TenantSigner: Send + Sync {
    /// The public key.
    fn key(&self) -> [u8; 32];
    /// The signature of `statement`; `None` if none could be made.
    fn sign(&self, statement: &[u8]) -> Option<[u8; 64]>;
}

/// 32 bytes that only those who may share cached state know. No Debug; wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheSecret(Zeroizing<[u8; 32]>);

impl TenantStatement<'_> {
    /// Label `narthex/1/tenant`, then request id, binding id, method, path and SHA-256 of the body, each after its length as a big-endian u64.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields: [&[u8]; 6] = [
            b"narthex/1/tenant",
            self.request_id,
            &self.binding_id.0,
            self.method.as_bytes(),
            self.path.as_bytes(),
            &sha256(self.body),
        ];
        let mut bytes = Vec::new();
        for field in fields {
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        bytes
    }
}

impl TenantCredential {
    /// The credential of `signer` for `statement`.
    #[must_use]
    pub fn sign(signer: &dyn TenantSigner, statement: &TenantStatement<'_>) -> Option<Self> {
        let signature = signer.sign(&statement.to_bytes())?;
        let key = signer.key();
        Some(Self { key, signature })
    }

    /// Whether the tenant signed `statement`. Which tenants are served is the policy's word.
    #[must_use]
    pub fn verifies(&self, statement: &TenantStatement<'_>) -> bool {
        ed25519_verify(&self.key, &statement.to_bytes(), &self.signature)
    }

    /// Key and signature, base64url without padding: 128 characters.
    pub(crate) fn to_text(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode([self.key.as_slice(), &self.signature].concat())
    }

    /// From the value of `narthex-tenant`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (key, signature) = bytes.split_at_checked(32)?;
        let (key, signature) = (key.try_into().ok()?, signature.try_into().ok()?);
        Some(Self { key, signature })
    }
}

impl CacheSecret {
    /// From the bytes of a file.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for CacheSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("CacheSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentitySecret;

    impl TenantSigner for IdentitySecret {
        fn key(&self) -> [u8; 32] {
            self.public().0
        }

        fn sign(&self, statement: &[u8]) -> Option<[u8; 64]> {
            Some(Self::sign(self, statement))
        }
    }

    const STATEMENT: TenantStatement<'_> = TenantStatement {
        request_id: &[1; 16],
        binding_id: &BindingId([2; 32]),
        method: "POST",
        path: "/v1/chat/completions",
        body: b"{}",
    };

    #[test]
    fn a_credential_is_for_one_statement() {
        let credential = TenantCredential::sign(&IdentitySecret::generate(), &STATEMENT).unwrap();
        assert!(credential.verifies(&STATEMENT));
        let others = [
            TenantStatement {
                request_id: &[0; 16],
                ..STATEMENT
            },
            TenantStatement {
                binding_id: &BindingId([0; 32]),
                ..STATEMENT
            },
            TenantStatement {
                method: "GET",
                ..STATEMENT
            },
            TenantStatement {
                path: "/v1/completions",
                ..STATEMENT
            },
            TenantStatement {
                body: b"{ }",
                ..STATEMENT
            },
        ];
        for other in others {
            assert!(!credential.verifies(&other));
        }
        let key = IdentitySecret::generate().public().0;
        assert!(!TenantCredential { key, ..credential }.verifies(&STATEMENT));
    }

    #[test]
    fn a_credential_comes_back_from_its_text() {
        let credential = TenantCredential {
            key: [3; 32],
            signature: [4; 64],
        };
        let text = credential.to_text();
        assert_eq!(text.len(), 128);
        assert_eq!(TenantCredential::parse(&text), Some(credential));
        for wrong in ["", &text[1..], &format!("{text}="), &format!("{text}AAAA")] {
            assert_eq!(TenantCredential::parse(wrong), None);
        }
    }

    #[test]
    fn a_cache_secret_is_not_shown() {
        let secret = CacheSecret::from_bytes([7; 32]);
        assert_eq!(format!("{secret:?}"), "CacheSecret(..)");
    }
}
