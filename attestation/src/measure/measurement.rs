//! A measurement with the story of how it came about.

/// A SHA-384 value of the platform's measurement register or launch digest.
pub(super) type Digest384 = [u8; 48];

/// What a platform will report, and every region that led to it, in the order of measuring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// The final digest.
    pub digest: Digest384,
    /// The regions; the last one's digest is the final one.
    pub regions: Vec<Region>,
}

/// A contiguous range of guest memory that was measured in one manner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// What it holds, by its name in the firmware's metadata.
    pub kind: &'static str,
    /// How it is measured: the specification's name of the page type or operation.
    pub operation: &'static str,
    /// Guest-physical address of its first byte.
    pub gpa: u64,
    /// Its length.
    pub size_bytes: u64,
    /// The measurement after it.
    pub digest: Digest384,
}
