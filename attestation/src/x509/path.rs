//! Validation of one given path (RFC 5280 section 6.1), for paths whose certificates all use the same algorithm.

use super::{Certificate, signed::Algorithm};
use crate::{UnixTime, Window};
use der::asn1::ObjectIdentifier;

/// What a vendor's paths have in common.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// What every certificate is signed with, and, by the key of the leaf, what the leaf signs.
    pub(crate) algorithm: Algorithm,
    /// Critical extensions that the vendor's verifier reads itself, beside basic constraints and key usage.
    pub(crate) known_critical: fn(ObjectIdentifier) -> bool,
}

/// What is wrong with a path, in the order of the checks; the index counts from the leaf, which is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathFault {
    /// Its issuer is not the subject of the next one.
    Issuer(usize),
    /// It may not stand where it does: a CA as a leaf, a leaf as a CA, a path too long, an unknown critical extension.
    Constraints(usize),
    /// Signed with another algorithm, or a key of another kind.
    Algorithm(usize),
    /// Not signed by the next one.
    Signature(usize),
    /// Not valid yet.
    NotYetValid(usize),
    /// Not valid any more.
    Expired(usize),
}

/// Validates `path`, leaf first, up to but without `anchor`, at `now`; answers when all of it, the anchor included, is valid.
///
/// The anchor is trusted byte by byte: its own signature says nothing. An empty path is refused.
pub(crate) fn validate(
    path: &[Certificate<'_>],
    anchor: &Certificate<'_>,
    rules: &Rules,
    now: UnixTime,
) -> Result<Window, PathFault> {
    if path.is_empty() {
        return Err(PathFault::Issuer(0));
    }
    let issuers = || path.iter().skip(1).chain(std::iter::once(anchor));
    let pairs = || path.iter().zip(issuers());
    let all = || path.iter().chain(std::iter::once(anchor));
    first_failing(
        pairs().map(|(one, issuer)| one.issuer() == issuer.subject()),
        PathFault::Issuer,
    )?;
    first_failing(
        all()
            .enumerate()
            .map(|(index, one)| may_stand(one, index, rules)),
        PathFault::Constraints,
    )?;
    first_failing(
        pairs().map(|(one, _)| one.algorithm() == Some(rules.algorithm) && has_key(one, rules)),
        PathFault::Algorithm,
    )?;
    first_failing(
        pairs().map(|(one, issuer)| one.is_signed_by(issuer)),
        PathFault::Signature,
    )?;
    first_failing(
        all().map(|one| one.not_before() <= now),
        PathFault::NotYetValid,
    )?;
    first_failing(all().map(|one| now <= one.not_after()), PathFault::Expired)?;
    Ok(all()
        .map(Certificate::window)
        .fold(Window::ALWAYS, Window::meet))
}

fn may_stand(one: &Certificate<'_>, index: usize, rules: &Rules) -> bool {
    let fits = match index.checked_sub(1) {
        None => one.is_end_entity(),
        Some(below) => u8::try_from(below).is_ok_and(|below| one.is_authority_over(below)),
    };
    fits && !one.has_unknown_critical(rules.known_critical)
}

fn has_key(one: &Certificate<'_>, rules: &Rules) -> bool {
    one.public_key()
        .is_some_and(|key| rules.algorithm.is_of(&key))
}

fn first_failing(
    checks: impl Iterator<Item = bool>,
    fault: impl Fn(usize) -> PathFault,
) -> Result<(), PathFault> {
    let failed = checks.enumerate().find(|(_, passed)| !passed);
    failed.map_or(Ok(()), |(index, _)| Err(fault(index)))
}
