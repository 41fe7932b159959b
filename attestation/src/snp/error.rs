//! Why SNP evidence was refused: one variant per step, in the order of the steps.

use super::{Product, STEPS, SigningKey};
use crate::{ErrorClass, Step};

/// Which certificate of the path a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The VCEK or VLEK.
    Vek,
    /// The ASK or ASVK.
    Intermediate,
    /// The ARK.
    Root,
}

impl std::fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Vek => "VCEK or VLEK",
            Self::Intermediate => "ASK or ASVK",
            Self::Root => "ARK",
        })
    }
}

/// The step that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnpError {
    /// Another length than 1184 bytes.
    #[error("the report has {0} bytes; every SNP report has 1184")]
    ReportSize(usize),
    /// VERSION is not 2 to 5.
    #[error("report version {0} is not known; this build knows 2 to 5")]
    ReportVersion(u32),
    /// A reserved byte is not zero.
    #[error("the report's reserved byte at {offset:#x} is not zero")]
    ReportReserved {
        /// Offset of the first such byte.
        offset: usize,
    },
    /// POLICY has a reserved bit set, or bit 17 clear.
    #[error("the guest policy {0:#x} uses reserved bits")]
    ReportPolicy(u64),
    /// PLATFORM_INFO has a bit above 7 set.
    #[error("the platform info {0:#x} uses reserved bits")]
    ReportPlatformInfo(u64),
    /// A field has a value outside its range.
    #[error("the report's {field} is {value:#x}, which is not defined")]
    ReportField {
        /// The specification's name.
        field: &'static str,
        /// Its value.
        value: u32,
    },
    /// The VCEK or VLEK is no X.509 certificate.
    #[error("the VCEK or VLEK is not a DER certificate")]
    VekFormat,
    /// An extension of AMD's is absent or malformed, or the common name is neither SEV-VCEK nor SEV-VLEK.
    #[error("the VCEK or VLEK has no well-formed {0}")]
    VekExtension(&'static str),
    /// A certificate of the chain is no X.509 certificate.
    #[error("a certificate of the chain is not a DER certificate")]
    ChainFormat,
    /// A CRL is none.
    #[error("a CRL is malformed, has no nextUpdate or has an unknown critical extension")]
    CrlFormat,
    /// CPUID_FAM_ID and CPUID_MOD_ID name no product that this build knows.
    #[error("the report is of a processor that is not known: family {family:#x}, model {model:#x}")]
    ReportProduct {
        /// CPUID_FAM_ID.
        family: u8,
        /// CPUID_MOD_ID.
        model: u8,
    },
    /// The VEK's productName is not known.
    #[error("the VCEK or VLEK is of a product that is not known")]
    VekProduct,
    /// The report's CPUID fields and the VEK name different products.
    #[error("the report is of a {report}, the certificate of a {vek}")]
    Product {
        /// From the report.
        report: Product,
        /// From the certificate.
        vek: Product,
    },
    /// SIGNING_KEY names another kind of key than the certificate.
    #[error("the report says it is signed by a {report}, the certificate is a {vek}")]
    SigningKey {
        /// From the report.
        report: SigningKey,
        /// From the certificate.
        vek: SigningKey,
    },
    /// No path by names from the VEK to the product's ARK, or a certificate beside it that is not AMD's own.
    #[error("the chain does not lead from the VCEK or VLEK to AMD's root for this product")]
    ChainIssuer,
    /// Basic constraints, key usage or an unknown critical extension forbid the certificate's place in the path.
    #[error("the {0} may not stand where it does in the chain")]
    ChainConstraints(Certificate),
    /// Another algorithm than RSASSA-PSS with SHA-384 by RSA-4096 keys, or a VEK that is not P-384.
    #[error("the {0} uses an algorithm that AMD does not use")]
    ChainAlgorithm(Certificate),
    /// The issuer did not sign it.
    #[error("the signature on the {0} is wrong")]
    ChainSignature(Certificate),
    /// Not valid yet at the caller's time.
    #[error("the {0} is not valid yet")]
    ChainNotYetValid(Certificate),
    /// Not valid any more at the caller's time.
    #[error("the {0} has expired")]
    ChainExpired(Certificate),
    /// A CRL of another issuer than this product's ARK.
    #[error("a CRL is not one of this product's root")]
    CrlIssuer,
    /// The ARK did not sign the CRL.
    #[error("the signature on a CRL is wrong")]
    CrlSignature,
    /// The caller's time is before thisUpdate or after nextUpdate.
    #[error("a CRL is not current: fetch a newer one")]
    CrlWindow,
    /// A certificate of the path is on a CRL.
    #[error("the {0} is revoked")]
    CrlRevoked(Certificate),
    /// A VCEK's HWID extension is not the report's CHIP_ID.
    #[error("the VCEK is for another chip than the report")]
    VekHwid,
    /// The VEK's TCB extensions are not the report's REPORTED_TCB.
    #[error("the VCEK or VLEK is for another TCB version than REPORTED_TCB")]
    VekTcb,
    /// The VEK did not sign the report.
    #[error("the signature on the report is wrong")]
    Signature,
    /// A TCB version of the signed report uses bytes that the product reserves.
    #[error("the report's {0} uses reserved bytes")]
    ReportTcb(&'static str),
}

impl SnpError {
    /// Stable code, the id of the step.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ReportSize(_) => "snp.report.size",
            Self::ReportVersion(_) => "snp.report.version",
            Self::ReportReserved { .. } => "snp.report.reserved",
            Self::ReportPolicy(_) => "snp.report.policy",
            Self::ReportPlatformInfo(_) => "snp.report.platform_info",
            Self::ReportField { .. } => "snp.report.fields",
            Self::VekFormat => "snp.vek.format",
            Self::VekExtension(_) => "snp.vek.extensions",
            Self::ChainFormat => "snp.chain.format",
            Self::CrlFormat => "snp.crl.format",
            Self::ReportProduct { .. } => "snp.report.product",
            Self::VekProduct => "snp.vek.product",
            Self::Product { .. } => "snp.product",
            Self::SigningKey { .. } => "snp.signing_key",
            Self::ChainIssuer => "snp.chain.issuer",
            Self::ChainConstraints(_) => "snp.chain.constraints",
            Self::ChainAlgorithm(_) => "snp.chain.algorithm",
            Self::ChainSignature(_) => "snp.chain.signature",
            Self::ChainNotYetValid(_) => "snp.chain.not_yet_valid",
            Self::ChainExpired(_) => "snp.chain.expired",
            Self::CrlIssuer => "snp.crl.issuer",
            Self::CrlSignature => "snp.crl.signature",
            Self::CrlWindow => "snp.crl.window",
            Self::CrlRevoked(_) => "snp.crl.revoked",
            Self::VekHwid => "snp.vek.hwid",
            Self::VekTcb => "snp.vek.tcb",
            Self::Signature => "snp.signature",
            Self::ReportTcb(_) => "snp.report.tcb",
        }
    }

    /// The step that failed; those before it passed, those after it were not tried.
    #[must_use]
    pub fn step(&self) -> Option<&'static Step> {
        STEPS.iter().find(|step| step.id == self.code())
    }

    /// What the refusal says of the input.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::ReportSize(_)
            | Self::ReportVersion(_)
            | Self::ReportReserved { .. }
            | Self::ReportPolicy(_)
            | Self::ReportPlatformInfo(_)
            | Self::ReportField { .. }
            | Self::VekFormat
            | Self::VekExtension(_)
            | Self::ChainFormat
            | Self::CrlFormat
            | Self::ReportTcb(_) => ErrorClass::Malformed,
            Self::ReportProduct { .. } | Self::VekProduct => ErrorClass::Unsupported,
            _ => ErrorClass::Rejected,
        }
    }

    /// Whether the same report may pass with fresher certificates or CRLs.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(
            self,
            Self::ChainNotYetValid(_) | Self::ChainExpired(_) | Self::CrlWindow
        )
    }
}
