//! Reference integrity manifests: what NVIDIA says that the firmware of a GPU or switch measures, as SWID tags (ISO/IEC 19770-2, NIST IR 8060) with an enveloped XML signature.

mod canonical;
mod error;
mod signature;
mod steps;
mod tag;
mod xml;

pub use error::RimError;
pub use steps::STEPS;
pub use tag::{Golden, RimKind};

use crate::{UnixTime, Window, roots::NvidiaRoots};
pub(super) use signature::KnownAuthorities;
use signature::Signature;
use tag::Tag;

/// Ten times the size of NVIDIA's largest, 25,698 bytes.
const MAX_RIM_BYTES: usize = 256 * 1024;

/// A well-formed manifest whose signature nobody has looked at yet.
#[derive(Debug)]
pub struct Rim {
    tag: Tag,
    signature: Signature,
}

/// A manifest that NVIDIA signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRim {
    /// The chip that it is for, `GH100` for one.
    pub name: String,
    /// The version that it is for, as NVIDIA writes it: `550.90.07` of a driver, `96.00.9F.00.01` of a VBIOS.
    pub version: String,
    /// Which part of the firmware it describes.
    pub kind: RimKind,
    /// When every certificate of its chain is valid.
    pub window: Window,
    /// What may be measured, by ascending index.
    pub measurements: Vec<Golden>,
    /// The path that was validated, DER: the signer first, NVIDIA's root last. Each is the issuer of the one before it, which OCSP asks for.
    pub certificates: Vec<Vec<u8>>,
}

impl Rim {
    /// Parses `xml` in a strict subset of XML 1.0 (see `docs/adr/0006-own-restricted-xml-signatures.md`); whatever is not of the one layout that NVIDIA uses is refused.
    pub fn parse(xml: &[u8]) -> Result<Self, RimError> {
        if xml.len() > MAX_RIM_BYTES {
            return Err(RimError::Size(xml.len()));
        }
        let root = xml::parse(xml)?;
        let (tag, signature) = Tag::read(&root)?;
        let signature = Signature::read(&root, signature)?;
        Ok(Self { tag, signature })
    }

    /// The chip that it says it is for; not verified.
    #[must_use]
    pub fn unverified_name(&self) -> &str {
        &self.tag.name
    }

    /// The version that it says it is for; not verified.
    #[must_use]
    pub fn unverified_version(&self) -> &str {
        &self.tag.version
    }

    /// What it says it describes; not verified.
    #[must_use]
    pub const fn unverified_kind(&self) -> RimKind {
        self.tag.kind
    }

    /// The certificates that it brings, DER, the signer first; not verified.
    #[must_use]
    pub fn unverified_certificates(&self) -> &[Vec<u8>] {
        &self.signature.certificates
    }

    /// Verifies chain and signature at `now`, in the order of [`STEPS`].
    pub fn verify(self, roots: &NvidiaRoots, now: UnixTime) -> Result<VerifiedRim, RimError> {
        self.verify_beside(&mut KnownAuthorities::default(), roots, now)
    }

    /// [`Rim::verify`] beside others, under the same roots at the same time.
    pub(super) fn verify_beside(
        self,
        known: &mut KnownAuthorities,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<VerifiedRim, RimError> {
        let (window, certificates) = self.signature.verify(known, roots, now)?;
        Ok(VerifiedRim {
            name: self.tag.name,
            version: self.tag.version,
            kind: self.tag.kind,
            window,
            measurements: self.tag.measurements,
            certificates,
        })
    }
}
