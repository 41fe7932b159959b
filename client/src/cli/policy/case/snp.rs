//! `[claims.snp]`: an SNP report as a case writes it.

use super::{claims::optional_time, hex_bytes::HexBytes};
use attestation::{
    UnixTime,
    snp::{Product, SigningKey, SnpClaims, TcbVersion},
};
use policy::snp::{GuestPolicyBit, PlatformInfoBit};
use serde::{Deserialize, Deserializer, de::Error};

/// POLICY: bit 17 is always set, bit 19 allows debugging.
const RESERVED_ONE: u64 = 1 << 17;
const DEBUG: u64 = 1 << 19;

/// The claims that rules look at; the rest is as a sound report has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnpForm {
    product: ProductForm,
    measurement: HexBytes<48>,
    reported_tcb: TcbForm,
    /// As `reported_tcb` if absent.
    current_tcb: Option<TcbForm>,
    committed_tcb: Option<TcbForm>,
    launch_tcb: Option<TcbForm>,
    /// Absent: masked by the host.
    chip_id: Option<HexBytes<64>>,
    #[serde(default = "version")]
    version: u32,
    #[serde(default)]
    vmpl: u32,
    #[serde(default)]
    signing_key: SigningKeyForm,
    csp_id: Option<String>,
    /// Flags of POLICY that are set.
    #[serde(default, deserialize_with = "guest_policy")]
    guest_policy: u64,
    #[serde(default)]
    debug: bool,
    /// Flags of PLATFORM_INFO that are set.
    #[serde(default, deserialize_with = "platform_info")]
    platform_info: u64,
    #[serde(default)]
    host_data: HexBytes<32>,
    #[serde(default)]
    id_key_digest: HexBytes<48>,
    #[serde(default)]
    author_key_digest: HexBytes<48>,
    #[serde(default)]
    family_id: HexBytes<16>,
    #[serde(default)]
    image_id: HexBytes<16>,
    #[serde(default)]
    guest_svn: u32,
    launch_mit_vector: Option<u64>,
    current_mit_vector: Option<u64>,
    /// `nextUpdate` of the revocation list that was given; absent: none was.
    #[serde(default, deserialize_with = "optional_time")]
    crl_next_update: Option<UnixTime>,
    /// Its `thisUpdate`.
    #[serde(default, deserialize_with = "optional_time")]
    crl_this_update: Option<UnixTime>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProductForm {
    Milan,
    Genoa,
    Turin,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SigningKeyForm {
    #[default]
    Vcek,
    Vlek,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct TcbForm {
    fmc: Option<u8>,
    bootloader: u8,
    tee: u8,
    snp: u8,
    microcode: u8,
}

const fn version() -> u32 {
    5
}

impl SnpForm {
    pub(super) fn claims(&self, not_after: UnixTime) -> SnpClaims {
        let debug = if self.debug { DEBUG } else { 0 };
        let tcb = |form: Option<TcbForm>| form.unwrap_or(self.reported_tcb).version();
        SnpClaims {
            version: self.version,
            product: self.product.product(),
            guest_policy: RESERVED_ONE | self.guest_policy | debug,
            debug: self.debug,
            vmpl: self.vmpl,
            platform_info: self.platform_info,
            signing_key: self.signing_key.key(),
            measurement: self.measurement.0,
            host_data: self.host_data.0,
            report_data: [0; 64],
            id_key_digest: self.id_key_digest.0,
            author_key_digest: self.author_key_digest.0,
            family_id: self.family_id.0,
            image_id: self.image_id.0,
            guest_svn: self.guest_svn,
            chip_id: self.chip_id.map(|id| id.0),
            reported_tcb: self.reported_tcb.version(),
            current_tcb: tcb(self.current_tcb),
            committed_tcb: tcb(self.committed_tcb),
            launch_tcb: tcb(self.launch_tcb),
            launch_mit_vector: self.launch_mit_vector,
            current_mit_vector: self.current_mit_vector,
            csp_id: self.csp_id.clone(),
            crl_next_update: self.crl_next_update,
            crl_this_update: self.crl_this_update,
            not_after,
        }
    }
}

impl ProductForm {
    const fn product(self) -> Product {
        match self {
            Self::Milan => Product::Milan,
            Self::Genoa => Product::Genoa,
            Self::Turin => Product::Turin,
        }
    }
}

impl SigningKeyForm {
    const fn key(self) -> SigningKey {
        match self {
            Self::Vcek => SigningKey::Vcek,
            Self::Vlek => SigningKey::Vlek,
        }
    }
}

impl TcbForm {
    const fn version(self) -> TcbVersion {
        TcbVersion {
            fmc: self.fmc,
            bootloader: self.bootloader,
            tee: self.tee,
            snp: self.snp,
            microcode: self.microcode,
        }
    }
}

fn guest_policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let known: Vec<_> = GuestPolicyBit::ALL
        .iter()
        .map(|bit| (bit.name(), bit.mask()))
        .collect();
    flags(&known, deserializer)
}

fn platform_info<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    use PlatformInfoBit as Bit;
    let bits = [
        Bit::SmtEn,
        Bit::TsmeEn,
        Bit::EccEn,
        Bit::RaplDis,
        Bit::CiphertextHidingDramEn,
        Bit::AliasCheckComplete,
        Bit::IommuWriteSafe,
        Bit::TioEn,
    ];
    let known = bits.map(|bit| (bit.name(), bit.mask()));
    flags(&known, deserializer)
}

/// The bits of a list of flags' names.
pub(super) fn flags<'de, D: Deserializer<'de>>(
    known: &[(&str, u64)],
    deserializer: D,
) -> Result<u64, D::Error> {
    let names: Vec<String> = Vec::deserialize(deserializer)?;
    let mut masks = names.iter().map(|name| {
        let found = known.iter().find(|(known, _)| known == name);
        found
            .map(|(_, mask)| *mask)
            .ok_or_else(|| D::Error::custom(format!("no flag {name:?}")))
    });
    masks.try_fold(0, |bits, mask| Ok(bits | mask?))
}
