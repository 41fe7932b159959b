//! A quote (Intel TDX DCAP Quoting Library API, appendix A.3 and A.4), byte-exact, every field settable. Integers are little-endian.

use super::{
    Body,
    qe_identity::{QE_ISVPRODID, QE_ISVSVN, QE_MRSIGNER},
};
use crate::x509::Key;
use aws_lc_rs::digest;

/// What a quote says beside the keys and signatures in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// 4 or 5; only 5 tells the body's type and size.
    pub version: u16,
    /// 2: ECDSA with P-256.
    pub attestation_key_type: u16,
    /// 81h: TDX.
    pub tee_type: u32,
    /// Reserved in version 4 and 5.
    pub reserved: [u8; 4],
    /// Intel's quoting enclave.
    pub qe_vendor_id: [u8; 16],
    /// QE id and zeros.
    pub user_data: [u8; 20],
    /// The TD's report.
    pub body: Body,
    /// The quoting enclave's report.
    pub qe_report: QeReport,
    /// Authentication data of the quoting enclave.
    pub qe_auth_data: Vec<u8>,
    /// Certification data type around the QE report: 6.
    pub certification_type: u16,
    /// Where the PCK certificate is.
    pub pck: PckSource,
    /// Zeros behind the quote, as providers of fixed buffers leave them.
    pub padding: usize,
}

/// Where the PCK certificate is: certification data within the QE report's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PckSource {
    /// Type 5: the quote has the chain, PEM.
    Quote,
    /// Type 3: the quote has an encrypted PPID with the SVNs; the collateral has the chain.
    Collateral,
    /// Type 3, and the collateral has no chain either.
    Nowhere,
    /// The chain under another type.
    Other(u16),
}

/// An SGX report body (Intel SDM volume 3D, table 38-21), 384 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QeReport {
    /// CPUSVN.
    pub cpu_svn: [u8; 16],
    /// MISCSELECT.
    pub misc_select: u32,
    /// ATTRIBUTES: flags and XFRM.
    pub attributes: [u8; 16],
    /// MRENCLAVE.
    pub mr_enclave: [u8; 32],
    /// MRSIGNER.
    pub mr_signer: [u8; 32],
    /// ISVPRODID.
    pub isv_prod_id: u16,
    /// ISVSVN.
    pub isv_svn: u16,
    /// REPORTDATA; `None`: the hash of attestation key and authentication data, and zeros.
    pub report_data: Option<[u8; 64]>,
}

/// The keys that a quote is made with, and the PCK chain as PEM.
pub(super) struct QuoteKeys<'a> {
    /// The attestation key that the quote names.
    pub(super) attestation: &'a Key,
    /// Signs header and body.
    pub(super) quote: &'a Key,
    /// Signs the QE report.
    pub(super) qe_report: &'a Key,
    /// PCK certificate, PCK CA, root.
    pub(super) pck_chain: String,
}

const INTEL_QE_VENDOR_ID: [u8; 16] = [
    0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07,
];
/// RSA-3072 ciphertext, CPUSVN, PCESVN, PCE-ID.
const ENCRYPTED_PPID_BYTES: usize = 384 + 16 + 2 + 2;

impl Quote {
    /// Version 5, TDX 1.5, with the PCK chain in it.
    pub(super) fn well_kept() -> Self {
        let mut user_data = [0; 20];
        user_data.iter_mut().take(16).for_each(|byte| *byte = 0x0E);
        Self {
            version: 5,
            attestation_key_type: 2,
            tee_type: 0x81,
            reserved: [0; 4],
            qe_vendor_id: INTEL_QE_VENDOR_ID,
            user_data,
            body: Body::td15(),
            qe_report: QeReport::well_kept(),
            qe_auth_data: (0..32).collect(),
            certification_type: 6,
            pck: PckSource::Quote,
            padding: 0,
        }
    }

