//! The paths to Intel's root: TCB Signing certificates, the PCK CA of a revocation list, PCK certificates.

use super::TdxError;
use crate::{
    UnixTime, Window,
    x509::{
        Algorithm, Certificate as X509, PublicKey,
        path::{self, PathFault, Rules},
    },
};

/// Which path a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Of whoever signed TCB info.
    TcbInfo,
    /// Of whoever signed the QE identity.
    QeIdentity,
    /// Of whoever signed the PCK revocation list.
    PckCrl,
    /// Of the platform's PCK.
    Pck,
}

/// Which certificate of a path a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Intel SGX TCB Signing.
    TcbSigning,
    /// Intel SGX PCK Certificate.
    Pck,
    /// Intel SGX PCK Platform CA or Processor CA.
    PckCa,
    /// Intel SGX Root CA.
    Root,
}

/// What is wrong with a path, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Names and root are not those of a path of this kind, or, of a PCK kept from an earlier quote, it is not this quote's.
    Issuer,
    /// Basic constraints, key usage or an unknown critical extension forbid the certificate's place.
    Constraints,
    /// Another algorithm than ECDSA P-256 with SHA-256.
    Algorithm,
    /// The issuer did not sign it.
    Signature,
    /// Not valid at the caller's time.
    Dates,
}

/// A certificate with the root it claims to be below: the whole of Intel's issuer chains.
pub(super) struct IssuerChain<'a> {
    pub(super) certificate: X509<'a>,
    root: &'a [u8],
}

pub(super) const PCK_CAS: [&str; 2] = ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"];
const TCB_SIGNING: &str = "Intel SGX TCB Signing";
const PCK: &str = "Intel SGX PCK Certificate";

const RULES: Rules = Rules {
    algorithm: Algorithm::EcdsaP256Sha256,
    known_critical: |oid| oid.as_bytes() == super::sgx_extension::SGX_EXTENSIONS.as_bytes(),
};

impl<'a> IssuerChain<'a> {
    /// Exactly two certificates.
    pub(super) fn parse(chain: &'a [Vec<u8>]) -> Option<Self> {
        let [certificate, root] = chain else {
            return None;
        };
        Some(Self {
            certificate: X509::parse(certificate)?,
            root,
        })
    }

    /// That it is a TCB Signing certificate directly below `root` at `now`; when both are valid.
    pub(super) fn verify_signer(
        &self,
        chain: Chain,
        root: &X509<'_>,
        now: UnixTime,
    ) -> Result<Window, TdxError> {
        let roles = [Certificate::TcbSigning, Certificate::Root];
        let is_named = self.certificate.common_name() == Some(TCB_SIGNING);
        if !is_named || self.root != root.der() {
            return Err(fault(chain, &roles, PathFault::Issuer(0)));
        }
        let path = std::slice::from_ref(&self.certificate);
        path::validate(path, root, &RULES, now).map_err(|found| fault(chain, &roles, found))
    }

    /// That it is a PCK CA directly below `root` at `now`; when both are valid.
    pub(super) fn verify_pck_ca(&self, root: &X509<'_>, now: UnixTime) -> Result<Window, TdxError> {
        let ca = &self.certificate;
        let known = |other: &X509<'_>| !other.has_unknown_critical(RULES.known_critical);
        let window = ca.window().meet(root.window());
        let is_p256 = matches!(ca.public_key(), Some(PublicKey::P256(_)));
        let checks = [
            (
                is_pck_ca(ca) && self.root == root.der() && ca.issuer() == root.subject(),
                Fault::Issuer,
            ),
            (
                ca.is_authority_over(0) && known(ca) && root.is_authority_over(1) && known(root),
                Fault::Constraints,
            ),
            (
                ca.algorithm() == Some(RULES.algorithm) && is_p256,
                Fault::Algorithm,
            ),
            (ca.is_signed_by(root), Fault::Signature),
            (window.contains(now), Fault::Dates),
        ];
        match checks.into_iter().find(|(passed, _)| !passed) {
            None => Ok(window),
            Some((_, fault)) => Err(TdxError::Chain {
                chain: Chain::PckCrl,
                certificate: Certificate::PckCa,
                fault,
            }),
        }
    }
}

/// That `path`, the PCK and, unless `anchor` is it, the PCK CA, leads to `anchor` at `now`; when all of them are valid.
pub(super) fn verify_pck(
    path: &[X509<'_>],
    anchor: &X509<'_>,
    now: UnixTime,
) -> Result<Window, TdxError> {
    const ROLES: [Certificate; 3] = [Certificate::Pck, Certificate::PckCa, Certificate::Root];
    let is_named = path.first().and_then(X509::common_name) == Some(PCK);
    let ca = path.get(1).unwrap_or(anchor);
    if !is_named || !is_pck_ca(ca) {
        return Err(fault(Chain::Pck, &ROLES, PathFault::Issuer(0)));
    }
    path::validate(path, anchor, &RULES, now).map_err(|found| fault(Chain::Pck, &ROLES, found))
}

fn is_pck_ca(certificate: &X509<'_>) -> bool {
    let name = certificate.common_name();
    name.is_some_and(|name| PCK_CAS.contains(&name))
}

fn fault(chain: Chain, roles: &[Certificate], found: PathFault) -> TdxError {
    let (index, fault) = match found {
        PathFault::Issuer(index) => (index, Fault::Issuer),
        PathFault::Constraints(index) => (index, Fault::Constraints),
        PathFault::Algorithm(index) => (index, Fault::Algorithm),
        PathFault::Signature(index) => (index, Fault::Signature),
        PathFault::NotYetValid(index) | PathFault::Expired(index) => (index, Fault::Dates),
    };
    TdxError::Chain {
        chain,
        certificate: *roles.get(index).unwrap_or(&Certificate::Root),
        fault,
    }
}

impl std::fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::TcbSigning => "TCB Signing certificate",
            Self::Pck => "PCK certificate",
            Self::PckCa => "PCK CA certificate",
            Self::Root => "root certificate",
        })
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Issuer => "does not lead to Intel's root by the names that it must have",
            Self::Constraints => "may not stand where it does",
            Self::Algorithm => "uses an algorithm that Intel does not use",
            Self::Signature => "is not signed by its issuer",
            Self::Dates => "is not valid at this time",
        })
    }
}
