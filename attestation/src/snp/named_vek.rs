//! Which VEK a report is signed by, by the report's own words: enough to ask AMD for the certificate.

use super::{Product, SigningKey, SnpError, TcbVersion, report::Report, tcb::RawTcb};

/// The VEK that a report names. Nothing of it is authentic: it is for fetching, not for judging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedVek {
    /// SIGNING_KEY.
    pub kind: SigningKey,
    /// By the CPUID fields; `None` before version 3, which has none.
    pub product: Option<Product>,
    /// MEASUREMENT of the guest that asked.
    pub measurement: [u8; 48],
    chip_id: [u8; 64],
    reported_tcb: RawTcb,
}

impl NamedVek {
    /// Reads `report`, which must be well-formed and of a known processor.
    pub fn of_report(report: &[u8]) -> Result<Self, SnpError> {
        let report = Report::parse(report)?;
        Ok(Self {
            kind: report.signing_key().unwrap_or(SigningKey::Vcek),
            product: report.product()?,
            measurement: report.measurement(),
            chip_id: report.chip_id(),
            reported_tcb: report.reported_tcb(),
        })
    }

    /// CHIP_ID; `None` when it is masked.
    #[must_use]
    pub fn chip_id(&self) -> Option<[u8; 64]> {
        (self.chip_id != [0; 64]).then_some(self.chip_id)
    }

    /// The bytes of CHIP_ID that name a chip of `product`; `None` when CHIP_ID is masked.
    #[must_use]
    pub fn hwid(&self, product: Product) -> Option<&[u8]> {
        let length = product.hwid_bytes();
        self.chip_id().and(self.chip_id.get(..length))
    }

    /// REPORTED_TCB; `None` if it is none of `product`'s.
    #[must_use]
    pub const fn tcb(&self, product: Product) -> Option<TcbVersion> {
        self.reported_tcb.components(product)
    }
}
