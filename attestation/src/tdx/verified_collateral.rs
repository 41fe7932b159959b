//! Collateral that was verified once, kept with its window.

use super::{
    Chain, Collateral, Fault, TdxError,
    chain::{Certificate as Role, IssuerChain},
    crl::{Issuers, Lists},
    pck::{KnownCa, PckChain},
    qe_identity::QeIdentity,
    tcb_info::TcbInfo,
    verify,
    windows::Windows,
};
use crate::{
    Digest, UnixTime, Window, crypto, hash,
    roots::TdxRoots,
    x509::{Certificate, PublicKey},
};

/// Collateral whose signatures, chains and lists hold.
///
/// Cold, a verdict costs nine P-256 signatures. With this and [`super::VerifiedPck`] it costs two, with [`super::VerifiedQe`] one.
/// Verified means: under the root that was given, at the time that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCollateral {
    pub(super) tcb_info: TcbInfo,
    pub(super) qe_identity: QeIdentity,
    root: Vec<u8>,
    root_ca_crl: Vec<u8>,
    pck_crl: Vec<u8>,
    pck_ca: Vec<u8>,
    pck_ca_window: Window,
    pck_certificate_chain: Option<Vec<Vec<u8>>>,
    /// Names root and lists.
    lists: Digest,
    windows: Windows,
}

/// Collateral, parsed; nothing in it is authentic yet.
pub(super) struct Parts<'a> {
    collateral: &'a Collateral,
    tcb_info: TcbInfo,
    tcb_info_chain: IssuerChain<'a>,
    qe_identity: QeIdentity,
    /// `None`: the TCB info's, for Intel signs both documents with one certificate.
    qe_identity_chain: Option<IssuerChain<'a>>,
    lists: Lists<'a>,
    pck_crl_chain: IssuerChain<'a>,
}

/// Who issues PCKs, and who is revoked; both verified.
pub(super) struct PckIssuer<'a> {
    ca: Certificate<'a>,
    ca_window: Window,
    lists: Lists<'a>,
}

impl<'a> Parts<'a> {
    pub(super) fn parse(collateral: &'a Collateral) -> Result<Self, TdxError> {
        let chain = |ders: &'a [Vec<u8>], field: &str| {
            let wrong = || TdxError::CollateralFormat(format!("{field} is not two certificates"));
            IssuerChain::parse(ders).ok_or_else(wrong)
        };
        let has_one_signer =
            collateral.qe_identity_issuer_chain == collateral.tcb_info_issuer_chain;
        let qe_identity_chain = || {
            let ders = &collateral.qe_identity_issuer_chain;
            chain(ders, "qe_identity_issuer_chain")
        };
        Ok(Self {
            collateral,
            tcb_info_chain: chain(&collateral.tcb_info_issuer_chain, "tcb_info_issuer_chain")?,
            qe_identity_chain: (!has_one_signer).then(qe_identity_chain).transpose()?,
            pck_crl_chain: chain(&collateral.pck_crl_issuer_chain, "pck_crl_issuer_chain")?,
            tcb_info: TcbInfo::parse(&collateral.tcb_info)?,
            qe_identity: QeIdentity::parse(&collateral.qe_identity)?,
            lists: Lists::parse(&collateral.root_ca_crl, &collateral.pck_crl)?,
        })
    }

    pub(super) fn verify(
        self,
        root: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<(VerifiedCollateral, PckIssuer<'a>), TdxError> {
        let mut windows = Windows::default();
        self.check_tcb_info(root, now, &mut windows)?;
        self.check_qe_identity(root, now, &mut windows)?;
        let pck_ca_window = self.check_lists(root, now, &mut windows)?;
        let verified = VerifiedCollateral {
            lists: self.lists_digest(root),
            tcb_info: self.tcb_info,
            qe_identity: self.qe_identity,
            root: root.der().to_vec(),
            root_ca_crl: self.collateral.root_ca_crl.clone(),
            pck_crl: self.collateral.pck_crl.clone(),
            pck_ca: self.pck_crl_chain.certificate.der().to_vec(),
            pck_ca_window,
            pck_certificate_chain: self.collateral.pck_certificate_chain.clone(),
            windows,
        };
        let issuer = PckIssuer {
            ca: self.pck_crl_chain.certificate,
            ca_window: pck_ca_window,
            lists: self.lists,
        };
        Ok((verified, issuer))
    }

    fn lists_digest(&self, root: &Certificate<'_>) -> Digest {
        let Collateral {
            root_ca_crl,
            pck_crl,
            ..
        } = self.collateral;
        let pck_ca = self.pck_crl_chain.certificate.der();
        hash::sha256_fields(
            "narthex/1/tdx-lists",
            &[root.der(), root_ca_crl, pck_crl, pck_ca],
        )
    }

    fn check_tcb_info(
        &self,
        root: &Certificate<'_>,
        now: UnixTime,
        windows: &mut Windows,
    ) -> Result<(), TdxError> {
        let chain = &self.tcb_info_chain;
        let window = chain.verify_signer(Chain::TcbInfo, root, now)?;
        windows.push(window, dates(Chain::TcbInfo, Role::TcbSigning));
        let signature = &self.collateral.tcb_info_signature;
        let is_signed = signs(&chain.certificate, &self.collateral.tcb_info, signature);
        is_signed.then_some(()).ok_or(TdxError::TcbInfoSignature)?;
        windows.push(self.tcb_info.window(), TdxError::TcbInfoWindow);
        windows.check(now)
    }

    fn qe_identity_chain(&self) -> &IssuerChain<'a> {
        self.qe_identity_chain
            .as_ref()
            .unwrap_or(&self.tcb_info_chain)
    }

    /// The chain that [`Self::check_tcb_info`] has verified is not verified again.
    fn check_qe_identity(
        &self,
        root: &Certificate<'_>,
        now: UnixTime,
        windows: &mut Windows,
    ) -> Result<(), TdxError> {
        if let Some(chain) = &self.qe_identity_chain {
            let window = chain.verify_signer(Chain::QeIdentity, root, now)?;
            windows.push(window, dates(Chain::QeIdentity, Role::TcbSigning));
        }
        let signature = &self.collateral.qe_identity_signature;
        let signer = &self.qe_identity_chain().certificate;
        let is_signed = signs(signer, &self.collateral.qe_identity, signature);
        is_signed
            .then_some(())
            .ok_or(TdxError::QeIdentitySignature)?;
        windows.push(self.qe_identity.window(), TdxError::QeIdentityWindow);
        windows.check(now)
    }

    /// Answers when the PCK CA is valid.
    fn check_lists(
        &self,
        root: &Certificate<'_>,
        now: UnixTime,
        windows: &mut Windows,
    ) -> Result<Window, TdxError> {
        let pck_ca = &self.pck_crl_chain.certificate;
        let pck_ca_window = self.pck_crl_chain.verify_pck_ca(root, now)?;
        windows.push(pck_ca_window, dates(Chain::PckCrl, Role::PckCa));
        let lists = self.lists.check(&Issuers { root, pck_ca }, now)?;
        windows.push(lists, TdxError::CrlWindow);
        for (role, certificate) in [
            (Role::TcbSigning, &self.tcb_info_chain.certificate),
            (Role::TcbSigning, &self.qe_identity_chain().certificate),
            (Role::PckCa, pck_ca),
        ] {
            self.lists.check_below_root(role, certificate)?;
        }
        Ok(pck_ca_window)
    }
}

