//! A reference integrity manifest: a SWID tag with an enveloped XML signature.
//!
//! The tag is written as canonical XML has it, so that its canonical form is itself without the signature; the only other canonical form, that of
//! `SignedInfo`, differs from what is written by the namespaces of its ancestors. So nothing here knows how to canonicalise.

use super::{Chip, Signer, report::measured};
use crate::x509::Key;
use aws_lc_rs::digest::{SHA384, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

const NAMESPACES: &str = r#" xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" xmlns:ns0="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384""#;
/// The same with that of the signature, in the order of their prefixes.
const NAMESPACES_OF_SIGNED_INFO: &str = r#" xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:ns0="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384""#;
const END: &str = "</SoftwareIdentity>";

/// A manifest before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rim {
    /// `GPU` or `SWITCH`.
    pub edition: String,
    /// The chip.
    pub name: String,
    /// `colloquialVersion`.
    pub version: String,
    /// Measurements that the firmware makes; the others of 64 are written as inactive.
    pub golden: Vec<Golden>,
    /// Whose key signs.
    pub signer: Signer,
    /// Text replaced on the way.
    pub edits: Vec<Edit>,
}

/// What one measurement may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Golden {
    /// From 0.
    pub index: u8,
    /// The values that are right.
    pub alternatives: Vec<[u8; 48]>,
}

/// The first `from` in `part` becomes `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// When.
    pub part: Part,
    /// What must be there.
    pub from: String,
    /// What takes its place.
    pub to: String,
}

/// When text is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// In the tag before its digest is taken.
    Tag,
    /// In `SignedInfo` before it is signed.
    SignedInfo,
    /// In the document when it is signed.
    Document,
}

impl Rim {
    /// For all firmware of a chip as [`super::Report`] has it.
    pub(super) fn of(chip: Chip) -> Vec<Self> {
        match chip {
            Chip::Gh100 => vec![Self::of_driver(), Self::of_vbios()],
            Chip::Ls10 => vec![Self::of_switch()],
        }
    }

    fn of_driver() -> Self {
        Self::of_firmware("550.90.07", 32..40)
    }

    fn of_vbios() -> Self {
        Self::of_firmware("96.00.9F.00.01", 0..8)
    }

    fn of_switch() -> Self {
        Self {
            edition: "SWITCH".to_owned(),
            name: "LS10".to_owned(),
            ..Self::of_firmware("96.10.55.00.01", 0..31)
        }
    }

    fn of_firmware(version: &str, indices: std::ops::Range<u8>) -> Self {
        let golden = |index| Golden {
            index,
            alternatives: vec![[0; 48], measured(index)],
        };
        Self {
            edition: "GPU".to_owned(),
            name: "GH100".to_owned(),
            version: version.to_owned(),
            golden: indices.map(golden).collect(),
            signer: Signer::RimSigner,
            edits: Vec::new(),
        }
    }

    /// Has the first `from` in `part` replaced by `to`.
    pub fn edit(&mut self, part: Part, from: &str, to: &str) {
        self.edits.push(Edit {
            part,
            from: from.to_owned(),
            to: to.to_owned(),
        });
    }

    /// The document, signed by `key` under `chain` (DER, the signer first).
    pub(super) fn to_xml(&self, key: &Key, chain: &[Vec<u8>]) -> Vec<u8> {
        let tag = self.edited(Part::Tag, self.tag());
        let digest = STANDARD.encode(digest(&SHA384, tag.as_bytes()));
        let signed_info = self.edited(Part::SignedInfo, signed_info(&digest));
        let canonical = signed_info.replacen(
            "<ds:SignedInfo>",
            &format!("<ds:SignedInfo{NAMESPACES_OF_SIGNED_INFO}>"),
            1,
        );
        let value = STANDARD.encode(key.sign(canonical.as_bytes()));
        let signature = signature(&signed_info, &value, chain);
        let before = tag.strip_suffix(END).expect("a tag ends so");
        let document = format!("{before}{signature}{END}");
        self.edited(Part::Document, document).into_bytes()
    }

    fn edited(&self, part: Part, text: String) -> String {
        let edits = self.edits.iter().filter(|edit| edit.part == part);
        edits.fold(text, |text, edit| {
            assert!(text.contains(&edit.from), "no {:?} in {part:?}", edit.from);
            text.replacen(&edit.from, &edit.to, 1)
        })
    }

    fn tag(&self) -> String {
        let Self {
            name,
            version,
            edition,
            ..
        } = self;
        let resources: String = (0..64).map(|index| self.resource(index)).collect();
        format!(
            r#"<SoftwareIdentity{NAMESPACES} corpus="false" name="{name}" patch="false" supplemental="false" tagId="invented" tagVersion="0" version="1.0">
    <ns0:Entity name="NVIDIA Corporation" role="softwareCreator tagCreator"></ns0:Entity>
    <ns0:Meta xmlns:ns1="https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/" PayloadType="direct" colloquialVersion="{version}" edition="{edition}" product="{name}" revision="r1" ns1:BindingSpec="RIMIM" ns1:BindingSpecVersion="1.01" ns1:PlatformModel="{name}"></ns0:Meta>
    <ns0:Payload xmlns:SHA384="http://www.w3.org/2001/04/xmlenc#sha384">
{resources}    </ns0:Payload>
{END}"#
        )
    }

    /// The `Resource` of `index`.
    fn resource(&self, index: u8) -> String {
        let golden = self.golden.iter().find(|golden| golden.index == index);
        let active = if golden.is_some() { "True" } else { "False" };
        let inactive = [[0; 48]];
        let alternatives = golden.map_or(&inactive[..], |golden| &golden.alternatives);
        let hash = |(number, value): (usize, &[u8; 48])| {
            format!(r#" ns2:Hash{number}="{}""#, hex::encode(value))
        };
        let hashes: String = alternatives.iter().enumerate().map(hash).collect();
        let count = alternatives.len();
        format!(
            "        <ns0:Resource active=\"{active}\" alternatives=\"{count}\" index=\"{index}\" name=\"Measurement_{index}\" size=\"48\" type=\"Measurement\"{hashes}></ns0:Resource>\n"
        )
    }
}

fn signed_info(digest: &str) -> String {
    format!(
        r#"<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"></ds:SignatureMethod><ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"#
    )
}

fn signature(signed_info: &str, value: &str, chain: &[Vec<u8>]) -> String {
    let certificate = |der: &Vec<u8>| {
        let text = STANDARD.encode(der);
        format!("<ds:X509Certificate>{text}</ds:X509Certificate>")
    };
    let certificates: String = chain.iter().map(certificate).collect();
    format!(
        r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>"#
    )
}
