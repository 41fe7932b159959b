//! A platform's PCK and its quoting enclave that were verified once, kept with their window.

use super::{
    Chain, Evidence, Fault, PlatformClaims, TdxClaims, TdxError, VerifiedCollateral,
    chain::Certificate as Role,
    pck::PckChain,
    quote::Quote,
    signature_data::Certification,
    verify::{self, Input},
    windows::Windows,
};
use crate::{Digest, UnixTime, Window};

/// A platform's PCK whose chain holds and that is not revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPck {
    pub(super) platform: PlatformClaims,
    pub(super) key: [u8; 65],
    /// The chain as DER, root included.
    chain: Vec<Vec<u8>>,
    /// The chain as the quote gave it; `None` if the collateral did.
    in_quote: Option<Vec<u8>>,
    /// The root and the lists that it was verified with.
    lists: Digest,
    windows: Windows,
}

/// A quoting enclave whose report the platform's PCK signed, with the attestation key that it speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedQe {
    pck: VerifiedPck,
    /// What follows the signature in the quote's signature data.
    of_enclave: Vec<u8>,
}

impl VerifiedPck {
    /// Verifies the PCK chain that `quote` carries, or for a quote that carries none the collateral's, at `now`.
    ///
    /// Nothing else of the quote is looked at.
    pub fn verify(
        quote: &[u8],
        collateral: &VerifiedCollateral,
        now: UnixTime,
    ) -> Result<Self, TdxError> {
        let quote = Quote::parse(quote)?;
        let in_collateral = collateral.pck_certificate_chain();
        let ders = verify::pck_chain(&quote, in_collateral)?.ok_or(TdxError::PckMissing)?;
        let chain = PckChain::parse(&ders)?;
        collateral.check_window(now)?;
        let windows = collateral.check_pck(&chain, now)?;
        Self::of(&quote, &chain, &ders, (windows, collateral.lists()))
    }

    /// Of a chain that was verified.
    pub(super) fn of(
        quote: &Quote<'_>,
        chain: &PckChain<'_>,
        ders: &[Vec<u8>],
        (windows, lists): (Windows, Digest),
    ) -> Result<Self, TdxError> {
        let in_quote = match quote.signature_data.certification {
            Certification::Chain(pem) => Some(pem.to_vec()),
            Certification::Identifier => None,
        };
        Ok(Self {
            platform: chain.platform(),
            key: chain.key().ok_or(TdxError::PckFormat)?,
            chain: ders.to_vec(),
            in_quote,
            lists,
            windows,
        })
    }

    /// Verifies `evidence` at `now` with two signatures: the claims or the refusal that [`super::verify`] gives.
    pub fn appraise(
        &self,
        evidence: &Evidence<'_>,
        collateral: &VerifiedCollateral,
        now: UnixTime,
    ) -> Result<TdxClaims, TdxError> {
        let input = Input::parse(evidence)?;
        input.check_own()?;
        collateral.check_window(now)?;
        self.check(&input.quote, now)?;
        self.check_lists(collateral, now)?;
        input.quote.check_qe_report(&self.key)?;
        input.judge(collateral, self)
    }

    /// When the chain holds; outside of it every quote is refused.
    #[must_use]
    pub fn window(&self) -> Window {
        self.windows.meet()
    }

    /// PCK certificate, PCK CA and root, DER.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// What the certificate says.
    #[must_use]
    pub const fn platform(&self) -> &PlatformClaims {
        &self.platform
    }

    /// That `quote` is this platform's, by the chain it carries, and that the chain holds at `now`.
    fn check(&self, quote: &Quote<'_>, now: UnixTime) -> Result<(), TdxError> {
        let is_own = match quote.signature_data.certification {
            Certification::Chain(pem) => self.in_quote.as_deref() == Some(pem),
            Certification::Identifier => self.in_quote.is_none(),
        };
        if !is_own {
            return Err(TdxError::Chain {
                chain: Chain::Pck,
                certificate: Role::Pck,
                fault: Fault::Issuer,
            });
        }
        self.windows.check(now)
    }

    /// That the lists of `collateral` do not revoke it: they are those it was verified with, or it is verified once more.
    fn check_lists(&self, collateral: &VerifiedCollateral, now: UnixTime) -> Result<(), TdxError> {
        if self.lists == collateral.lists() {
            return Ok(());
        }
        let chain = PckChain::parse(&self.chain)?;
        collateral.check_pck(&chain, now).map(drop)
    }
}

impl VerifiedQe {
    /// Verifies the QE report in `quote` and that it speaks for the quote's attestation key, at `now`.
    pub fn verify(quote: &[u8], pck: &VerifiedPck, now: UnixTime) -> Result<Self, TdxError> {
        let quote = Quote::parse(quote)?;
        quote.check_key_binding()?;
        pck.check(&quote, now)?;
        quote.check_qe_report(&pck.key)?;
        Ok(Self {
            pck: pck.clone(),
            of_enclave: quote.signature_data.of_enclave.to_vec(),
        })
    }

    /// Verifies `evidence` at `now` with one signature: the claims or the refusal that [`super::verify`] gives.
    ///
    /// A quote of another enclave, or under another attestation key, is verified like by [`VerifiedPck::appraise`].
    pub fn appraise(
        &self,
        evidence: &Evidence<'_>,
        collateral: &VerifiedCollateral,
        now: UnixTime,
    ) -> Result<TdxClaims, TdxError> {
        let input = Input::parse(evidence)?;
        if input.quote.signature_data.of_enclave != self.of_enclave {
            return self.pck.appraise(evidence, collateral, now);
        }
        input.check_own()?;
        collateral.check_window(now)?;
        self.pck.check(&input.quote, now)?;
        self.pck.check_lists(collateral, now)?;
        input.judge(collateral, &self.pck)
    }

    /// Whether `quote` is of this enclave under this attestation key: by its own words, for [`Self::appraise`] to judge.
    pub(crate) fn is_of(&self, quote: &[u8]) -> bool {
        let quote = Quote::parse(quote);
        quote.is_ok_and(|quote| quote.signature_data.of_enclave == self.of_enclave)
    }

    /// The platform's PCK.
    #[must_use]
    pub const fn pck(&self) -> &VerifiedPck {
        &self.pck
    }
}
