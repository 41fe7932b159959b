//! What to fetch: derived from evidence, or named.

use super::ocsp::OcspNeed;
use attestation::{
    DeviceEvidence, UnixTime,
    nvidia::{self, NvidiaError},
    roots::NvidiaRoots,
    snp::{NamedVek, Product, SigningKey, SnpError, TcbVersion},
    tdx::{self, NamedPlatform, TdxError},
};
use std::collections::BTreeSet;

/// Longest id of a reference manifest.
const MAX_RIM_ID_CHARS: usize = 128;

/// What a verification of some evidence needs beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// From AMD.
    pub veks: Vec<VekNeed>,
    /// From Intel.
    pub tdx: BTreeSet<TdxNeed>,
    /// Ids of NVIDIA's reference manifests; the status of their signers is needed too.
    pub rims: BTreeSet<String>,
    /// From NVIDIA's OCSP responder.
    pub ocsp: BTreeSet<OcspNeed>,
}

/// The endorsements of one SNP report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VekNeed {
    /// Product line.
    pub product: Product,
    /// Which intermediate, and which revocation list.
    pub kind: SigningKey,
    /// HWID and TCB version of the VCEK; `None`: intermediate and list alone, which is all that AMD has for a VLEK.
    pub vcek: Option<(Vec<u8>, TcbVersion)>,
}

/// Intel's collateral of one platform family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TdxNeed {
    /// Family, model, stepping, platform type and custom SKU.
    pub fmspc: [u8; 6],
    /// Whose revocation list.
    pub ca: PckCa,
}

/// Who issued a PCK certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PckCa {
    /// Intel SGX PCK Platform CA.
    Platform,
    /// Intel SGX PCK Processor CA.
    Processor,
}

/// Why evidence does not tell what it needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NeedsError {
    /// The SNP report cannot be read.
    #[error(transparent)]
    Snp(#[from] SnpError),
    /// A report before version 3 does not say of which product it is.
    #[error("the SNP report does not say of which product it is: versions before 3 do not")]
    Product,
    /// CHIP_ID is masked.
    #[error("the SNP report masks its CHIP_ID: nobody can tell whose VCEK it needs")]
    MaskedChip,
    /// REPORTED_TCB is none of the product's.
    #[error("the SNP report's REPORTED_TCB is not one of a {0}")]
    Tcb(Product),
    /// The TDX quote cannot be read.
    #[error(transparent)]
    Tdx(#[from] TdxError),
    /// The quote brings no PCK certificate.
    #[error("the TDX quote brings no PCK certificate, so that its FMSPC is not known")]
    Platform,
    /// The device's evidence is not authentic.
    #[error(transparent)]
    Nvidia(#[from] NvidiaError),
    /// Not an id of a reference manifest.
    #[error(
        "{0:?} is no id of a reference manifest: letters, digits and \"._-\", at most {MAX_RIM_ID_CHARS}"
    )]
    RimId(String),
}

impl NeedsError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Snp(error) => error.code(),
            Self::Product => "collateral.needs.product",
            Self::MaskedChip => "collateral.needs.masked_chip",
            Self::Tcb(_) => "collateral.needs.tcb",
            Self::Tdx(error) => error.code(),
            Self::Platform => "collateral.needs.platform",
            Self::Nvidia(error) => error.code(),
            Self::RimId(_) => "collateral.needs.rim_id",
        }
    }
}

impl Needs {
    /// Of an SNP report. `product` is for reports before version 3, which do not tell it.
    pub fn of_snp_report(report: &[u8], product: Option<Product>) -> Result<Self, NeedsError> {
        let named = NamedVek::of_report(report)?;
        let product = named.product.or(product).ok_or(NeedsError::Product)?;
        let vcek = match named.kind {
            SigningKey::Vlek => None,
            SigningKey::Vcek => Some(vcek(&named, product)?),
        };
        let vek = VekNeed {
            product,
            kind: named.kind,
            vcek,
        };
        Ok(Self {
            veks: vec![vek],
            ..Self::default()
        })
    }

    /// Of a TDX quote that brings its PCK certificate.
    pub fn of_tdx_quote(quote: &[u8]) -> Result<Self, NeedsError> {
        let platform = NamedPlatform::of_quote(quote)?.ok_or(NeedsError::Platform)?;
        let ca = match platform.ca {
            tdx::PckCa::Platform => PckCa::Platform,
            tdx::PckCa::Processor => PckCa::Processor,
        };
        Ok(Self::of_fmspc(platform.fmspc, ca))
    }

    /// Of a platform family.
    #[must_use]
    pub fn of_fmspc(fmspc: [u8; 6], ca: PckCa) -> Self {
        Self {
            tdx: BTreeSet::from([TdxNeed { fmspc, ca }]),
            ..Self::default()
        }
    }

    /// Of an NVIDIA device, whose evidence must be authentic at `now`: manifests of its firmware, status of its certificates.
    pub fn of_nvidia_device(
        evidence: &DeviceEvidence,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<Self, NeedsError> {
        let chain: Vec<&[u8]> = evidence.chain.iter().map(Vec::as_slice).collect();
        let parts = nvidia::Evidence {
            report: &evidence.report,
            chain: &chain,
        };
        let authentic = nvidia::authenticate(&parts, None, roots, now)?;
        let device = authentic.device();
        let ids = device
            .driver_rim_name()
            .into_iter()
            .chain([device.vbios_rim_name()]);
        let mut needs = Self::default();
        for id in ids {
            needs = needs.and(Self::of_rim_id(&id)?);
        }
        // The attestation key's own certificate is made by the device: no responder knows it.
        let issued = evidence.chain.get(1..).unwrap_or_default();
        needs.ocsp.extend(OcspNeed::of_chain(issued));
        Ok(needs)
    }

    /// Of a reference manifest by its id, e.g. `NV_GPU_DRIVER_GH100_550.90.07`.
    pub fn of_rim_id(id: &str) -> Result<Self, NeedsError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_id = (1..=MAX_RIM_ID_CHARS).contains(&id.len()) && id.chars().all(is_plain);
        if !is_id || id.starts_with('.') {
            return Err(NeedsError::RimId(
                id.chars().take(MAX_RIM_ID_CHARS).collect(),
            ));
        }
        Ok(Self {
            rims: BTreeSet::from([id.to_owned()]),
            ..Self::default()
        })
    }

    /// Both, each once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for vek in other.veks {
            if !self.veks.contains(&vek) {
                self.veks.push(vek);
            }
        }
        self.tdx.extend(other.tdx);
        self.rims.extend(other.rims);
        self.ocsp.extend(other.ocsp);
        self
    }

    /// Whether nothing is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn vcek(named: &NamedVek, product: Product) -> Result<(Vec<u8>, TcbVersion), NeedsError> {
    let hwid = named.hwid(product).ok_or(NeedsError::MaskedChip)?;
    let tcb = named.tcb(product).ok_or(NeedsError::Tcb(product))?;
    Ok((hwid.to_vec(), tcb))
}
