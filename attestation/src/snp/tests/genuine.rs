//! Evidence of the invented vendor that is right in every point until a test makes it wrong in one.

use super::pki::{Certificate, KEYS, List};
use crate::{
    UnixTime,
    roots::SnpRoots,
    snp::{Evidence, SnpClaims, SnpError, VerifiedVek, verify},
};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{EcdsaKeyPair, KeyPair as _},
};

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);

/// Evidence before anything is signed.
pub(crate) struct Draft {
    pub(crate) report: [u8; 1184],
    pub(super) vek: Certificate,
    pub(super) ask: Certificate,
    pub(super) ark: Certificate,
    pub(super) crls: Vec<List>,
    pub(super) signers: Signers,
}

/// Who signs what.
pub(super) struct Signers {
    pub(super) report: &'static EcdsaKeyPair,
    pub(super) vek: &'static KeyPair,
    pub(super) ask: &'static KeyPair,
    pub(super) crl: &'static KeyPair,
}

/// Evidence as a verifier receives it.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) report: Vec<u8>,
    pub(crate) vek: Vec<u8>,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) ark: Vec<u8>,
    pub(crate) ask: Vec<u8>,
    pub(crate) now: UnixTime,
}

/// A Milan report, version 5, TCB 4/0/24/213, chip C1h.
fn report() -> [u8; 1184] {
    let mut report = [0; 1184];
    let mut set = |offset: usize, bytes: &[u8]| {
        report[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    let tcb = [4, 0, 0, 0, 0, 0, 24, 213];
    set(0x000, &5_u32.to_le_bytes());
    set(0x008, &0x3_0000_u64.to_le_bytes());
    set(0x034, &1_u32.to_le_bytes());
    set(0x040, &0x25_u64.to_le_bytes());
    set(0x050, &[0xDA; 64]);
    set(0x090, &[0x5A; 48]);
    for offset in [0x038, 0x180, 0x1E0, 0x1F0] {
        set(offset, &tcb);
    }
    set(0x188, &[0x19, 0x01, 0x01]);
    set(0x1A0, &[0xC1; 64]);
    set(0x1F8, &0x3F_u64.to_le_bytes());
    set(0x200, &0x7F_u64.to_le_bytes());
    report
}

impl Draft {
    pub(crate) fn genuine() -> Self {
        Self {
            report: report(),
            vek: Certificate::vcek(),
            ask: Certificate::ask(),
            ark: Certificate::ark(),
            crls: vec![List::empty()],
            signers: Signers {
                report: &KEYS.vek,
                vek: &KEYS.ask,
                ask: &KEYS.ark,
                crl: &KEYS.ark,
            },
        }
    }

    /// The same for a VLEK: masked chip id, SIGNING_KEY 1, issued by an ASVK.
    pub(super) fn with_vlek() -> Self {
        let mut draft = Self::genuine();
        draft.report[0x48] = 1 << 2;
        draft.report[0x1A0..0x1E0].fill(0);
        draft.vek.subject = "SEV-VLEK".into();
        draft.vek.issuer = "SEV-VLEK-Milan".into();
        draft.ask.subject = "SEV-VLEK-Milan".into();
        draft.vek.without("1.3.6.1.4.1.3704.1.4");
        let csp_id = super::der::tlv(0x16, b"CN=cloud.example");
        draft
            .vek
            .extensions
            .push(super::pki::amd("1.3.6.1.4.1.3704.1.5", csp_id));
        draft
    }

    /// The same for Turin: FMC first, eight bytes of HWID, model 02h of family 1Ah.
    pub(super) fn of_turin() -> Self {
        let mut draft = Self::genuine();
        for offset in [0x038, 0x180, 0x1E0, 0x1F0] {
            draft.report[offset..offset + 8].copy_from_slice(&[1, 4, 0, 24, 0, 0, 0, 213]);
        }
        draft.report[0x188..0x18B].copy_from_slice(&[0x1A, 0x02, 0x01]);
        draft.report[0x1A8..0x1E0].fill(0);
        draft.vek.extension("1.3.6.1.4.1.3704.1.2").value = super::der::tlv(0x16, b"Turin");
        draft
            .vek
            .extension("1.3.6.1.4.1.3704.1.4")
            .value
            .truncate(8);
        let fmc = super::pki::amd("1.3.6.1.4.1.3704.1.3.9", super::der::integer(1));
        draft.vek.extensions.push(fmc);
        draft.vek.issuer = "SEV-Turin".into();
        draft.ask.subject = "SEV-Turin".into();
        draft
    }

    pub(crate) fn issue(&self) -> Issued {
        let ask = self.ask.signed_by(self.signers.ask);
        let crls = self
            .crls
            .iter()
            .map(|list| list.signed_by(self.signers.crl));
        Issued {
            report: sign_report(self.report, self.signers.report),
            vek: self.vek.signed_by(self.signers.vek),
            chain: vec![ask.clone()],
            crls: crls.collect(),
            ark: self.ark.signed_by(&KEYS.ark),
            ask,
            now: NOW,
        }
    }
}

impl Issued {
    pub(super) fn verify(&self) -> Result<SnpClaims, SnpError> {
        let evidence = Evidence {
            report: &self.report,
            vek: &self.vek,
            chain: &slices(&self.chain),
        };
        verify(&evidence, &slices(&self.crls), &self.roots(), self.now)
    }

    /// The endorsements alone.
    pub(super) fn verified_vek(&self) -> Result<VerifiedVek, SnpError> {
        let (chain, crls) = (slices(&self.chain), slices(&self.crls));
        VerifiedVek::verify(&self.vek, &chain, &crls, &self.roots(), self.now)
    }

    fn roots(&self) -> SnpRoots {
        SnpRoots::invented(&self.ark, &self.ask)
    }
}

fn slices(items: &[Vec<u8>]) -> Vec<&[u8]> {
    items.iter().map(Vec::as_slice).collect()
}

fn sign_report(mut report: [u8; 1184], key: &EcdsaKeyPair) -> Vec<u8> {
    let (signed, rest) = report.split_at_mut(0x2A0);
    assert_eq!(key.public_key().as_ref().len(), 97);
    let signature = key.sign(&SystemRandom::new(), signed).unwrap();
    let (r, s) = signature.as_ref().split_at(48);
    for (offset, number) in [(0, r), (72, s)] {
        for (index, byte) in number.iter().rev().enumerate() {
            rest[offset + index] = *byte;
        }
    }
    report.to_vec()
}
