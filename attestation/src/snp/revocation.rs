//! AMD's certificate revocation lists: one per root, naming the intermediates (and, were AMD to, the VEKs) that are not to be trusted.

use super::{Certificate as Role, SnpError, chain::Chain, vek::Vek};
use crate::{
    UnixTime, Window,
    roots::SnpRoots,
    x509::{Certificate, RevocationList},
};

/// The lists given, parsed.
pub(super) struct RevocationLists<'a>(Vec<RevocationList<'a>>);

/// More lists than roots exist for one product.
const MAX_LISTS: usize = 8;

/// Those of `crls` that are for the product of `vek`: its root's, and any that is malformed, so that it is told and not passed over.
pub(crate) fn lists_for<'a>(vek: &[u8], crls: &'a [Vec<u8>], roots: &SnpRoots) -> Vec<&'a [u8]> {
    let product = Vek::parse(vek).and_then(|vek| vek.product());
    let root = |product| Certificate::parse(&roots.anchor(product).ark);
    let Some(root) = product.ok().and_then(root) else {
        return Vec::new();
    };
    let is_own =
        |der: &&[u8]| RevocationList::parse(der).is_none_or(|list| list.issuer() == root.subject());
    crls.iter().map(Vec::as_slice).filter(is_own).collect()
}

impl<'a> RevocationLists<'a> {
    pub(super) fn parse(crls: &[&'a [u8]]) -> Result<Self, SnpError> {
        if crls.len() > MAX_LISTS {
            return Err(SnpError::CrlFormat);
        }
        let lists = crls.iter().map(|der| RevocationList::parse(der));
        lists
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(SnpError::CrlFormat)
    }

    /// That every list is the root's own, signed, current, and names nobody of the path. Answers when all are current; `None` if
    /// there is no list.
    pub(super) fn check(
        &self,
        chain: &Chain<'a>,
        vek: &Vek<'a>,
        now: UnixTime,
    ) -> Result<Option<Window>, SnpError> {
        let root = &chain.root;
        let is_own =
            |list: &RevocationList<'_>| list.issuer() == root.subject() && root.may_sign_lists();
        let is_current = |list: &RevocationList<'_>| list.window().contains(now);
        self.all(is_own, SnpError::CrlIssuer)?;
        self.all(|list| list.is_signed_by(root), SnpError::CrlSignature)?;
        self.all(is_current, SnpError::CrlWindow)?;
        self.check_serials(chain, vek)?;
        let windows = self.0.iter().map(RevocationList::window);
        Ok(windows.reduce(Window::meet))
    }

    fn all(
        &self,
        passes: impl Fn(&RevocationList<'a>) -> bool,
        error: SnpError,
    ) -> Result<(), SnpError> {
        self.0.iter().all(passes).then_some(()).ok_or(error)
    }

    fn check_serials(&self, chain: &Chain<'a>, vek: &Vek<'a>) -> Result<(), SnpError> {
        let is_revoked = |role: Role, serial: &[u8]| {
            let revoked = self.0.iter().any(|list| list.revokes(serial));
            revoked.then_some(SnpError::CrlRevoked(role))
        };
        let mut path = chain.path(vek).into_iter();
        let found = path.find_map(|(role, certificate)| is_revoked(role, certificate.serial()));
        found.map_or(Ok(()), Err)
    }
}
