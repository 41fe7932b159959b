//! A SEV-SNP attestation report (AMD 56860 table 23), byte-exact, every field settable. Integers are little-endian.

use attestation::snp::{Product, SigningKey, TcbVersion};

/// Bytes of a report.
pub const REPORT_BYTES: usize = 1184;

/// The signed part ends here; R and S follow, 72 bytes each, little-endian.
pub(crate) const SIGNED_BYTES: usize = 0x2A0;

/// The fields of a report; what is not named is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Decides the layout of TCB versions; not itself a field.
    pub product: Product,
    /// VERSION, 2 to 5. CPUID fields are written from 3, mitigation vectors from 5.
    pub version: u32,
    /// GUEST_SVN.
    pub guest_svn: u32,
    /// POLICY (table 10).
    pub policy: u64,
    /// FAMILY_ID.
    pub family_id: [u8; 16],
    /// IMAGE_ID.
    pub image_id: [u8; 16],
    /// VMPL.
    pub vmpl: u32,
    /// SIGNATURE_ALGO: 1 is ECDSA P-384 with SHA-384.
    pub signature_algo: u32,
    /// CURRENT_TCB.
    pub current_tcb: TcbVersion,
    /// PLATFORM_INFO.
    pub platform_info: u64,
    /// AUTHOR_KEY_EN, MASK_CHIP_KEY, SIGNING_KEY.
    pub key_info: KeyInfo,
    /// REPORT_DATA.
    pub report_data: [u8; 64],
    /// MEASUREMENT.
    pub measurement: [u8; 48],
    /// HOST_DATA.
    pub host_data: [u8; 32],
    /// ID_KEY_DIGEST.
    pub id_key_digest: [u8; 48],
    /// AUTHOR_KEY_DIGEST.
    pub author_key_digest: [u8; 48],
    /// REPORT_ID.
    pub report_id: [u8; 32],
    /// REPORT_ID_MA; all ones: no migration agent.
    pub report_id_ma: [u8; 32],
    /// REPORTED_TCB.
    pub reported_tcb: TcbVersion,
    /// CPUID_FAM_ID, CPUID_MOD_ID, CPUID_STEP.
    pub cpuid: Cpuid,
    /// CHIP_ID; on Turin eight bytes and zeros.
    pub chip_id: [u8; 64],
    /// COMMITTED_TCB.
    pub committed_tcb: TcbVersion,
    /// CURRENT_BUILD, CURRENT_MINOR, CURRENT_MAJOR.
    pub current_version: FirmwareVersion,
    /// COMMITTED_BUILD, COMMITTED_MINOR, COMMITTED_MAJOR.
    pub committed_version: FirmwareVersion,
    /// LAUNCH_TCB.
    pub launch_tcb: TcbVersion,
    /// LAUNCH_MIT_VECTOR.
    pub launch_mit_vector: u64,
    /// CURRENT_MIT_VECTOR.
    pub current_mit_vector: u64,
}

/// The word at offset 048h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The raw word: bit 0 AUTHOR_KEY_EN, bit 1 MASK_CHIP_KEY, bits 4 to 2 SIGNING_KEY.
    pub bits: u32,
}

/// Family (extended plus base), model (extended and base), stepping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpuid {
    /// CPUID_FAM_ID.
    pub family: u8,
    /// CPUID_MOD_ID.
    pub model: u8,
    /// CPUID_STEP.
    pub stepping: u8,
}

/// Version of the SNP firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirmwareVersion {
    /// Build.
    pub build: u8,
    /// Minor.
    pub minor: u8,
    /// Major.
    pub major: u8,
}

impl Report {
    /// The report of a well-kept machine with the newest layout.
    #[must_use]
    pub fn of(product: Product) -> Self {
        let tcb = tcb_of(product);
        let firmware = FirmwareVersion {
            build: 58,
            minor: 1,
            major: 3,
        };
        Self {
            product,
            version: 5,
            guest_svn: 0,
            policy: 0x3_0000,
            family_id: [0; 16],
            image_id: [0; 16],
            vmpl: 0,
            signature_algo: 1,
            current_tcb: tcb,
            platform_info: 0x65,
            key_info: KeyInfo::signed_with(SigningKey::Vcek),
            report_data: [0; 64],
            measurement: [0x5A; 48],
            host_data: [0; 32],
            id_key_digest: [0; 48],
            author_key_digest: [0; 48],
            report_id: [0x11; 32],
            report_id_ma: [0xFF; 32],
            reported_tcb: tcb,
            cpuid: Cpuid::of(product),
            chip_id: chip_id_of(product),
            committed_tcb: tcb,
            current_version: firmware,
            committed_version: firmware,
            launch_tcb: tcb,
            launch_mit_vector: 0x3F,
            current_mit_vector: 0x3F,
        }
    }

