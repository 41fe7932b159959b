//! Reference manifests and OCSP responses of an invented vendor.

use attestation::crypto::sha384;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tee_sim::{
    der::{
        bit_string, element, explicit, object_identifier, octet_string, sequence, unsigned_integer,
    },
    x509::{Certificate, Key},
};

const SWID: &str = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const XMLENC: &str = "http://www.w3.org/2001/04/xmlenc#sha384";
const C14N: &str = "http://www.w3.org/2006/12/xml-c14n11";

/// A manifest before it is signed.
#[derive(Clone)]
pub(crate) struct Rim {
    pub(crate) product: &'static str,
    pub(crate) edition: &'static str,
    pub(crate) version: &'static str,
    /// Index from 0, and the values that are right.
    pub(crate) measurements: Vec<(u8, Vec<[u8; 48]>)>,
}

impl Rim {
    /// For blocks 21 to 36 of [`super::report::Report::of_gpu`], each with a second value.
    pub(crate) fn of_driver() -> Self {
        Self {
            product: "GH100",
            edition: "GPU",
            version: "550.90.07",
            measurements: (20..36)
                .map(|i| (i, vec![[0xFF; 48], [i + 1; 48]]))
                .collect(),
        }
    }

    /// For blocks 1 to 13.
    pub(crate) fn of_vbios() -> Self {
        Self {
            version: "96.00.9F.00.01",
            measurements: (0..13).map(|i| (i, vec![[i + 1; 48]])).collect(),
            ..Self::of_driver()
        }
    }

    /// For all 31 blocks of a switch.
    pub(crate) fn of_switch() -> Self {
        Self {
            product: "LS10",
            edition: "SWITCH",
            version: "96.10.55.00.01",
            measurements: (0..31).map(|i| (i, vec![[i + 1; 48]])).collect(),
        }
    }

    /// Canonical XML, with a signature by `key` whose certificate is `signer`.
    pub(crate) fn signed_by(&self, key: &Key, signer: &[u8]) -> Vec<u8> {
        let (head, tail) = (self.head(), "</SoftwareIdentity>");
        let digest = STANDARD.encode(sha384(format!("{head}{tail}").as_bytes()));
        let body = signed_info(&digest);
        let canonical = format!(
            "<SignedInfo xmlns=\"{DSIG}\" xmlns:ns0=\"{SWID}\" xmlns:ns2=\"{XMLENC}\">{body}</SignedInfo>"
        );
        let value = STANDARD.encode(key.sign(canonical.as_bytes()));
        let signer = STANDARD.encode(signer);
        format!(
            "{head}<Signature xmlns=\"{DSIG}\"><SignedInfo>{body}</SignedInfo><SignatureValue>{value}</SignatureValue>\
             <KeyInfo><X509Data><X509Certificate>{signer}</X509Certificate></X509Data></KeyInfo></Signature>{tail}"
        )
        .into_bytes()
    }

    fn head(&self) -> String {
        let resource = |(index, values): &(u8, Vec<[u8; 48]>)| {
            let hashes: String = values
                .iter()
                .enumerate()
                .map(|(number, value)| format!(" ns2:Hash{number}=\"{}\"", hex::encode(value)))
                .collect();
            format!(
                "<ns0:Resource active=\"True\" alternatives=\"{}\" index=\"{index}\" name=\"Measurement_{index}\" size=\"48\" type=\"Measurement\"{hashes}></ns0:Resource>",
                values.len()
            )
        };
        let resources: String = self.measurements.iter().map(resource).collect();
        let Self {
            product,
            edition,
            version,
            ..
        } = self;
        format!(
            "<SoftwareIdentity xmlns=\"{SWID}\" xmlns:ns0=\"{SWID}\" xmlns:ns2=\"{XMLENC}\" corpus=\"false\" name=\"{product}\" patch=\"false\" supplemental=\"false\" tagId=\"0\" tagVersion=\"0\" version=\"1.0\">\
             <ns0:Entity name=\"Invented\" role=\"softwareCreator tagCreator\"></ns0:Entity>\
             <ns0:Meta PayloadType=\"direct\" colloquialVersion=\"{version}\" edition=\"{edition}\" product=\"{product}\" revision=\"r1\"></ns0:Meta>\
             <ns0:Payload>{resources}</ns0:Payload>"
        )
    }
}

fn signed_info(digest: &str) -> String {
    format!(
        "<CanonicalizationMethod Algorithm=\"{C14N}\"></CanonicalizationMethod>\
         <SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384\"></SignatureMethod>\
         <Reference URI=\"\"><Transforms><Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></Transform>\
         <Transform Algorithm=\"{C14N}\"></Transform></Transforms>\
         <DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"></DigestMethod>\
         <DigestValue>{digest}</DigestValue></Reference>"
    )
}

/// What a response says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Good,
    Revoked,
    OnHold,
    Unknown,
}

/// A response about one certificate, by its issuer itself.
#[derive(Clone)]
pub(crate) struct Response {
    pub(crate) status: Status,
    /// `YYYYMMDDHHMMSSZ`.
    pub(crate) this_update: &'static str,
    pub(crate) next_update: &'static str,
}

impl Response {
    pub(crate) fn good() -> Self {
        Self {
            status: Status::Good,
            this_update: "20260601000000Z",
            next_update: "20260602000000Z",
        }
    }

    pub(crate) fn about(&self, certificate: &Certificate, issuer: &Key) -> Vec<u8> {
        let hash = sequence(&[
            object_identifier(&[2, 16, 840, 1, 101, 3, 4, 2, 2]),
            element(0x05, &[]),
        ]);
        let id = sequence(&[
            hash,
            octet_string(&sha384(&certificate.issuer.to_der())),
            octet_string(&sha384(issuer.public_key())),
            unsigned_integer(&certificate.serial),
        ]);
        let time = |text: &str| element(0x18, text.as_bytes());
        let single = sequence(&[
            id,
            self.status.encode(),
            time(self.this_update),
            explicit(0, &time(self.next_update)),
        ]);
        let data = sequence(&[
            explicit(1, &certificate.issuer.to_der()),
            time(self.this_update),
            sequence(&[single]),
        ]);
        let signature = issuer.sign(&data);
        let (r, s) = signature.split_at(48);
        let signature = sequence(&[unsigned_integer(r), unsigned_integer(s)]);
        let basic = sequence(&[data, issuer.algorithm(), bit_string(&signature)]);
        let kind = object_identifier(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 1]);
        let bytes = sequence(&[kind, octet_string(&basic)]);
        sequence(&[element(0x0A, &[0]), explicit(0, &bytes)])
    }
}

impl Status {
    fn encode(self) -> Vec<u8> {
        let since = element(0x18, b"20260101000000Z");
        let hold = explicit(0, &element(0x0A, &[6]));
        match self {
            Self::Good => element(0x80, &[]),
            Self::Revoked => element(0xA1, &since),
            Self::OnHold => element(0xA1, &[since, hold].concat()),
            Self::Unknown => element(0x82, &[]),
        }
    }
}
