//! The variable data (`runtime claims`): JSON with the vTPM's public keys, the VM's configuration and the guest's own data.

use super::{AzureError, attestation_key::AttestationKey};
use serde::Deserialize;

const AK: &str = "HCLAkPub";
const EK: &str = "HCLEkPub";

/// What the paravisor says of the VM. Claims that this build does not know are left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct VmConfiguration {
    /// Whether UEFI secure boot is on.
    #[serde(rename = "secure-boot")]
    pub secure_boot: bool,
    /// Whether there is a vTPM.
    #[serde(rename = "tpm-enabled")]
    pub tpm_enabled: bool,
    /// Whether the vTPM's state outlives the VM; `None` from old paravisors.
    #[serde(rename = "tpm-persisted")]
    pub tpm_persisted: Option<bool>,
    /// Whether the VM has a console.
    #[serde(rename = "console-enabled")]
    pub console_enabled: bool,
    /// Seconds since 1970 when the report was made, by the host's clock; `None` from all but old paravisors.
    #[serde(rename = "current-time")]
    pub current_time: Option<u64>,
    /// Thumbprint of the certificate that the VM's state was prepared with.
    #[serde(rename = "root-cert-thumbprint")]
    pub root_cert_thumbprint: Option<String>,
    /// Azure's id of the VM.
    #[serde(rename = "vmUniqueId")]
    pub vm_unique_id: String,
}

/// The whole document.
pub(super) struct VarData {
    pub(super) attestation_key: AttestationKey,
    pub(super) configuration: VmConfiguration,
    /// What the guest wrote to NV index 01400002h before the report was made.
    pub(super) user_data: Option<[u8; 64]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keys: Vec<Jwk>,
    #[serde(rename = "vm-configuration")]
    vm_configuration: VmConfiguration,
    #[serde(rename = "user-data")]
    user_data: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kid: String,
    kty: String,
    key_ops: Vec<String>,
    n: String,
    e: String,
}

impl VarData {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, AzureError> {
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|_| AzureError::VarData("not JSON with keys and vm-configuration"))?;
        let user_data = document.user_data.as_deref().map(user_data).transpose()?;
        let attestation_key = attestation_key(&document.keys)?;
        Ok(Self {
            attestation_key,
            configuration: document.vm_configuration,
            user_data,
        })
    }
}

/// 64 bytes in hexadecimal.
fn user_data(text: &str) -> Result<[u8; 64], AzureError> {
    const MALFORMED: AzureError = AzureError::VarData("user-data that is not 64 bytes");
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    let bytes = bytes.filter(|_| rest.is_empty()).ok_or(MALFORMED)?;
    bytes.try_into().map_err(|_| MALFORMED)
}

/// The one key that is the AK; beside it at most the endorsement key.
fn attestation_key(keys: &[Jwk]) -> Result<AttestationKey, AzureError> {
    let kids: Vec<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
    if !matches!(kids[..], [AK] | [AK, EK] | [EK, AK]) {
        return Err(AzureError::AttestationKey("not one AK, or other keys"));
    }
    let Some(ak) = keys.iter().find(|key| key.kid == AK) else {
        return Err(AzureError::AttestationKey("no AK"));
    };
    // Paravisors of early 2023 call their signing key one for encryption.
    let ops: Vec<&str> = ak.key_ops.iter().map(String::as_str).collect();
    if ak.kty != "RSA" || !matches!(ops[..], ["sign"] | ["encrypt"]) {
        return Err(AzureError::AttestationKey("no RSA key for signing"));
    }
    AttestationKey::from_jwk(&ak.n, &ak.e).map_err(AzureError::AttestationKey)
}
