//! A VCEK or VLEK that was verified once, kept with its window: every further report of its chip costs one signature.

use super::{
    Product, SigningKey, SnpClaims, SnpError,
    chain::{Candidates, Chain, Dates},
    claims::claims,
    error::Certificate,
    report::Report,
    revocation::RevocationLists,
    vek::Vek,
    verify::{agreed_product, check_signing_key},
};
use crate::{UnixTime, Window, crypto, roots::SnpRoots};

/// What a verified VEK says, and when it may be relied on.
///
/// Verified means: under the roots that were given, at the time that was given. Those who trust several sets of roots keep one
/// cache for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedVek {
    pub(super) product: Product,
    pub(super) kind: SigningKey,
    /// The only CHIP_ID whose reports it signs; a VLEK names none.
    chip_id: Option<[u8; 64]>,
    /// The only REPORTED_TCB whose reports it signs.
    tcb: [u8; 8],
    /// P-384, uncompressed.
    key: [u8; 97],
    pub(super) csp_id: Option<String>,
    dates: Dates,
    /// When all lists given are current; `None` when none was.
    pub(super) lists: Option<Window>,
}

/// A VEK with its chain and lists, parsed; nothing in it is authentic yet.
pub(super) struct Endorsements<'a> {
    pub(super) vek: Vek<'a>,
    candidates: Candidates<'a>,
    lists: RevocationLists<'a>,
}

impl VerifiedVek {
    /// Verifies `vek` with its chain and lists as [`super::verify`] does, without a report.
    pub fn verify(
        vek: &[u8],
        chain: &[&[u8]],
        crls: &[&[u8]],
        roots: &SnpRoots,
        now: UnixTime,
    ) -> Result<Self, SnpError> {
        let endorsements = Endorsements::parse(vek, chain, crls)?;
        let product = endorsements.vek.product()?;
        endorsements.verify(product, roots, now)
    }

    /// Verifies `report` at `now`: the claims or the refusal that [`super::verify`] gives with the same endorsements.
    pub fn appraise(&self, report: &[u8], now: UnixTime) -> Result<SnpClaims, SnpError> {
        let report = Report::parse(report)?;
        agreed_product(&report, Ok(self.product))?;
        check_signing_key(&report, self.kind)?;
        self.check_window(now)?;
        self.judge(&report)
    }

    /// When the chain and the lists all hold; outside of it every report is refused.
    #[must_use]
    pub fn window(&self) -> Window {
        let lists = self.lists.unwrap_or(Window::ALWAYS);
        self.dates.window().meet(lists)
    }

    fn check_window(&self, now: UnixTime) -> Result<(), SnpError> {
        self.dates.check(now)?;
        let is_current = self.lists.is_none_or(|lists| lists.contains(now));
        is_current.then_some(()).ok_or(SnpError::CrlWindow)
    }

    /// The steps that need both the report and a VEK that is verified.
    pub(super) fn judge(&self, report: &Report<'_>) -> Result<SnpClaims, SnpError> {
        self.check_chip_id(report)?;
        self.check_tcb(report)?;
        self.check_signature(report)?;
        claims(report, self)
    }

    /// That a VCEK is for the report's chip; a VLEK is for none.
    fn check_chip_id(&self, report: &Report<'_>) -> Result<(), SnpError> {
        let is_for = self.chip_id.is_none_or(|chip| chip == report.chip_id());
        is_for.then_some(()).ok_or(SnpError::VekHwid)
    }

    /// That the key was derived for REPORTED_TCB.
    fn check_tcb(&self, report: &Report<'_>) -> Result<(), SnpError> {
        let is_same = self.tcb == report.reported_tcb().0;
        is_same.then_some(()).ok_or(SnpError::VekTcb)
    }

    /// That the key signed the bytes received.
    fn check_signature(&self, report: &Report<'_>) -> Result<(), SnpError> {
        let is_signed =
            crypto::ecdsa_p384_sha384_verify(&self.key, report.signed_bytes(), &report.signature());
        is_signed.then_some(()).ok_or(SnpError::Signature)
    }
}

impl<'a> Endorsements<'a> {
    pub(super) fn parse(
        vek: &'a [u8],
        chain: &[&'a [u8]],
        crls: &[&'a [u8]],
    ) -> Result<Self, SnpError> {
        Ok(Self {
            vek: Vek::parse(vek)?,
            candidates: Candidates::parse(chain)?,
            lists: RevocationLists::parse(crls)?,
        })
    }

    /// Chain and lists at `now`, under the root of `product`.
    pub(super) fn verify(
        self,
        product: Product,
        roots: &'a SnpRoots,
        now: UnixTime,
    ) -> Result<VerifiedVek, SnpError> {
        let vek = self.vek;
        let chain = Chain::find(self.candidates, &vek, product, roots.anchor(product))?;
        chain.verify(&vek, now)?;
        let lists = self.lists.check(&chain, &vek, now)?;
        let not_p384 = SnpError::ChainAlgorithm(Certificate::Vek);
        Ok(VerifiedVek {
            product,
            kind: vek.kind,
            chip_id: vek.chip_id(product)?,
            tcb: vek.tcb(product).ok_or(SnpError::VekTcb)?,
            key: vek.key().ok_or(not_p384)?,
            dates: chain.dates(&vek),
            csp_id: vek.csp_id,
            lists,
        })
    }
}
