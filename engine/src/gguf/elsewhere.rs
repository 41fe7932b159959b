//! Model files that are not in memory: who reads them, and where in them a tensor lies.

use std::ops::Range;

use super::TensorType;

/// A model file that somebody else holds.
pub trait ModelBytes {
    /// Its length in bytes.
    fn length(&self) -> u64;

    /// Some of its bytes, as many as the range is long.
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Unreadable>;
}

/// Why bytes were not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// The stable code of whoever holds the file.
    pub code: &'static str,
    /// What it says.
    pub reason: String,
}

/// Where a tensor lies in its file, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorPlace {
    /// How its elements are stored.
    pub kind: TensorType,
    /// Length of a row: the dimension that is contiguous.
    pub columns: usize,
    /// Product of all other dimensions.
    pub rows: usize,
    /// Its bytes in the file.
    pub range: Range<usize>,
}
