//! The path VCEK -> ASK -> ARK or VLEK -> ASVK -> ARK (RFC 5280 section 6.1, for a path of this one shape).

use super::{Certificate as Role, Product, SigningKey, SnpError, vek::Vek};
use crate::{
    UnixTime, Window,
    roots::SnpAnchor,
    x509::{Algorithm, Certificate},
};

/// What the caller gave beside the VEK, parsed.
pub(super) struct Candidates<'a>(Vec<Certificate<'a>>);

/// The path above the VEK, found by names; [`Chain::verify`] decides.
pub(super) struct Chain<'a> {
    pub(super) intermediate: Certificate<'a>,
    pub(super) root: Certificate<'a>,
}

/// When each certificate of the path is valid, root first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dates([(Role, Window); 3]);

/// More than anybody gives: both intermediates and the root.
const MAX_CANDIDATES: usize = 4;

impl<'a> Candidates<'a> {
    pub(super) fn parse(chain: &[&'a [u8]]) -> Result<Self, SnpError> {
        if chain.len() > MAX_CANDIDATES {
            return Err(SnpError::ChainFormat);
        }
        let certificates = chain.iter().map(|der| Certificate::parse(der));
        certificates
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(SnpError::ChainFormat)
    }

    /// The one certificate that issued `vek` by name; those beside it are the anchor's own or an error. Without candidates, the built-in one.
    fn issuer_of(self, vek: &Vek<'_>, anchor: &'a SnpAnchor) -> Result<Certificate<'a>, SnpError> {
        if self.0.is_empty() {
            return parse_pinned(anchor.intermediate(vek.kind));
        }
        let is_issuer = |der: &Certificate<'_>| der.subject() == vek.certificate.issuer();
        let (mut issuers, others): (Vec<_>, Vec<_>) = self.0.into_iter().partition(is_issuer);
        let are_known = others.iter().all(|other| anchor.holds(other.der()));
        match (issuers.pop(), issuers.is_empty() && are_known) {
            (Some(issuer), true) => Ok(issuer),
            _ => Err(SnpError::ChainIssuer),
        }
    }
}

impl<'a> Chain<'a> {
    /// Finds the path by names: the VEK's issuer, of the right kind and product, under the anchor's root.
    pub(super) fn find(
        candidates: Candidates<'a>,
        vek: &Vek<'_>,
        product: Product,
        anchor: &'a SnpAnchor,
    ) -> Result<Self, SnpError> {
        let intermediate = candidates.issuer_of(vek, anchor)?;
        let root = parse_pinned(&anchor.ark)?;
        let expected_name = match vek.kind {
            SigningKey::Vcek => format!("SEV-{product}"),
            SigningKey::Vlek => format!("SEV-VLEK-{product}"),
        };
        let is_path = vek.certificate.issuer() == intermediate.subject()
            && intermediate.common_name() == Some(&expected_name)
            && intermediate.issuer() == root.subject();
        is_path
            .then_some(Self { intermediate, root })
            .ok_or(SnpError::ChainIssuer)
    }

    /// Constraints, algorithms, signatures and dates of all three certificates at `now`.
    pub(super) fn verify(&self, vek: &Vek<'_>, now: UnixTime) -> Result<(), SnpError> {
        self.check_constraints(vek)?;
        self.check_algorithms(vek)?;
        self.check_signatures(vek)?;
        self.dates(vek).check(now)
    }

    fn check_constraints(&self, vek: &Vek<'_>) -> Result<(), SnpError> {
        let no_others = |_| false;
        let checks = [
            (
                Role::Root,
                self.root.is_authority_over(1) && !self.root.has_unknown_critical(no_others),
            ),
            (
                Role::Intermediate,
                self.intermediate.is_authority_over(0)
                    && !self.intermediate.has_unknown_critical(no_others),
            ),
            (
                Role::Vek,
                vek.certificate.is_end_entity()
                    && !vek.certificate.has_unknown_critical(Vek::knows),
            ),
        ];
        first_failing(checks, SnpError::ChainConstraints)
    }

    fn check_algorithms(&self, vek: &Vek<'_>) -> Result<(), SnpError> {
        let checks = [
            (Role::Root, self.root.rsa_4096_key().is_some()),
            (
                Role::Intermediate,
                self.intermediate.rsa_4096_key().is_some() && is_pss(&self.intermediate),
            ),
            (
                Role::Vek,
                vek.certificate.p384_key().is_some() && is_pss(&vek.certificate),
            ),
        ];
        first_failing(checks, SnpError::ChainAlgorithm)
    }

    /// The root's signature over itself would say nothing: it is trusted byte by byte.
    fn check_signatures(&self, vek: &Vek<'_>) -> Result<(), SnpError> {
        let checks = [
            (
                Role::Intermediate,
                self.intermediate.is_signed_by(&self.root),
            ),
            (Role::Vek, vek.certificate.is_signed_by(&self.intermediate)),
        ];
        first_failing(checks, SnpError::ChainSignature)
    }

    /// When each of the three is valid.
    pub(super) fn dates(&self, vek: &Vek<'_>) -> Dates {
        let path = self.path(vek);
        Dates(path.map(|(role, certificate)| (role, certificate.window())))
    }

    /// The three certificates, root first.
    pub(super) fn path<'b>(&'b self, vek: &'b Vek<'a>) -> [(Role, &'b Certificate<'a>); 3] {
        [
            (Role::Root, &self.root),
            (Role::Intermediate, &self.intermediate),
            (Role::Vek, &vek.certificate),
        ]
    }
}

impl Dates {
    /// That all three are valid at `now`.
    pub(super) fn check(&self, now: UnixTime) -> Result<(), SnpError> {
        let begun = self.0.map(|(role, dates)| (role, dates.not_before <= now));
        first_failing(begun, SnpError::ChainNotYetValid)?;
        let lasting = self.0.map(|(role, dates)| (role, now <= dates.not_after));
        first_failing(lasting, SnpError::ChainExpired)
    }

    /// When all three are.
    pub(super) fn window(&self) -> Window {
        let windows = self.0.into_iter().map(|(_, dates)| dates);
        windows.fold(Window::ALWAYS, Window::meet)
    }
}

fn parse_pinned(der: &[u8]) -> Result<Certificate<'_>, SnpError> {
    Certificate::parse(der).ok_or(SnpError::ChainFormat)
}

fn is_pss(certificate: &Certificate<'_>) -> bool {
    certificate.algorithm() == Some(Algorithm::PssSha384)
}

fn first_failing<const N: usize>(
    checks: [(Role, bool); N],
    error: impl Fn(Role) -> SnpError,
) -> Result<(), SnpError> {
    match checks.into_iter().find(|(_, passed)| !passed) {
        None => Ok(()),
        Some((role, _)) => Err(error(role)),
    }
}
