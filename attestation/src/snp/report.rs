//! The attestation report (AMD 56860 table 23): parsed from the bytes received, which stay what is verified.

use super::{Product, SigningKey, SnpError, tcb::RawTcb};
use std::ops::Range;

/// Length of every report, signature included.
pub(super) const REPORT_BYTES: usize = 0x4A0;
/// Length of the signed part.
const SIGNED_BYTES: usize = 0x2A0;

// Offsets, in bytes, of every field that is read.
const VERSION: usize = 0x000;
const GUEST_SVN: usize = 0x004;
const POLICY: usize = 0x008;
const FAMILY_ID: usize = 0x010;
const IMAGE_ID: usize = 0x020;
const VMPL: usize = 0x030;
const SIGNATURE_ALGO: usize = 0x034;
const CURRENT_TCB: usize = 0x038;
const PLATFORM_INFO: usize = 0x040;
/// AUTHOR_KEY_EN (bit 0), MASK_CHIP_KEY (1), SIGNING_KEY (2 to 4).
const KEY_FLAGS: usize = 0x048;
const REPORT_DATA: usize = 0x050;
const MEASUREMENT: usize = 0x090;
const HOST_DATA: usize = 0x0C0;
const ID_KEY_DIGEST: usize = 0x0E0;
const AUTHOR_KEY_DIGEST: usize = 0x110;
const REPORTED_TCB: usize = 0x180;
const CPUID_FAM_ID: usize = 0x188;
const CPUID_MOD_ID: usize = 0x189;
const CHIP_ID: usize = 0x1A0;
const COMMITTED_TCB: usize = 0x1E0;
const LAUNCH_TCB: usize = 0x1F0;
const LAUNCH_MIT_VECTOR: usize = 0x1F8;
const CURRENT_MIT_VECTOR: usize = 0x200;
const SIGNATURE_R: usize = 0x2A0;
const SIGNATURE_S: usize = 0x2E8;

/// Bytes that are zero in every version. The last three are the high bytes of R and of S and the rest of the signature's field.
const RESERVED: [Range<usize>; 8] = [
    0x04C..0x050,
    0x18B..0x1A0,
    0x1EB..0x1EC,
    0x1EF..0x1F0,
    0x208..0x2A0,
    0x2D0..0x2E8,
    0x318..0x330,
    0x330..0x4A0,
];
/// CPUID_FAM_ID, CPUID_MOD_ID and CPUID_STEP: reserved before version 3.
const RESERVED_BEFORE_V3: Range<usize> = 0x188..0x18B;
/// The mitigation vectors: reserved before version 5.
const RESERVED_BEFORE_V5: Range<usize> = 0x1F8..0x208;

/// Guest policy (table 10): bits 0 to 25 are known, bit 17 is one.
const POLICY_KNOWN: u64 = (1 << 26) - 1;
const POLICY_RESERVED_ONE: u64 = 1 << 17;
const POLICY_DEBUG: u64 = 1 << 19;
/// PLATFORM_INFO: SMT, TSME, ECC, RAPL_DIS, CIPHERTEXT_HIDING, ALIAS_CHECK_COMPLETE, IOMMU write safe (6), SEV-TIO (7).
const PLATFORM_INFO_KNOWN: u64 = 0xFF;
/// ECDSA P-384 with SHA-384.
const ECDSA_P384_SHA384: u32 = 1;

/// A report whose structure is sound; nothing in it is authentic yet.
pub(super) struct Report<'a> {
    bytes: &'a [u8; REPORT_BYTES],
}

