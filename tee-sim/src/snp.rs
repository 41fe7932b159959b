//! One SNP report with its endorsements, every field of which can be wrong before it is signed.
//!
//! [`crate::Machine`] is what answers for a runtime; this is for those who try verifiers.

use crate::{
    KeyInfo, Report, Validity, VekCertificate,
    pki::{self, AMD_SEV, product_name},
    report::{REPORT_BYTES, SIGNED_BYTES},
    vendor::{NOT_AFTER, NOT_BEFORE},
    x509::{Certificate, Key, Name, RevocationList},
};
use attestation::{
    UnixTime,
    snp::{Product, SigningKey},
};
use std::sync::Arc;

/// An invented AMD with one chip.
#[derive(Clone)]
pub struct Amd {
    keys: Arc<Keys>,
    draft: Draft,
}

struct Keys {
    ark: Key,
    ask: Key,
    vek: Key,
    stranger_rsa: Key,
    stranger: Key,
}

/// One of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The root's.
    Ark,
    /// The intermediate's.
    Ask,
    /// The chip's, P-384.
    Vek,
    /// An RSA-4096 key of nobody's.
    StrangerRsa,
    /// A P-384 key of nobody's.
    Stranger,
}

/// What is signed, each field for itself: a test may make any of them wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The report's fields.
    pub report: Report,
    /// Bytes written over the report at an offset before it is signed.
    pub overwritten: Vec<(usize, Vec<u8>)>,
    /// AMD root key.
    pub ark: Certificate,
    /// AMD SEV key.
    pub ask: Certificate,
    /// VCEK or VLEK.
    pub vek: Certificate,
    /// Revocation lists given beside the evidence.
    pub crls: Vec<RevocationList>,
    /// Signs the intermediate.
    pub ask_signer: Signer,
    /// Signs the VCEK or VLEK.
    pub vek_signer: Signer,
    /// Signs the lists.
    pub crl_signer: Signer,
    /// Signs the report.
    pub report_signer: Signer,
}

/// A report with all that a verifier needs beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The report.
    pub report: Vec<u8>,
    /// The VCEK or VLEK, DER.
    pub vek: Vec<u8>,
    /// Intermediates, DER.
    pub chain: Vec<Vec<u8>>,
    /// Revocation lists, DER.
    pub crls: Vec<Vec<u8>>,
    /// The root that a verifier pins, DER.
    pub ark: Vec<u8>,
    /// The intermediate that a verifier pins, DER.
    pub ask: Vec<u8>,
    /// When it is judged.
    pub now: UnixTime,
}

const DAY: u64 = 86_400;

impl Amd {
    /// A new AMD with new keys and a chip of Milan. Takes seconds (three RSA-4096 keys).
    #[must_use]
    pub fn invent(now: UnixTime) -> Self {
        let keys = Keys {
            ark: Key::rsa_4096(),
            ask: Key::rsa_4096(),
            vek: Key::p384(),
            stranger_rsa: Key::rsa_4096(),
            stranger: Key::p384(),
        };
        Self {
            draft: Draft::well_kept(&keys, Product::Milan, now),
            keys: Arc::new(keys),
        }
    }

    /// The same keys for a chip of `product`, with lists that are current at `now`.
    #[must_use]
    pub fn for_product(&self, product: Product, now: UnixTime) -> Self {
        Self {
            keys: Arc::clone(&self.keys),
            draft: Draft::well_kept(&self.keys, product, now),
        }
    }

    /// The same keys over other values.
    #[must_use]
    pub fn with(&self, edit: impl FnOnce(&mut Draft)) -> Self {
        let mut changed = self.clone();
        edit(&mut changed.draft);
        changed
    }

