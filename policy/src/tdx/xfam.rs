//! XFAM: the extended features that a TD may use, bit by bit as in XCR0 and IA32_XSS (SDM volume 1, section 13.1).

/// `[tdx.xfam]`: bits of XFAM; whatever is neither required nor allowed must be clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XfamRules {
    /// Must be set.
    pub required: u64,
    /// May be set.
    pub allowed: u64,
}

/// Names of the features in a document, each with its bit.
pub(crate) const XFAM_BITS: [(&str, u64); 20] = [
    ("x87", 1),
    ("sse", 1 << 1),
    ("avx", 1 << 2),
    ("bndregs", 1 << 3),
    ("bndcsr", 1 << 4),
    ("opmask", 1 << 5),
    ("zmm_hi256", 1 << 6),
    ("hi16_zmm", 1 << 7),
    ("pt", 1 << 8),
    ("pkru", 1 << 9),
    ("pasid", 1 << 10),
    ("cet_u", 1 << 11),
    ("cet_s", 1 << 12),
    ("hdc", 1 << 13),
    ("uintr", 1 << 14),
    ("lbr", 1 << 15),
    ("hwp", 1 << 16),
    ("tilecfg", 1 << 17),
    ("tiledata", 1 << 18),
    ("apx", 1 << 19),
];
