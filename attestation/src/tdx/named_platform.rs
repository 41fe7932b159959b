//! Which platform a quote is of, by the quote's own words: enough to ask Intel for collateral.

use super::{PckCa, TdxError, pck::PckChain, quote::Quote, verify::pck_chain};

/// The platform that a quote names. Nothing of it is authentic: it is for fetching, not for judging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedPlatform {
    /// Family, model, stepping, platform type and custom SKU.
    pub fmspc: [u8; 6],
    /// Who issued the PCK certificate.
    pub ca: PckCa,
    /// PPID: which package it is.
    pub ppid: [u8; 16],
}

impl NamedPlatform {
    /// Reads `quote`, which must be well-formed; `None` for one that brings no PCK certificate.
    pub fn of_quote(quote: &[u8]) -> Result<Option<Self>, TdxError> {
        let quote = Quote::parse(quote)?;
        let Some(ders) = pck_chain(&quote, None)? else {
            return Ok(None);
        };
        let platform = PckChain::parse(&ders)?.platform();
        Ok(Some(Self {
            fmspc: platform.fmspc,
            ca: platform.ca,
            ppid: platform.ppid,
        }))
    }
}
