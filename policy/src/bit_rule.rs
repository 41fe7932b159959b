//! What a document says about one flag of a field of bits.

/// What a document says about one flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitRule {
    /// `allow`: set or clear.
    Allow,
    /// `require`: must be set.
    Require,
    /// `forbid`: must be clear.
    Forbid,
}

/// Names of the rules in a document.
pub(crate) const BIT_RULES: [(&str, BitRule); 3] = [
    ("allow", BitRule::Allow),
    ("require", BitRule::Require),
    ("forbid", BitRule::Forbid),
];

impl BitRule {
    /// Whether a flag in this state satisfies the rule.
    #[must_use]
    pub const fn accepts(self, bits: u64, mask: u64) -> bool {
        match self {
            Self::Allow => true,
            Self::Require => bits & mask != 0,
            Self::Forbid => bits & mask == 0,
        }
    }
}