impl<'a> Report<'a> {
    /// Checks size, version, reserved bytes and the range of every field that has one.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, SnpError> {
        let bytes = bytes
            .try_into()
            .map_err(|_| SnpError::ReportSize(bytes.len()))?;
        let report = Self { bytes };
        report.check_version()?;
        report.check_reserved()?;
        report.check_policy()?;
        report.check_platform_info()?;
        report.check_fields()?;
        Ok(report)
    }

    fn check_version(&self) -> Result<(), SnpError> {
        match self.version() {
            2..=5 => Ok(()),
            version => Err(SnpError::ReportVersion(version)),
        }
    }

    fn check_reserved(&self) -> Result<(), SnpError> {
        let before_v3 = (self.version() < 3).then_some(RESERVED_BEFORE_V3);
        let before_v5 = (self.version() < 5).then_some(RESERVED_BEFORE_V5);
        let mut reserved = RESERVED.into_iter().chain(before_v3).chain(before_v5);
        let is_zero = |offset: usize| self.bytes.get(offset) == Some(&0);
        match reserved.find_map(|mut range| range.find(|offset| !is_zero(*offset))) {
            None => Ok(()),
            Some(offset) => Err(SnpError::ReportReserved { offset }),
        }
    }

    fn check_policy(&self) -> Result<(), SnpError> {
        let policy = self.guest_policy();
        let is_sound = policy & !POLICY_KNOWN == 0 && policy & POLICY_RESERVED_ONE != 0;
        is_sound.then_some(()).ok_or(SnpError::ReportPolicy(policy))
    }

    fn check_platform_info(&self) -> Result<(), SnpError> {
        let info = self.platform_info();
        let is_known = info & !PLATFORM_INFO_KNOWN == 0;
        is_known
            .then_some(())
            .ok_or(SnpError::ReportPlatformInfo(info))
    }

    fn check_fields(&self) -> Result<(), SnpError> {
        let flags = self.u32::<KEY_FLAGS>();
        let checks = [
            ("VMPL", self.vmpl(), self.vmpl() <= 3),
            (
                "SIGNATURE_ALGO",
                self.u32::<SIGNATURE_ALGO>(),
                self.u32::<SIGNATURE_ALGO>() == ECDSA_P384_SHA384,
            ),
            (
                "SIGNING_KEY",
                flags,
                flags >> 5 == 0 && self.signing_key().is_some(),
            ),
        ];
        match checks.into_iter().find(|(.., is_sound)| !is_sound) {
            None => Ok(()),
            Some((field, value, _)) => Err(SnpError::ReportField { field, value }),
        }
    }

    /// VERSION.
    pub(super) fn version(&self) -> u32 {
        self.u32::<VERSION>()
    }

    /// GUEST_SVN.
    pub(super) fn guest_svn(&self) -> u32 {
        self.u32::<GUEST_SVN>()
    }

    /// POLICY.
    pub(super) fn guest_policy(&self) -> u64 {
        self.u64::<POLICY>()
    }

    /// Bit DEBUG of POLICY.
    pub(super) fn is_debug(&self) -> bool {
        self.guest_policy() & POLICY_DEBUG != 0
    }

    /// FAMILY_ID.
    pub(super) fn family_id(&self) -> [u8; 16] {
        self.field::<FAMILY_ID, 16>()
    }

    /// IMAGE_ID.
    pub(super) fn image_id(&self) -> [u8; 16] {
        self.field::<IMAGE_ID, 16>()
    }

    /// VMPL.
    pub(super) fn vmpl(&self) -> u32 {
        self.u32::<VMPL>()
    }

    /// PLATFORM_INFO.
    pub(super) fn platform_info(&self) -> u64 {
        self.u64::<PLATFORM_INFO>()
    }

    /// SIGNING_KEY; `None` for "not signed" (7) and reserved values.
    pub(super) fn signing_key(&self) -> Option<SigningKey> {
        match self.u32::<KEY_FLAGS>() >> 2 & 0b111 {
            0 => Some(SigningKey::Vcek),
            1 => Some(SigningKey::Vlek),
            _ => None,
        }
    }

    /// REPORT_DATA.
    pub(super) fn report_data(&self) -> [u8; 64] {
        self.field::<REPORT_DATA, 64>()
    }

    /// MEASUREMENT.
    pub(super) fn measurement(&self) -> [u8; 48] {
        self.field::<MEASUREMENT, 48>()
    }

    /// HOST_DATA.
    pub(super) fn host_data(&self) -> [u8; 32] {
        self.field::<HOST_DATA, 32>()
    }

    /// ID_KEY_DIGEST.
    pub(super) fn id_key_digest(&self) -> [u8; 48] {
        self.field::<ID_KEY_DIGEST, 48>()
    }

    /// AUTHOR_KEY_DIGEST.
    pub(super) fn author_key_digest(&self) -> [u8; 48] {
        self.field::<AUTHOR_KEY_DIGEST, 48>()
    }

    /// The product that the CPUID fields name; `None` before version 3, which has none.
    pub(super) fn product(&self) -> Result<Option<Product>, SnpError> {
        if self.version() < 3 {
            return Ok(None);
        }
        let [family] = self.field::<CPUID_FAM_ID, 1>();
        let [model] = self.field::<CPUID_MOD_ID, 1>();
        match Product::from_cpuid(family, model) {
            None => Err(SnpError::ReportProduct { family, model }),
            known => Ok(known),
        }
    }

    /// CHIP_ID.
    pub(super) fn chip_id(&self) -> [u8; 64] {
        self.field::<CHIP_ID, 64>()
    }

    /// CURRENT_TCB.
    pub(super) fn current_tcb(&self) -> RawTcb {
        RawTcb(self.field::<CURRENT_TCB, 8>())
    }

    /// REPORTED_TCB.
    pub(super) fn reported_tcb(&self) -> RawTcb {
        RawTcb(self.field::<REPORTED_TCB, 8>())
    }

    /// COMMITTED_TCB.
    pub(super) fn committed_tcb(&self) -> RawTcb {
        RawTcb(self.field::<COMMITTED_TCB, 8>())
    }

    /// LAUNCH_TCB.
    pub(super) fn launch_tcb(&self) -> RawTcb {
        RawTcb(self.field::<LAUNCH_TCB, 8>())
    }

    /// LAUNCH_MIT_VECTOR, from version 5 on.
    pub(super) fn launch_mit_vector(&self) -> Option<u64> {
        (self.version() >= 5).then(|| self.u64::<LAUNCH_MIT_VECTOR>())
    }

    /// CURRENT_MIT_VECTOR, from version 5 on.
    pub(super) fn current_mit_vector(&self) -> Option<u64> {
        (self.version() >= 5).then(|| self.u64::<CURRENT_MIT_VECTOR>())
    }

    /// The bytes that the signature is over, as received.
    pub(super) fn signed_bytes(&self) -> &'a [u8] {
        self.bytes.split_at(SIGNED_BYTES).0
    }

    /// R || S, 48 bytes each, big-endian. The report has them little-endian; their high bytes are among the reserved ones.
    pub(super) fn signature(&self) -> [u8; 96] {
        let mut r = self.field::<SIGNATURE_R, 48>();
        let mut s = self.field::<SIGNATURE_S, 48>();
        r.reverse();
        s.reverse();
        let mut signature = [0; 96];
        let (high, low) = signature.split_at_mut(48);
        high.copy_from_slice(&r);
        low.copy_from_slice(&s);
        signature
    }

    fn u32<const OFFSET: usize>(&self) -> u32 {
        u32::from_le_bytes(self.field::<OFFSET, 4>())
    }

    fn u64<const OFFSET: usize>(&self) -> u64 {
        u64::from_le_bytes(self.field::<OFFSET, 8>())
    }

    fn field<const OFFSET: usize, const LENGTH: usize>(&self) -> [u8; LENGTH] {
        const { assert!(OFFSET + LENGTH <= REPORT_BYTES) };
        let mut field = [0; LENGTH];
        for (to, from) in field.iter_mut().zip(self.bytes.iter().skip(OFFSET)) {
            *to = *from;
        }
        field
    }
}