    /// The report with a signature of zeros.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; REPORT_BYTES] {
        let mut bytes = [0; REPORT_BYTES];
        for (offset, field) in self.fields() {
            let target = bytes.iter_mut().skip(offset);
            target.zip(field).for_each(|(byte, value)| *byte = value);
        }
        bytes
    }

    /// Offset and bytes of each field.
    fn fields(&self) -> Vec<(usize, Vec<u8>)> {
        let mut fields = vec![
            (0x000, self.version.to_le_bytes().to_vec()),
            (0x004, self.guest_svn.to_le_bytes().to_vec()),
            (0x008, self.policy.to_le_bytes().to_vec()),
            (0x010, self.family_id.to_vec()),
            (0x020, self.image_id.to_vec()),
            (0x030, self.vmpl.to_le_bytes().to_vec()),
            (0x034, self.signature_algo.to_le_bytes().to_vec()),
            (0x038, self.tcb_bytes(self.current_tcb)),
            (0x040, self.platform_info.to_le_bytes().to_vec()),
            (0x048, self.key_info.bits.to_le_bytes().to_vec()),
            (0x050, self.report_data.to_vec()),
            (0x090, self.measurement.to_vec()),
            (0x0C0, self.host_data.to_vec()),
            (0x0E0, self.id_key_digest.to_vec()),
            (0x110, self.author_key_digest.to_vec()),
            (0x140, self.report_id.to_vec()),
            (0x160, self.report_id_ma.to_vec()),
            (0x180, self.tcb_bytes(self.reported_tcb)),
            (0x1A0, self.chip_id.to_vec()),
            (0x1E0, self.tcb_bytes(self.committed_tcb)),
            (0x1E8, self.current_version.to_bytes()),
            (0x1EC, self.committed_version.to_bytes()),
            (0x1F0, self.tcb_bytes(self.launch_tcb)),
        ];
        fields.extend(self.cpuid_fields());
        fields.extend(self.mitigation_fields());
        fields
    }

    fn cpuid_fields(&self) -> Option<(usize, Vec<u8>)> {
        let Cpuid {
            family,
            model,
            stepping,
        } = self.cpuid;
        (self.version >= 3).then(|| (0x188, vec![family, model, stepping]))
    }

    fn mitigation_fields(&self) -> Option<(usize, Vec<u8>)> {
        let launch = self.launch_mit_vector.to_le_bytes();
        let current = self.current_mit_vector.to_le_bytes();
        (self.version >= 5).then(|| (0x1F8, [launch, current].concat()))
    }

    /// TCB_VERSION (table 3; table 4 for Turin, which puts FMC first), 8 bytes.
    fn tcb_bytes(&self, tcb: TcbVersion) -> Vec<u8> {
        let TcbVersion {
            fmc,
            bootloader,
            tee,
            snp,
            microcode,
        } = tcb;
        match self.product {
            Product::Turin => {
                let fmc = fmc.unwrap_or_default();
                vec![fmc, bootloader, tee, snp, 0, 0, 0, microcode]
            }
            _ => vec![bootloader, tee, 0, 0, 0, 0, snp, microcode],
        }
    }
}

impl KeyInfo {
    /// Only SIGNING_KEY is set.
    #[must_use]
    pub const fn signed_with(key: SigningKey) -> Self {
        let number = match key {
            SigningKey::Vcek => 0,
            SigningKey::Vlek => 1,
        };
        Self { bits: number << 2 }
    }
}

impl Cpuid {
    /// A model of `product`.
    #[must_use]
    pub const fn of(product: Product) -> Self {
        let (family, model) = match product {
            Product::Milan => (0x19, 0x01),
            Product::Genoa => (0x19, 0x11),
            Product::Turin => (0x1A, 0x02),
        };
        Self {
            family,
            model,
            stepping: 1,
        }
    }
}

impl FirmwareVersion {
    fn to_bytes(self) -> Vec<u8> {
        vec![self.build, self.minor, self.major]
    }
}

/// SVNs of a well-kept machine of `product`.
fn tcb_of(product: Product) -> TcbVersion {
    TcbVersion {
        fmc: (product == Product::Turin).then_some(1),
        bootloader: 4,
        tee: 2,
        snp: 24,
        microcode: 0xD5,
    }
}

/// An invented chip; Turin's ids have eight bytes.
fn chip_id_of(product: Product) -> [u8; 64] {
    let length = if product == Product::Turin { 8 } else { 64 };
    std::array::from_fn(|index| match u8::try_from(index) {
        Ok(number) if index < length => 0x40 | number,
        _ => 0,
    })
}
