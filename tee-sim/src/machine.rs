//! One simulated machine: a chip with its VCEK and the guest that asks it for reports.

use crate::{
    Report, Validity, VekCertificate, Vendor,
    report::{REPORT_BYTES, SIGNED_BYTES},
    vendor::NOT_BEFORE,
};
use attestation::{
    Binding, CpuEvidence, EvidenceBundle, EvidenceError, EvidenceProvider, IdentityKey, Nonce,
    ReportData, SnpEvidence, UnixTime,
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair},
};

/// 2040-01-01T00:00:00Z.
const VEK_NOT_AFTER: UnixTime = UnixTime(2_208_988_800);

/// A machine of one vendor. What it reports and what its certificate says can be set before use.
pub struct Machine {
    vendor: Vendor,
    key: EcdsaKeyPair,
    report: Report,
    certificate: VekCertificate,
    vek: Vec<u8>,
    chain: Vec<Vec<u8>>,
}

impl Machine {
    /// A well-kept machine of the vendor's product, with a new chip key.
    #[must_use]
    pub fn new(vendor: &Vendor) -> Self {
        let report = Report::of(vendor.product());
        let validity = Validity {
            not_before: NOT_BEFORE,
            not_after: VEK_NOT_AFTER,
        };
        let (product, tcb) = (report.product, report.reported_tcb);
        let certificate = VekCertificate::of_chip(product, tcb, &report.chip_id, validity);
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING);
        let key = key.expect("P-384 keys can be made");
        Self {
            vek: vendor.certify(&certificate, &key),
            vendor: vendor.clone(),
            key,
            report,
            certificate,
            chain: Vec::new(),
        }
    }

    /// Reports other values from now on; the certificate stays.
    #[must_use]
    pub fn with_report(mut self, edit: impl FnOnce(&mut Report)) -> Self {
        edit(&mut self.report);
        self
    }

    /// Has its key certified again with other values; the reports stay.
    #[must_use]
    pub fn with_certificate(mut self, edit: impl FnOnce(&mut VekCertificate)) -> Self {
        edit(&mut self.certificate);
        self.vek = self.vendor.certify(&self.certificate, &self.key);
        self
    }

    /// Hands out these intermediates with its evidence; without any, the verifier's own are used.
    #[must_use]
    pub fn with_chain(mut self, chain: Vec<Vec<u8>>) -> Self {
        self.chain = chain;
        self
    }

    /// What it reports, but for REPORT_DATA.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// Its VCEK certificate, DER.
    #[must_use]
    pub fn vek_der(&self) -> &[u8] {
        &self.vek
    }

    /// A verifier that trusts this machine's vendor. What it verifies is `Anchors::Custom`.
    #[must_use]
    pub fn verifier(&self) -> attestation::Verifier {
        self.vendor.verifier()
    }

    /// A signed report over `report_data`, 1184 bytes.
    #[must_use]
    pub fn signed_report(&self, report_data: &ReportData) -> Vec<u8> {
        let report = Report {
            report_data: report_data.0,
            ..self.report.clone()
        };
        let mut bytes = report.to_bytes();
        self.sign(&mut bytes);
        bytes.to_vec()
    }

    /// Signs the first 2A0h bytes, whatever they say, and puts R and S behind them.
    pub fn sign(&self, report: &mut [u8; REPORT_BYTES]) {
        let (signed, rest) = report.split_at_mut(SIGNED_BYTES);
        let signature = self.key.sign(&SystemRandom::new(), signed);
        let signature = signature.expect("a P-384 key signs");
        let (r, s) = signature.as_ref().split_at(48);
        let little_endian = |number: &[u8]| number.iter().rev().copied().collect::<Vec<u8>>();
        let fields = [little_endian(r), vec![0; 24], little_endian(s)].concat();
        let target = rest.iter_mut().zip(fields);
        target.for_each(|(byte, value)| *byte = value);
    }

    /// A bundle of this machine for one nonce, with neither path nor keys: what a test of the verifier needs.
    #[must_use]
    pub fn bundle(
        &self,
        identity: IdentityKey,
        manifest: Vec<u8>,
        nonce: &Nonce,
    ) -> EvidenceBundle {
        crate::bundle::bundle(self, identity, manifest, nonce)
    }

    fn cpu_evidence(&self, binding: &Binding) -> CpuEvidence {
        CpuEvidence::Snp(SnpEvidence {
            report: self.signed_report(&binding.report_data()),
            vek: self.vek.clone(),
            chain: self.chain.clone(),
        })
    }
}

impl EvidenceProvider for Machine {
    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError> {
        Ok(self.cpu_evidence(binding))
    }
}
