//! How a call to the library fails.

use std::fmt;

/// A return code of NVML (`nvmlReturn_t`) other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Return(pub u32);

/// Why a call gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The library is older than this function, or no NVML.
    #[error(
        "the library has no {0}: the driver is older than confidential computing, or it is no NVML"
    )]
    Symbol(&'static str),
    /// The library refused.
    #[error("{0}")]
    Return(Return),
}

/// The codes that say what to do; the rest are told by number.
const MEANINGS: [(u32, &str); 12] = [
    (1, "UNINITIALIZED"),
    (2, "INVALID_ARGUMENT"),
    (3, "NOT_SUPPORTED"),
    (4, "NO_PERMISSION"),
    (7, "INSUFFICIENT_SIZE"),
    (9, "DRIVER_NOT_LOADED"),
    (10, "TIMEOUT"),
    (15, "GPU_IS_LOST"),
    (16, "RESET_REQUIRED"),
    (18, "LIB_RM_VERSION_MISMATCH"),
    (25, "ARGUMENT_VERSION_MISMATCH"),
    (27, "NOT_READY"),
];

impl Return {
    /// NVML_ERROR_NOT_SUPPORTED: the hardware or the driver cannot.
    pub(super) const NOT_SUPPORTED: Self = Self(3);
}

impl fmt::Display for Return {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = MEANINGS.iter().find(|(code, _)| *code == self.0);
        match meaning {
            Some((_, name)) => write!(formatter, "NVML_ERROR_{name}"),
            None => write!(formatter, "NVML return code {}", self.0),
        }
    }
}
