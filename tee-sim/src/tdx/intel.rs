//! The invented Intel with one platform: keys in memory, and what they sign.

use super::{Draft, PckSource, Signer, quote::QuoteKeys};
use crate::x509::{Certificate, Key};
use attestation::{UnixTime, tdx::Collateral};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::sync::Arc;

/// An invented Intel, its platform and the quoting enclave there.
#[derive(Clone)]
pub struct Intel {
    keys: Arc<Keys>,
    draft: Draft,
}

/// One key for each role, and one of nobody's.
pub(super) struct Keys {
    pub(super) root: Key,
    pub(super) pck_ca: Key,
    pub(super) tcb_signing: Key,
    pub(super) pck: Key,
    attestation: Key,
    stranger: Key,
}

/// A quote with all that a verifier needs beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The quote.
    pub quote: Vec<u8>,
    /// CCEL event log.
    pub event_log: Option<Vec<u8>>,
    /// Endorsements of the platform.
    pub collateral: Option<Collateral>,
    /// The root certificate, DER.
    pub root: Vec<u8>,
    /// When it is judged.
    pub now: UnixTime,
}

impl Intel {
    /// A new Intel with new keys, and collateral that is current at `now`.
    #[must_use]
    pub fn invent(now: UnixTime) -> Self {
        let keys = Keys {
            root: Key::p256(),
            pck_ca: Key::p256(),
            tcb_signing: Key::p256(),
            pck: Key::p256(),
            attestation: Key::p256(),
            stranger: Key::p256(),
        };
        Self {
            draft: Draft::well_kept(&keys, now),
            keys: Arc::new(keys),
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

    /// The root certificate, DER.
    #[must_use]
    pub fn root_der(&self) -> Vec<u8> {
        self.draft.root.sign(&self.keys.root)
    }

    /// A signed quote over `report_data`.
    #[must_use]
    pub fn quote(&self, report_data: &[u8; 64]) -> Vec<u8> {
        let mut quote = self.draft.quote.clone();
        quote.body.report_mut().report_data = *report_data;
        quote.to_bytes(&QuoteKeys {
            attestation: &self.keys.attestation,
            quote: self.key(self.draft.signers.quote),
            qe_report: self.key(self.draft.signers.qe_report),
            pck_chain: pem(&self.pck_chain()),
        })
    }

    /// The event log beside the quote, if there is one.
    #[must_use]
    pub fn event_log(&self) -> Option<Vec<u8>> {
        self.draft.event_log.as_ref().map(super::EventLog::to_bytes)
    }

    /// The endorsements of the platform.
    #[must_use]
    pub fn collateral(&self) -> Collateral {
        let Draft {
            tcb_info,
            qe_identity,
            signers,
            ..
        } = &self.draft;
        let tcb_info = serde_json::to_vec(tcb_info).expect("strings and numbers");
        let qe_identity = serde_json::to_vec(qe_identity).expect("strings and numbers");
        let below_root = |certificate: &Certificate, signer| {
            vec![certificate.sign(self.key(signer)), self.root_der()]
        };
        let draft = &self.draft;
        let qe_signing = draft.qe_signing.as_ref().unwrap_or(&draft.tcb_signing);
        let pck_crl_ca = draft.pck_crl_ca.as_ref().unwrap_or(&draft.pck_ca);
        let pck_chain = (self.draft.quote.pck == PckSource::Collateral).then(|| self.pck_chain());
        Collateral {
            tcb_info_signature: self.key(signers.tcb_info).sign(&tcb_info),
            tcb_info,
            tcb_info_issuer_chain: below_root(&draft.tcb_signing, signers.tcb_signing),
            qe_identity_signature: self.key(signers.qe_identity).sign(&qe_identity),
            qe_identity,
            qe_identity_issuer_chain: below_root(qe_signing, signers.tcb_signing),
            root_ca_crl: self.draft.root_ca_crl.sign(self.key(signers.root_ca_crl)),
            pck_crl: self.draft.pck_crl.sign(self.key(signers.pck_crl)),
            pck_crl_issuer_chain: below_root(pck_crl_ca, signers.pck_ca),
            pck_certificate_chain: pck_chain,
        }
    }

    /// Quote, event log and endorsements for a verification at `now`.
    #[must_use]
    pub fn issue(&self, report_data: &[u8; 64], now: UnixTime) -> Issued {
        Issued {
            quote: self.quote(report_data),
            event_log: self.event_log(),
            collateral: Some(self.collateral()),
            root: self.root_der(),
            now,
        }
    }

    fn pck_ca_der(&self) -> Vec<u8> {
        self.draft.pck_ca.sign(self.key(self.draft.signers.pck_ca))
    }

    /// PCK certificate, PCK CA, root.
    fn pck_chain(&self) -> Vec<Vec<u8>> {
        let sgx = self.draft.sgx.as_ref();
        let pck: Certificate = self
            .draft
            .pck
            .clone()
            .extended(sgx.map(super::SgxExtensions::to_extension));
        let pck = pck.sign(self.key(self.draft.signers.pck));
        vec![pck, self.pck_ca_der(), self.root_der()]
    }

    fn key(&self, signer: Signer) -> &Key {
        match signer {
            Signer::Root => &self.keys.root,
            Signer::PckCa => &self.keys.pck_ca,
            Signer::TcbSigning => &self.keys.tcb_signing,
            Signer::Pck => &self.keys.pck,
            Signer::Attestation => &self.keys.attestation,
            Signer::Stranger => &self.keys.stranger,
        }
    }
}

impl std::fmt::Debug for Intel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intel")
            .field("draft", &self.draft)
            .finish_non_exhaustive()
    }
}

/// Certificates as PEM (RFC 7468), one after the other.
#[must_use]
pub fn pem(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|der| pem_certificate(der)).collect()
}

fn pem_certificate(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64);
    let body: String = lines
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
}
