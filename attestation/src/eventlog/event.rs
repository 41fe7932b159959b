//! One measured event, as the log tells it.

use super::{Algorithm, Coverage, EventType, coverage, description};

/// What was extended into which register, and what the log says that it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The register index as it stands in the log. In a TD's: 0 is MRTD, 1 to 4 are RTMR0 to RTMR3; in a TPM's: the PCR.
    pub register: u32,
    /// What kind of event it is.
    pub kind: EventType,
    /// One digest for each algorithm of the log.
    pub digests: Vec<EventDigest>,
    /// Event data, all of it. Measured only as far as [`Event::coverage`] says.
    pub data: Vec<u8>,
}

/// A digest with its algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDigest {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The digest, as long as the algorithm makes it.
    pub value: Vec<u8>,
}

impl Event {
    /// The digest of `algorithm`, if the log has one.
    #[must_use]
    pub fn digest(&self, algorithm: Algorithm) -> Option<&[u8]> {
        let mut digests = self.digests.iter();
        let digest = digests.find(|digest| digest.algorithm == algorithm)?;
        Some(&digest.value)
    }

    /// The SHA-384 digest, which is what a runtime measurement register takes.
    #[must_use]
    pub fn sha384(&self) -> Option<&[u8; 48]> {
        self.digest(Algorithm::Sha384)?.try_into().ok()
    }

    /// Which of RTMR0 to RTMR3 the event is for, in the log of a TD.
    #[must_use]
    pub fn rtmr(&self) -> Option<usize> {
        match self.register {
            1 => Some(0),
            2 => Some(1),
            3 => Some(2),
            4 => Some(3),
            _ => None,
        }
    }

    /// Whether the digest is of the event data.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        coverage::of(self)
    }

    /// The event in words: a variable and its value, a path, a command line. Printable, and at most some hundred characters.
    #[must_use]
    pub fn description(&self) -> String {
        description::of(self)
    }
}