impl VerifiedCollateral {
    /// Verifies `collateral` at `now`, as [`super::verify`] does.
    pub fn verify(
        collateral: &Collateral,
        roots: &TdxRoots,
        now: UnixTime,
    ) -> Result<Self, TdxError> {
        let parts = Parts::parse(collateral)?;
        let (verified, _) = parts.verify(&verify::root(roots)?, now)?;
        Ok(verified)
    }

    /// issueDate of TCB info or of the QE identity, whichever is older.
    pub(super) fn issued(&self) -> UnixTime {
        let qe_identity = self.qe_identity.window().not_before;
        self.tcb_info.window().not_before.min(qe_identity)
    }

    /// When documents, chains and lists all hold; outside of it every quote is refused.
    #[must_use]
    pub fn window(&self) -> Window {
        self.windows.meet()
    }

    /// The platform family that it is about.
    #[must_use]
    pub const fn fmspc(&self) -> [u8; 6] {
        self.tcb_info.fmspc.0
    }

    pub(super) fn check_window(&self, now: UnixTime) -> Result<(), TdxError> {
        self.windows.check(now)
    }

    /// Names root and lists.
    pub(super) const fn lists(&self) -> Digest {
        self.lists
    }

    /// The PCK chain that the collateral brings for quotes that carry none.
    pub(super) fn pck_certificate_chain(&self) -> Option<&Vec<Vec<u8>>> {
        self.pck_certificate_chain.as_ref()
    }

    /// That `chain` holds at `now` and is not revoked by these lists; when both hold.
    pub(super) fn check_pck(
        &self,
        chain: &PckChain<'_>,
        now: UnixTime,
    ) -> Result<Windows, TdxError> {
        let known = |der| Certificate::parse(der).ok_or(TdxError::PckFormat);
        let issuer = PckIssuer {
            ca: known(&self.pck_ca)?,
            ca_window: self.pck_ca_window,
            lists: Lists::parse(&self.root_ca_crl, &self.pck_crl)?,
        };
        issuer.check(chain, &known(&self.root)?, now)
    }
}

impl PckIssuer<'_> {
    /// That `chain` leads to `root` at `now` and is not revoked; when both hold.
    pub(super) fn check(
        &self,
        chain: &PckChain<'_>,
        root: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<Windows, TdxError> {
        let known_ca = KnownCa {
            certificate: &self.ca,
            window: self.ca_window,
        };
        let mut windows = Windows::default();
        let window = chain.verify(root, Some(&known_ca), now)?;
        windows.push(window, dates(Chain::Pck, Role::Pck));
        self.lists.check_pck(chain, &self.ca)?;
        Ok(windows)
    }
}

fn signs(certificate: &Certificate<'_>, message: &[u8], signature: &[u8]) -> bool {
    let (Some(PublicKey::P256(key)), Ok(signature)) =
        (certificate.public_key(), signature.try_into())
    else {
        return false;
    };
    crypto::ecdsa_p256_sha256_verify(key, message, signature)
}

const fn dates(chain: Chain, certificate: Role) -> TdxError {
    TdxError::Chain {
        chain,
        certificate,
        fault: Fault::Dates,
    }
}