    /// What is signed.
    #[must_use]
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Report and endorsements for a verification at `now`.
    #[must_use]
    pub fn issue(&self, now: UnixTime) -> Issued {
        let draft = &self.draft;
        let ask = draft.ask.sign(self.key(draft.ask_signer));
        let crl = |list: &RevocationList| list.sign(self.key(draft.crl_signer));
        Issued {
            report: self.report(),
            vek: draft.vek.sign(self.key(draft.vek_signer)),
            chain: vec![ask.clone()],
            crls: draft.crls.iter().map(crl).collect(),
            ark: draft.ark.sign(&self.keys.ark),
            ask,
            now,
        }
    }

    fn report(&self) -> Vec<u8> {
        let mut bytes = self.draft.report.to_bytes();
        for (offset, values) in &self.draft.overwritten {
            let target = bytes.iter_mut().skip(*offset).zip(values);
            target.for_each(|(byte, value)| *byte = *value);
        }
        let signed: Vec<u8> = bytes.iter().copied().take(SIGNED_BYTES).collect();
        let signature = self.key(self.draft.report_signer).sign(&signed);
        let (r, s) = signature.split_at(48);
        let little_endian = |number: &[u8]| number.iter().rev().copied().collect::<Vec<u8>>();
        let rest = REPORT_BYTES - SIGNED_BYTES - 2 * 72;
        [
            signed,
            little_endian(r),
            vec![0; 24],
            little_endian(s),
            vec![0; 24 + rest],
        ]
        .concat()
    }

    fn key(&self, signer: Signer) -> &Key {
        match signer {
            Signer::Ark => &self.keys.ark,
            Signer::Ask => &self.keys.ask,
            Signer::Vek => &self.keys.vek,
            Signer::StrangerRsa => &self.keys.stranger_rsa,
            Signer::Stranger => &self.keys.stranger,
        }
    }
}

impl Draft {
    /// A well-kept chip, and a list that is a month old at `now` and lasts for a year.
    fn well_kept(keys: &Keys, product: Product, now: UnixTime) -> Self {
        let name = product_name(product);
        let validity = Validity {
            not_before: NOT_BEFORE,
            not_after: NOT_AFTER,
        };
        let window = [
            UnixTime(now.0.saturating_sub(30 * DAY)),
            now.plus(365 * DAY),
        ];
        let report = Report::of(product);
        let vek = VekCertificate::of_chip(product, report.reported_tcb, &report.chip_id, validity);
        Self {
            ark: pki::ark(name, validity, &keys.ark),
            ask: pki::ask(name, validity, &keys.ask, &keys.ark),
            vek: Certificate {
                serial: vec![2],
                ..vek.to_certificate(keys.vek.public_key_info())
            },
            crls: vec![RevocationList::empty(
                Name::amd(&format!("ARK-{name}")),
                window,
                &keys.ark,
            )],
            report,
            overwritten: Vec::new(),
            ask_signer: Signer::Ark,
            vek_signer: Signer::Ask,
            crl_signer: Signer::Ark,
            report_signer: Signer::Vek,
        }
    }

    /// Writes `value` over the report at `offset` before it is signed.
    pub fn overwrite(&mut self, offset: usize, value: &[u8]) {
        self.overwritten.push((offset, value.to_vec()));
    }

    /// Turns the VCEK into a VLEK of a service provider: no HWID, a CSP id, another intermediate.
    pub fn become_vlek(&mut self) {
        let intermediate = format!("SEV-VLEK-{}", product_name(self.report.product));
        self.report.key_info = KeyInfo::signed_with(SigningKey::Vlek);
        self.ask.subject = Name::amd(&intermediate);
        self.vek.issuer = Name::amd(&intermediate);
        self.vek.subject = Name::amd("SEV-VLEK");
        self.vek.without(&amd(&[4]));
        self.vek.extension(&amd(&[5])).value = crate::der::ia5_string("example-provider");
    }
}

/// An object identifier below AMD's arc for SEV, 1.3.6.1.4.1.3704.1.
#[must_use]
pub fn amd(arcs: &[u32]) -> Vec<u32> {
    [AMD_SEV, arcs].concat()
}

impl std::fmt::Debug for Amd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Amd")
            .field("draft", &self.draft)
            .finish_non_exhaustive()
    }
}
