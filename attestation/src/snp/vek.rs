//! The VCEK or VLEK certificate (AMD 57230 section 3): the key that signed the report, and for which chip and TCB it was derived.

use super::{Product, SigningKey, SnpError, tcb};
use crate::x509::Certificate;
use der::{
    Decode as _,
    asn1::{Ia5StringRef, ObjectIdentifier},
};

const AMD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1");
const PRODUCT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2");
const SPL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3");
const HWID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");
const CSP_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.5");

/// A VCEK or VLEK that has every extension it must have; nothing in it is authentic yet.
pub(super) struct Vek<'a> {
    pub(super) certificate: Certificate<'a>,
    pub(super) kind: SigningKey,
    product_name: String,
    /// A VLEK's; `None` for a VCEK.
    pub(super) csp_id: Option<String>,
}

impl<'a> Vek<'a> {
    /// Parses DER and looks that the extensions of its kind are there.
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, SnpError> {
        let certificate = Certificate::parse(der).ok_or(SnpError::VekFormat)?;
        let kind = kind(&certificate)?;
        let product_name = text(&certificate, PRODUCT_NAME).ok_or(SnpError::VekExtension(
            "product name (1.3.6.1.4.1.3704.1.2)",
        ))?;
        let csp_id = match kind {
            SigningKey::Vcek => None,
            SigningKey::Vlek => Some(
                text(&certificate, CSP_ID)
                    .ok_or(SnpError::VekExtension("CSP id (1.3.6.1.4.1.3704.1.5)"))?,
            ),
        };
        let vek = Self {
            certificate,
            kind,
            product_name,
            csp_id,
        };
        vek.check_hwid_and_tcb()?;
        Ok(vek)
    }

    /// Only for a known product can it be told what must be there.
    fn check_hwid_and_tcb(&self) -> Result<(), SnpError> {
        let Ok(product) = self.product() else {
            return Ok(());
        };
        if self.kind == SigningKey::Vcek {
            self.hwid(product)
                .ok_or(SnpError::VekExtension("HWID (1.3.6.1.4.1.3704.1.4)"))?;
        }
        let tcb = self.tcb(product);
        tcb.map(drop)
            .ok_or(SnpError::VekExtension("TCB (1.3.6.1.4.1.3704.1.3)"))
    }

    /// The product that productName names.
    pub(super) fn product(&self) -> Result<Product, SnpError> {
        Product::from_certificate(&self.product_name).ok_or(SnpError::VekProduct)
    }

    /// Whether the extension is AMD's, hence known when critical.
    pub(super) fn knows(oid: ObjectIdentifier) -> bool {
        oid.as_bytes().starts_with(AMD.as_bytes())
    }

    /// The CHIP_ID that a VCEK is for; `None` for a VLEK, which is for none.
    pub(super) fn chip_id(&self, product: Product) -> Result<Option<[u8; 64]>, SnpError> {
        if self.kind == SigningKey::Vlek {
            return Ok(None);
        }
        let mut chip_id = [0; 64];
        let hwid = self.hwid(product).ok_or(SnpError::VekHwid)?;
        for (to, from) in chip_id.iter_mut().zip(hwid) {
            *to = *from;
        }
        Ok(Some(chip_id))
    }

    /// The P-384 key, uncompressed.
    pub(super) fn key(&self) -> Option<[u8; 97]> {
        self.certificate.p384_key()?.try_into().ok()
    }

    /// HWID: raw in every certificate seen, a DER octet string in the specification; the length tells them apart.
    fn hwid(&self, product: Product) -> Option<&[u8]> {
        let value = self.certificate.extension(HWID)?;
        let length = product.hwid_bytes();
        match value {
            [0x04, coded, hwid @ ..] if usize::from(*coded) == length && hwid.len() == length => {
                Some(hwid)
            }
            hwid => (hwid.len() == length).then_some(hwid),
        }
    }

    /// The TCB extensions in the order of TCB_VERSION's bytes.
    pub(super) fn tcb(&self, product: Product) -> Option<[u8; 8]> {
        let mut tcb = [0; 8];
        for (byte, arc) in tcb.iter_mut().zip(tcb::extension_arcs(product)) {
            let value = self.certificate.extension(SPL.push_arc(arc).ok()?);
            *byte = match value {
                Some(value) => u8::from_der(value).ok()?,
                None if tcb::is_in_use(arc) => return None,
                None => 0,
            };
        }
        Some(tcb)
    }
}

/// What a VCEK or VLEK is for, for people; `None` for every other certificate.
pub(crate) fn vek_name(der: &[u8]) -> Option<String> {
    let vek = Vek::parse(der).ok()?;
    let product = vek.product().ok()?;
    let tcb = tcb::RawTcb(vek.tcb(product)?).components(product)?;
    let owner = match (vek.chip_id(product).ok()?, &vek.csp_id) {
        (Some([a, b, c, d, ..]), _) => format!("chip {a:02x}{b:02x}{c:02x}{d:02x}.."),
        (None, csp_id) => csp_id.clone().unwrap_or_default(),
    };
    Some(format!("{} of {product}, {owner}, {tcb}", vek.kind))
}

fn kind(certificate: &Certificate<'_>) -> Result<SigningKey, SnpError> {
    match certificate.common_name() {
        Some("SEV-VCEK") => Ok(SigningKey::Vcek),
        Some("SEV-VLEK") => Ok(SigningKey::Vlek),
        _ => Err(SnpError::VekExtension("common name, SEV-VCEK or SEV-VLEK")),
    }
}

fn text(certificate: &Certificate<'_>, oid: ObjectIdentifier) -> Option<String> {
    let text = Ia5StringRef::from_der(certificate.extension(oid)?).ok()?;
    Some(text.as_str().to_owned())
}
