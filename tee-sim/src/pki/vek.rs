//! The VCEK certificate with AMD's extensions (AMD 57230 table 8 and, for Turin, table 9).

use super::{Validity, product_name};
use crate::{
    der::{ia5_string, integer},
    x509::{Certificate, Extension, Name},
};
use attestation::snp::{Product, TcbVersion};

/// What a VCEK certificate says, each point for itself: a test may make any of them wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VekCertificate {
    /// Common name of the issuer: `SEV-Milan`, `SEV-Genoa`, `SEV-Turin`.
    pub issuer: String,
    /// Common name of the subject: `SEV-VCEK`.
    pub subject: String,
    /// Its dates.
    pub validity: Validity,
    /// Extension 1.3.6.1.4.1.3704.1.1, structVersion.
    pub struct_version: u64,
    /// Extension 1.3.6.1.4.1.3704.1.2, productName, e.g. `Milan-B0`.
    pub product_name: String,
    /// Extensions 1.3.6.1.4.1.3704.1.3.*: the SVNs; with `fmc` as on Turin.
    pub tcb: TcbVersion,
    /// Extension 1.3.6.1.4.1.3704.1.4, HWID: 64 bytes, 8 on Turin.
    pub hwid: Vec<u8>,
    /// Last arcs of AMD's extensions to leave out, e.g. `[4]` for HWID or `[3, 1]` for blSPL.
    pub omitted: Vec<Vec<u32>>,
}

/// AMD's arc for SEV.
pub(crate) const AMD_SEV: &[u32] = &[1, 3, 6, 1, 4, 1, 3704, 1];

impl VekCertificate {
    /// The true certificate of a chip.
    pub(crate) fn of_chip(
        product: Product,
        tcb: TcbVersion,
        chip_id: &[u8; 64],
        validity: Validity,
    ) -> Self {
        let (stepping, hwid_bytes, struct_version) = match product {
            Product::Milan => ("-B0", 64, 0),
            Product::Genoa => ("-B1", 64, 0),
            Product::Turin => ("", 8, 1),
        };
        Self {
            issuer: format!("SEV-{}", product_name(product)),
            subject: "SEV-VCEK".to_owned(),
            validity,
            struct_version,
            product_name: format!("{}{stepping}", product_name(product)),
            tcb,
            hwid: chip_id.iter().copied().take(hwid_bytes).collect(),
            omitted: Vec::new(),
        }
    }

    /// The certificate for the key in `public_key_info` (SubjectPublicKeyInfo, DER), to be signed by the ASK.
    #[must_use]
    pub fn to_certificate(&self, public_key_info: Vec<u8>) -> Certificate {
        Certificate {
            version: 2,
            serial: vec![0],
            inner_algorithm: None,
            outer_algorithm: None,
            issuer: Name::amd(&self.issuer),
            validity: self.validity,
            subject: Name::amd(&self.subject),
            public_key: public_key_info,
            extensions: self.extensions(),
        }
    }

    fn extensions(&self) -> Vec<Extension> {
        let mut values = vec![
            (vec![1], integer(self.struct_version)),
            (vec![2], ia5_string(&self.product_name)),
        ];
        values.extend(
            self.svns()
                .map(|(arc, svn)| (vec![3, arc], integer(svn.into()))),
        );
        values.push((vec![4], self.hwid.clone()));
        values.retain(|(arcs, _)| !self.omitted.contains(arcs));
        values
            .into_iter()
            .map(|(arcs, value)| Extension::new(&[AMD_SEV, &arcs].concat(), value))
            .collect()
    }

    /// blSPL 1, teeSPL 2, snpSPL 3, spl4 to spl7 (Turin has no spl4), ucodeSPL 8, fmcSPL 9.
    fn svns(&self) -> impl Iterator<Item = (u32, u8)> {
        let tcb = self.tcb;
        let spl4 = tcb.fmc.is_none().then_some((4, 0));
        [(1, tcb.bootloader), (2, tcb.tee), (3, tcb.snp)]
            .into_iter()
            .chain(spl4)
            .chain([(5, 0), (6, 0), (7, 0), (8, tcb.microcode)])
            .chain(tcb.fmc.map(|fmc| (9, fmc)))
    }
}
