//! The enveloped XML signature (W3C XML Signature 1.1), in the one form that NVIDIA uses.

use super::{
    RimError, canonical,
    xml::{Attribute, Element},
};
use crate::{
    UnixTime, Window, crypto,
    roots::NvidiaRoots,
    x509::{
        Algorithm, Certificate,
        path::{self, PathFault, Rules},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const CANONICAL_XML_1_1: &str = "http://www.w3.org/2006/12/xml-c14n11";
const SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";
const ECDSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";

/// NVIDIA's chains have four certificates.
const MAX_CERTIFICATES: usize = 6;

const RULES: Rules = Rules {
    algorithm: Algorithm::EcdsaP384Sha384,
    known_critical: |_| false,
};

/// The certificates above signers that were found valid, each under the same root at the same time: NVIDIA's manifests share theirs, which
/// need no second verification.
#[derive(Default)]
pub(in crate::nvidia) struct KnownAuthorities(Vec<Vec<Vec<u8>>>);

/// What was signed, by whom, and what should have been.
#[derive(Debug)]
pub(super) struct Signature {
    /// SHA-384 of the tag without its signature, canonical.
    digest: [u8; 48],
    /// What the signature says that it is.
    signed_digest: [u8; 48],
    /// `SignedInfo`, canonical: what the signature is over.
    signed_info: Vec<u8>,
    /// r || s, 48 bytes each, big-endian (RFC 6931 section 2.3.6).
    value: [u8; 96],
    /// DER, the signer first.
    pub(super) certificates: Vec<Vec<u8>>,
}

impl Signature {
    /// Reads `signature`, a child of `root`, and canonicalises what it is over.
    pub(super) fn read(root: &Element<'_>, signature: &Element<'_>) -> Result<Self, RimError> {
        bare(signature)?;
        let [signed_info, value, key_info] =
            children(signature, ["SignedInfo", "SignatureValue", "KeyInfo"])?;
        bare(signed_info)?;
        let names = ["CanonicalizationMethod", "SignatureMethod", "Reference"];
        let [canonicalization, method, reference] = children(signed_info, names)?;
        let signed_digest = signed_digest(reference)?;
        check_algorithm(canonicalization, CANONICAL_XML_1_1)?;
        check_algorithm(method, ECDSA_SHA384)?;
        Ok(Self {
            digest: crypto::sha384(&canonical::document_without(root, signature)),
            signed_digest,
            signed_info: canonical::subtree(signed_info, &[root, signature]),
            value: fixed(value)?,
            certificates: certificates(key_info)?,
        })
    }

    /// Verifies digest, chain and signature; answers when the chain is valid, and the chain with its root.
    pub(super) fn verify(
        self,
        known: &mut KnownAuthorities,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<(Window, Vec<Vec<u8>>), RimError> {
        if self.digest != self.signed_digest {
            return Err(RimError::Digest);
        }
        let anchor = Certificate::parse(&roots.rim).ok_or(RimError::ChainIssuer(0))?;
        let mut path = parse_all(&self.certificates)?;
        if path.last().is_some_and(|last| last.der() == anchor.der()) {
            path.pop();
        }
        let window = known.validate(&path, &anchor, now).map_err(chain_error)?;
        let key = path.first().and_then(Certificate::p384_key);
        if !key.is_some_and(|key| self.is_signed_by(key)) {
            return Err(RimError::Signature);
        }
        let path = path.iter().chain([&anchor]);
        Ok((window, path.map(|one| one.der().to_vec()).collect()))
    }

    fn is_signed_by(&self, key: &[u8]) -> bool {
        crypto::ecdsa_p384_sha384_verify(key, &self.signed_info, &self.value)
    }
}

impl KnownAuthorities {
    /// [`path::validate`].
    fn validate(
        &mut self,
        path: &[Certificate<'_>],
        anchor: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<Window, PathFault> {
        let Some(([signer], authorities @ [issuer, ..])) = path.split_at_checked(1) else {
            return path::validate(path, anchor, &RULES, now);
        };
        let is_same =
            |known: &Vec<Vec<u8>>| known.iter().eq(authorities.iter().map(Certificate::der));
        if self.0.iter().any(is_same) {
            let signer = std::slice::from_ref(signer);
            let window = path::validate(signer, issuer, &RULES, now)?;
            let windows = authorities.iter().chain([anchor]).map(Certificate::window);
            return Ok(windows.fold(window, Window::meet));
        }
        let window = path::validate(path, anchor, &RULES, now)?;
        self.0
            .push(authorities.iter().map(|one| one.der().to_vec()).collect());
        Ok(window)
    }
}

/// The digest that `reference` gives for all of the document that it stands in.
fn signed_digest(reference: &Element<'_>) -> Result<[u8; 48], RimError> {
    if attributes(reference) != [("URI", "")] {
        return Err(RimError::SignatureFormat("Reference is not to URI=\"\""));
    }
    let [transforms, method, digest] =
        children(reference, ["Transforms", "DigestMethod", "DigestValue"])?;
    bare(transforms)?;
    let [enveloped, canonicalization] = children(transforms, ["Transform", "Transform"])?;
    check_algorithm(enveloped, ENVELOPED)?;
    check_algorithm(canonicalization, CANONICAL_XML_1_1)?;
    check_algorithm(method, SHA384)?;
    fixed(digest)
}

/// The certificates of `KeyInfo`, each of which is one.
fn certificates(key_info: &Element<'_>) -> Result<Vec<Vec<u8>>, RimError> {
    bare(key_info)?;
    let [data] = children(key_info, ["X509Data"])?;
    bare(data)?;
    let elements = data.elements().unwrap_or_default();
    if elements.is_empty() || elements.len() > MAX_CERTIFICATES {
        return Err(RimError::SignatureFormat("X509Data"));
    }
    let mut certificates = Vec::new();
    for (index, element) in elements.into_iter().enumerate() {
        if !element.is(DSIG, "X509Certificate") {
            return Err(RimError::SignatureFormat("X509Certificate"));
        }
        certificates.push(octets(element).ok_or(RimError::ChainFormat(index))?);
    }
    parse_all(&certificates)?;
    Ok(certificates)
}

fn parse_all(certificates: &[Vec<u8>]) -> Result<Vec<Certificate<'_>>, RimError> {
    let numbered = certificates.iter().enumerate();
    numbered
        .map(|(index, der)| Certificate::parse(der).ok_or(RimError::ChainFormat(index)))
        .collect()
}

/// The children of `parent`, which are elements of XML Signature with these names.
fn children<'e, 'a, const N: usize>(
    parent: &'e Element<'a>,
    names: [&'static str; N],
) -> Result<[&'e Element<'a>; N], RimError> {
    let elements = parent.elements().unwrap_or_default();
    for (position, name) in names.into_iter().enumerate() {
        let there = elements.get(position).is_some_and(|one| one.is(DSIG, name));
        there.then_some(()).ok_or(RimError::SignatureFormat(name))?;
    }
    let more = RimError::SignatureFormat("more elements than NVIDIA writes");
    elements.try_into().map_err(|_| more)
}

/// Refuses attributes where NVIDIA writes none.
fn bare(element: &Element<'_>) -> Result<(), RimError> {
    let bare = element.attributes.is_empty();
    let refused = RimError::SignatureFormat("more attributes than NVIDIA writes");
    bare.then_some(()).ok_or(refused)
}

/// Refuses an algorithm identifier other than `Algorithm="expected"`, without parameters.
fn check_algorithm(element: &Element<'_>, expected: &str) -> Result<(), RimError> {
    let [("Algorithm", algorithm)] = attributes(element)[..] else {
        return Err(RimError::SignatureFormat("Algorithm"));
    };
    let fits = algorithm == expected && element.children.is_empty();
    fits.then_some(()).ok_or(RimError::SignatureAlgorithm)
}

/// Names and values of attributes without prefix; of those with one, the prefix keeps the name from being what is expected.
fn attributes<'a>(element: &Element<'a>) -> Vec<(&'a str, &'a str)> {
    let pair = |one: &Attribute<'a>| (one.name.qualified, one.value);
    element.attributes.iter().map(pair).collect()
}

/// The `N` octets whose base64 `element` contains.
fn fixed<const N: usize>(element: &Element<'_>) -> Result<[u8; N], RimError> {
    bare(element)?;
    let octets = octets(element).and_then(|octets| octets.try_into().ok());
    octets.ok_or(RimError::SignatureFormat(
        "a value is not base64 of its size",
    ))
}

/// The octets whose base64 `element` contains, broken into lines or not. Padding and its zero bits are demanded, so that no two texts mean the same.
fn octets(element: &Element<'_>) -> Option<Vec<u8>> {
    let text = element.text()?.replace('\n', "");
    STANDARD.decode(text).ok()
}

const fn chain_error(fault: PathFault) -> RimError {
    match fault {
        PathFault::Issuer(index) => RimError::ChainIssuer(index),
        PathFault::Constraints(index) => RimError::ChainConstraints(index),
        PathFault::Algorithm(index) => RimError::ChainAlgorithm(index),
        PathFault::Signature(index) => RimError::ChainSignature(index),
        PathFault::NotYetValid(index) => RimError::ChainNotYetValid(index),
        PathFault::Expired(index) => RimError::ChainExpired(index),
    }
}
