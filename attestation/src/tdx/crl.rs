//! Revocation: the root's list of CAs and signers, and a PCK CA's list of PCK certificates.

use super::{TdxError, chain::Certificate as Role, pck::PckChain};
use crate::{
    UnixTime, Window,
    x509::{Certificate, RevocationList},
};

/// Both lists, parsed.
pub(super) struct Lists<'a> {
    root: RevocationList<'a>,
    pck: RevocationList<'a>,
}

/// Who signs the lists, verified.
pub(super) struct Issuers<'a> {
    pub(super) root: &'a Certificate<'a>,
    pub(super) pck_ca: &'a Certificate<'a>,
}

impl<'a> Lists<'a> {
    pub(super) fn parse(root: &'a [u8], pck: &'a [u8]) -> Result<Self, TdxError> {
        let list = |der, name| RevocationList::parse(der).ok_or(TdxError::CrlFormat(name));
        Ok(Self {
            root: list(root, "the root CA's")?,
            pck: list(pck, "the PCK CA's")?,
        })
    }

    /// That each is its issuer's own, signed and current; when both are.
    pub(super) fn check(&self, issuers: &Issuers<'_>, now: UnixTime) -> Result<Window, TdxError> {
        let both = [(&self.root, issuers.root), (&self.pck, issuers.pck_ca)];
        let all = |passes: fn(&RevocationList<'_>, &Certificate<'_>) -> bool, error| {
            let all = both.iter().all(|(list, issuer)| passes(list, issuer));
            all.then_some(()).ok_or(error)
        };
        all(
            |list, issuer| list.issuer() == issuer.subject() && issuer.may_sign_lists(),
            TdxError::CrlIssuer,
        )?;
        all(
            |list, issuer| list.is_signed_by(issuer),
            TdxError::CrlSignature,
        )?;
        let window = self.root.window().meet(self.pck.window());
        let is_current = window.contains(now);
        is_current.then_some(window).ok_or(TdxError::CrlWindow)
    }

    /// That the root does not revoke `certificate`.
    pub(super) fn check_below_root(
        &self,
        role: Role,
        certificate: &Certificate<'_>,
    ) -> Result<(), TdxError> {
        let is_revoked = self.root.revokes(certificate.serial());
        (!is_revoked)
            .then_some(())
            .ok_or(TdxError::Revocation(role))
    }

    /// That the list is that of the CA of `chain`, by name and key, and that neither of its certificates is revoked.
    pub(super) fn check_pck(
        &self,
        chain: &PckChain<'_>,
        list_issuer: &Certificate<'_>,
    ) -> Result<(), TdxError> {
        let is_same = chain.ca().subject() == list_issuer.subject()
            && chain.ca().public_key() == list_issuer.public_key();
        if !is_same {
            return Err(TdxError::PckList);
        }
        let revoked = if self.root.revokes(chain.ca().serial()) {
            Some(Role::PckCa)
        } else {
            let is_listed = self.pck.revokes(chain.certificate().serial());
            is_listed.then_some(Role::Pck)
        };
        revoked.map_or(Ok(()), |role| Err(TdxError::PckRevoked(role)))
    }
}
