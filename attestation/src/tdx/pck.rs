//! A platform's provisioning certification key (PCK): its certificate, its chain, and what they say of the platform.

use super::{
    Chain, Fault, TdxError,
    chain::{self, Certificate as Role, PCK_CAS},
    claims::{PckCa, PlatformClaims},
    sgx_extension::{SGX_EXTENSIONS, SgxExtension},
};
use crate::{
    UnixTime, Window,
    x509::{Certificate, PublicKey},
};

/// PCK certificate, PCK CA and root, parsed; nothing in them is authentic yet.
pub(super) struct PckChain<'a> {
    /// PCK certificate and PCK CA.
    path: [Certificate<'a>; 2],
    root: &'a [u8],
    sgx: SgxExtension,
}

/// A PCK CA that a revocation list speaks for, verified already.
pub(super) struct KnownCa<'a> {
    pub(super) certificate: &'a Certificate<'a>,
    pub(super) window: Window,
}

impl<'a> PckChain<'a> {
    /// Exactly three certificates, the first with Intel's SGX extensions.
    pub(super) fn parse(ders: &'a [Vec<u8>]) -> Result<Self, TdxError> {
        let [pck, ca, root] = ders else {
            return Err(TdxError::PckFormat);
        };
        let certificate = Certificate::parse(pck).ok_or(TdxError::PckFormat)?;
        let extension = certificate.extension(SGX_EXTENSIONS);
        let extension =
            extension.ok_or(TdxError::PckExtension("extension 1.2.840.113741.1.13.1"))?;
        let sgx = SgxExtension::parse(extension).map_err(TdxError::PckExtension)?;
        Ok(Self {
            path: [
                certificate,
                Certificate::parse(ca).ok_or(TdxError::PckFormat)?,
            ],
            root,
            sgx,
        })
    }

    /// That the chain leads to `root` at `now`; when all of it is valid. A CA that is `known` byte by byte is not verified twice.
    pub(super) fn verify(
        &self,
        root: &Certificate<'_>,
        known: Option<&KnownCa<'_>>,
        now: UnixTime,
    ) -> Result<Window, TdxError> {
        if self.root != root.der() {
            return Err(TdxError::Chain {
                chain: Chain::Pck,
                certificate: Role::Root,
                fault: Fault::Issuer,
            });
        }
        match known.filter(|known| known.certificate.der() == self.ca().der()) {
            Some(ca) => {
                let path = std::slice::from_ref(self.certificate());
                let window = chain::verify_pck(path, ca.certificate, now)?;
                Ok(window.meet(ca.window))
            }
            None => chain::verify_pck(&self.path, root, now),
        }
    }

    pub(super) const fn certificate(&self) -> &Certificate<'a> {
        let [certificate, _] = &self.path;
        certificate
    }

    pub(super) const fn ca(&self) -> &Certificate<'a> {
        let [_, ca] = &self.path;
        ca
    }

    /// The key, an uncompressed point.
    pub(super) fn key(&self) -> Option<[u8; 65]> {
        match self.certificate().public_key()? {
            PublicKey::P256(point) => point.try_into().ok(),
            _ => None,
        }
    }

    pub(super) fn platform(&self) -> PlatformClaims {
        let [platform, _] = PCK_CAS;
        let configuration = self.sgx.configuration.unwrap_or_default();
        PlatformClaims {
            ca: if self.ca().common_name() == Some(platform) {
                PckCa::Platform
            } else {
                PckCa::Processor
            },
            ppid: self.sgx.ppid,
            platform_instance_id: self.sgx.platform_instance_id,
            fmspc: self.sgx.fmspc,
            pce_id: self.sgx.pce_id,
            components: self.sgx.components,
            cpu_svn: self.sgx.cpu_svn,
            pce_svn: self.sgx.pce_svn,
            sgx_type: self.sgx.sgx_type,
            dynamic_platform: configuration.dynamic_platform,
            cached_keys: configuration.cached_keys,
            smt_enabled: configuration.smt_enabled,
        }
    }
}
