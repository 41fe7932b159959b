//! TDX evidence to claims: one call per group of steps, in the order of [`super::STEPS`].

use super::{
    Chain, Collateral, Fault, TdxClaims, TdxError,
    chain::Certificate as Role,
    pck::PckChain,
    pem,
    quote::Quote,
    signature_data::Certification,
    tcb::Appraisal,
    verified_collateral::{Parts, VerifiedCollateral},
    verified_pck::VerifiedPck,
};
use crate::{UnixTime, eventlog::EventLog, roots::TdxRoots, x509::Certificate};

/// A quote with its event log, as received.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The quote, version 4 or 5; zeros may follow it.
    pub quote: &'a [u8],
    /// The CCEL event log, if there is one to replay.
    pub event_log: Option<&'a [u8]>,
}

/// Evidence, parsed; nothing in it is authentic yet.
pub(super) struct Input<'a> {
    pub(super) quote: Quote<'a>,
    event_log: Option<EventLog>,
}

/// Verifies `evidence` at `now` under `roots`. Without `collateral` all that the quote carries is verified, and the answer is
/// [`TdxError::CollateralMissing`] at best.
///
/// What parses at all is settled before anything is judged, so that malformed input is told as such. A Revoked platform is
/// refused; whether any other status is good enough is for the caller to judge.
pub fn verify(
    evidence: &Evidence<'_>,
    collateral: Option<&Collateral>,
    roots: &TdxRoots,
    now: UnixTime,
) -> Result<TdxClaims, TdxError> {
    let input = Input::parse(evidence)?;
    let parts = collateral.map(Parts::parse).transpose()?;
    let in_collateral = collateral.and_then(|parts| parts.pck_certificate_chain.as_ref());
    let ders = pck_chain(&input.quote, in_collateral)?;
    let chain = ders.as_deref().map(PckChain::parse).transpose()?;

    input.check_own()?;
    let root = root(roots)?;
    let collateral = parts.map(|parts| parts.verify(&root, now)).transpose()?;
    let (Some(chain), Some(ders)) = (chain, &ders) else {
        return Err(TdxError::PckMissing);
    };
    let Some((collateral, issuer)) = collateral else {
        return Err(without_collateral(&input.quote, &chain, &root, now));
    };
    let windows = issuer.check(&chain, &root, now)?;
    let pck = VerifiedPck::of(&input.quote, &chain, ders, (windows, collateral.lists()))?;
    input.quote.check_qe_report(&pck.key)?;
    input.judge(&collateral, &pck)
}

/// What can be told of a quote alone.
fn without_collateral(
    quote: &Quote<'_>,
    chain: &PckChain<'_>,
    root: &Certificate<'_>,
    now: UnixTime,
) -> TdxError {
    let verified = chain.verify(root, None, now);
    let certified = verified.and_then(|_| {
        let key = chain.key().ok_or(TdxError::PckFormat)?;
        quote.check_qe_report(&key)
    });
    certified
        .err()
        .unwrap_or_else(|| TdxError::CollateralMissing(Box::new(quote.td.clone())))
}

impl<'a> Input<'a> {
    pub(super) fn parse(evidence: &Evidence<'a>) -> Result<Self, TdxError> {
        let quote = Quote::parse(evidence.quote)?;
        let event_log = evidence.event_log.map(EventLog::parse).transpose();
        Ok(Self {
            quote,
            event_log: event_log.map_err(TdxError::EventLogFormat)?,
        })
    }

    /// The steps that need nothing but the evidence.
    pub(super) fn check_own(&self) -> Result<(), TdxError> {
        self.quote.check_padding()?;
        self.quote.check_signature()?;
        self.quote.check_key_binding()?;
        self.check_replay()
    }

    /// That the log gives the quote's RTMRs, all four.
    fn check_replay(&self) -> Result<(), TdxError> {
        let Some(log) = &self.event_log else {
            return Ok(());
        };
        let replayed = log.replay().map_err(TdxError::EventLogReplay)?;
        let mut pairs = replayed.iter().zip(&self.quote.td.rtmrs);
        match pairs.position(|(replayed, quoted)| replayed != quoted) {
            None => Ok(()),
            Some(register) => Err(TdxError::EventLog(register)),
        }
    }

    /// The steps that need both the quote, whose signatures hold, and all that was verified beside it.
    pub(super) fn judge(
        self,
        collateral: &VerifiedCollateral,
        pck: &VerifiedPck,
    ) -> Result<TdxClaims, TdxError> {
        let appraisal = Appraisal {
            tcb_info: &collateral.tcb_info,
            qe_identity: &collateral.qe_identity,
            platform: &pck.platform,
            td: &self.quote.td,
            qe_report: &self.quote.signature_data.qe_report,
        };
        let tcb = appraisal.judge()?;
        let window = collateral.window().meet(pck.window());
        Ok(TdxClaims {
            version: self.quote.version,
            user_data: self.quote.user_data,
            td: self.quote.td,
            platform: pck.platform.clone(),
            tcb,
            events: self.event_log.map(|log| log.events().to_vec()),
            collateral_issued: collateral.issued(),
            not_after: window.not_after,
        })
    }
}

/// The PCK chain that `quote` carries, as it stands there; `None` for a quote that only names a PCK.
pub(crate) fn chain_in_quote(quote: &[u8]) -> Result<Option<&[u8]>, TdxError> {
    let quote = Quote::parse(quote)?;
    Ok(match quote.signature_data.certification {
        Certification::Chain(pem) => Some(pem),
        Certification::Identifier => None,
    })
}

/// MRTD of the guest that `quote` is of, by the quote's own words.
pub(crate) fn mr_td_in_quote(quote: &[u8]) -> Result<[u8; 48], TdxError> {
    Quote::parse(quote).map(|quote| quote.td.mr_td)
}

/// The PCK chain of `quote`, DER: its own, or for a quote that only names a PCK the collateral's.
pub(super) fn pck_chain(
    quote: &Quote<'_>,
    in_collateral: Option<&Vec<Vec<u8>>>,
) -> Result<Option<Vec<Vec<u8>>>, TdxError> {
    match quote.signature_data.certification {
        Certification::Chain(pem) => {
            let chain = pem::certificates(pem).ok_or(TdxError::PckFormat)?;
            Ok(Some(chain))
        }
        Certification::Identifier => Ok(in_collateral.cloned()),
    }
}

/// The root that `roots` trust; bytes that are no certificate accept nothing.
pub(super) fn root(roots: &TdxRoots) -> Result<Certificate<'_>, TdxError> {
    Certificate::parse(&roots.root).ok_or(TdxError::Chain {
        chain: Chain::Pck,
        certificate: Role::Root,
        fault: Fault::Issuer,
    })
}