    pub(super) fn to_bytes(&self, keys: &QuoteKeys<'_>) -> Vec<u8> {
        let signed = self.signed_bytes();
        let signature_data = self.signature_data(&signed, keys);
        [
            signed,
            length_u32(&signature_data),
            signature_data,
            vec![0; self.padding],
        ]
        .concat()
    }

    /// Header, in version 5 the body's descriptor, and body.
    fn signed_bytes(&self) -> Vec<u8> {
        let body = self.body.to_bytes();
        let header = [
            &self.version.to_le_bytes()[..],
            &self.attestation_key_type.to_le_bytes(),
            &self.tee_type.to_le_bytes(),
            &self.reserved,
            &self.qe_vendor_id,
            &self.user_data,
        ]
        .concat();
        let descriptor = match self.version {
            5 => [self.body.kind().to_le_bytes().to_vec(), length_u32(&body)].concat(),
            _ => Vec::new(),
        };
        [header, descriptor, body].concat()
    }

    fn signature_data(&self, signed: &[u8], keys: &QuoteKeys<'_>) -> Vec<u8> {
        let key = raw_point(keys.attestation);
        let certification = self.qe_report_certification(key, keys);
        [
            &keys.quote.sign(signed)[..],
            key,
            &self.certification_type.to_le_bytes(),
            &length_u32(&certification),
            &certification,
        ]
        .concat()
    }

    fn qe_report_certification(&self, attestation_key: &[u8], keys: &QuoteKeys<'_>) -> Vec<u8> {
        let bound = [attestation_key, &self.qe_auth_data].concat();
        let report = self.qe_report.to_bytes(&bound);
        let auth_bytes = u16::try_from(self.qe_auth_data.len()).expect("fits a quote");
        let (kind, data) = self.pck_certification(keys);
        [
            &report[..],
            &keys.qe_report.sign(&report),
            &auth_bytes.to_le_bytes(),
            &self.qe_auth_data,
            &kind.to_le_bytes(),
            &length_u32(&data),
            &data,
        ]
        .concat()
    }

    /// The chain ends in a zero byte, as Intel's quoting library writes it.
    fn pck_certification(&self, keys: &QuoteKeys<'_>) -> (u16, Vec<u8>) {
        let chain = || [keys.pck_chain.as_bytes(), &[0]].concat();
        match self.pck {
            PckSource::Quote => (5, chain()),
            PckSource::Collateral | PckSource::Nowhere => (3, vec![0xEE; ENCRYPTED_PPID_BYTES]),
            PckSource::Other(kind) => (kind, chain()),
        }
    }
}

impl QeReport {
    fn well_kept() -> Self {
        Self {
            cpu_svn: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
            misc_select: 0,
            attributes: [0x15, 0, 0, 0, 0, 0, 0, 0, 0xE7, 0, 0, 0, 0, 0, 0, 0],
            mr_enclave: [0xE0; 32],
            mr_signer: QE_MRSIGNER,
            isv_prod_id: QE_ISVPRODID,
            isv_svn: QE_ISVSVN,
            report_data: None,
        }
    }

    fn to_bytes(&self, bound: &[u8]) -> Vec<u8> {
        let hash = digest::digest(&digest::SHA256, bound);
        let report_data = self.report_data.map_or_else(
            || [hash.as_ref(), &[0; 32]].concat(),
            |report_data| report_data.to_vec(),
        );
        [
            &self.cpu_svn[..],
            &self.misc_select.to_le_bytes(),
            &[0; 28],
            &self.attributes,
            &self.mr_enclave,
            &[0; 32],
            &self.mr_signer,
            &[0; 96],
            &self.isv_prod_id.to_le_bytes(),
            &self.isv_svn.to_le_bytes(),
            &[0; 60],
            &report_data,
        ]
        .concat()
    }
}

/// X and Y, without the byte that says uncompressed.
fn raw_point(key: &Key) -> &[u8] {
    key.public_key().split_first().expect("a point").1
}

fn length_u32(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("fits a quote");
    length.to_le_bytes().to_vec()
}
