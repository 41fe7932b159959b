//! What verified evidence of an Azure confidential VM says, and what it does not.

use super::VmConfiguration;
use crate::{Step, UnixTime, snp::SnpClaims, tdx::TdxClaims};

/// What must be known to read the claims of any such VM.
pub const STATEMENTS: [&str; 3] = [
    "The nonce rides the TPM quote. The hardware's report is made once per boot, over the paravisor's data, and has no nonce.",
    "The vTPM is the paravisor's: the AK, the PCRs and the configuration are as true as the paravisor that the launch measurement stands for.",
    "The PCRs are compared with nothing here: what they should be is for a policy to say.",
];

/// Claims of one VM: hardware, AK and quote verified together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureClaims {
    /// What the hardware vouches for.
    pub hardware: HardwareClaims,
    /// Version of the HCL report's header, 1 or 2.
    pub hcl_version: u32,
    /// What the paravisor says of the VM.
    pub vm_configuration: VmConfiguration,
    /// What the guest gave the paravisor to put beside it before the report was made.
    pub user_data: Option<[u8; 64]>,
    /// SHA-256 of the AK's `RSAPublicKey`, DER.
    pub attestation_key_sha256: [u8; 32],
    /// What the vTPM signed.
    pub quote: QuoteClaims,
    /// The nonce that the quote was asked to answer, and answered; `None`: none was given.
    pub nonce: Option<Vec<u8>>,
    /// Until when the hardware's endorsements hold.
    pub not_after: UnixTime,
}

/// Claims of the hardware.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HardwareClaims {
    /// Of the SNP report inside the HCL report, of VMPL 0.
    Snp(Box<SnpClaims>),
    /// Of the TD quote over the TDREPORT inside the HCL report. Its RTMRs are zero: what booted is in the vTPM's PCRs.
    Tdx(Box<TdxClaims>),
}

/// Claims of a TPM quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteClaims {
    /// extraData: the nonce, if the quote's maker was given one.
    pub extra_data: Vec<u8>,
    /// qualifiedSigner: algorithm and SHA-256 of the AK's place in its hierarchy.
    pub qualified_signer: [u8; 34],
    /// clock, in milliseconds of the TPM's life.
    pub clock_ms: u64,
    /// resetCount.
    pub reset_count: u32,
    /// restartCount.
    pub restart_count: u32,
    /// safe: no greater clock was ever told.
    pub safe: bool,
    /// firmwareVersion, vendor-defined.
    pub firmware_version: u64,
    /// Numbers of the quoted PCRs of the SHA-256 bank, ascending.
    pub selection: Vec<u8>,
    /// pcrDigest: SHA-256 of their values.
    pub pcr_digest: [u8; 32],
    /// Their values; `None`: none were given.
    pub pcrs: Option<Vec<Pcr>>,
}

/// A platform configuration register of the SHA-256 bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pcr {
    /// 0 to 23.
    pub index: u8,
    /// Its value.
    pub value: [u8; 32],
}

impl AzureClaims {
    /// What `step` found in evidence that passed all of them, for people; empty where the title says it all.
    #[must_use]
    pub fn detail(&self, step: &Step) -> String {
        match step.id {
            "azure.hcl.header" => format!("version {}", self.hcl_version),
            "azure.var_data" => format!("VM {:?}", self.vm_configuration.vm_unique_id),
            "azure.ak" => "RSA of 2048 bits".into(),
            "azure.quote.signature" => "RSASSA with SHA-256 by the AK".into(),
            "azure.quote.pcrs" => format!("{} PCRs", self.quote.selection.len()),
            _ => match &self.hardware {
                HardwareClaims::Snp(claims) => claims.detail(step),
                HardwareClaims::Tdx(claims) => claims.detail(step),
            },
        }
    }
}
