//! The files of a publication as they came, and how each is read.

use super::{FileError, PublicationError};
use crate::{Envelope, PayloadType, orders::MAX_ORDERS};

/// The later roots, one envelope on a line, versions rising by one; may be absent.
pub const ROOTS: &str = "roots.jsonl";
/// The policy's envelope.
pub const POLICY: &str = "policy.json";
/// The inventory's envelope; may be absent.
pub const INVENTORY: &str = "inventory.json";
/// Every order so far, one envelope on a line; may be absent.
pub const ORDERS: &str = "orders.jsonl";
/// The timestamp's envelope; may be absent.
pub const TIMESTAMP: &str = "timestamp.json";

/// Most bytes of [`ROOTS`] and of [`ORDERS`].
pub const MAX_LINES_BYTES: usize = 4 * 1024 * 1024;
/// Most rotations in [`ROOTS`].
pub const MAX_ROOTS: usize = 1024;

/// The files as they came, unverified; `None`: there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// [`ROOTS`].
    pub roots: Option<Vec<u8>>,
    /// [`POLICY`].
    pub policy: Option<Vec<u8>>,
    /// [`INVENTORY`].
    pub inventory: Option<Vec<u8>>,
    /// [`ORDERS`].
    pub orders: Option<Vec<u8>>,
    /// [`TIMESTAMP`].
    pub timestamp: Option<Vec<u8>>,
}

impl Files {
    /// The files' names.
    pub const NAMES: [&str; 5] = [ROOTS, POLICY, INVENTORY, ORDERS, TIMESTAMP];

    /// A publication that is only a policy.
    #[must_use]
    pub fn of_policy(envelope: Vec<u8>) -> Self {
        Self {
            policy: Some(envelope),
            ..Self::default()
        }
    }

    /// The content of the file with this name; `None` also if there is no such name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        match name {
            ROOTS => self.roots.as_deref(),
            POLICY => self.policy.as_deref(),
            INVENTORY => self.inventory.as_deref(),
            ORDERS => self.orders.as_deref(),
            TIMESTAMP => self.timestamp.as_deref(),
            _ => None,
        }
    }

    /// The place of the file with this name, to be filled; `None` if there is no such name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Option<Vec<u8>>> {
        match name {
            ROOTS => Some(&mut self.roots),
            POLICY => Some(&mut self.policy),
            INVENTORY => Some(&mut self.inventory),
            ORDERS => Some(&mut self.orders),
            TIMESTAMP => Some(&mut self.timestamp),
            _ => None,
        }
    }

    /// Most bytes that the file with this name may have; 0 if there is no such name.
    #[must_use]
    pub fn max_bytes(name: &str) -> usize {
        match name {
            ROOTS | ORDERS => MAX_LINES_BYTES,
            POLICY => PayloadType::Policy.max_envelope_bytes(),
            INVENTORY => PayloadType::Inventory.max_envelope_bytes(),
            TIMESTAMP => PayloadType::Timestamp.max_envelope_bytes(),
            _ => 0,
        }
    }
}

/// The only envelope of a file, if the file is there.
pub(super) fn envelope(
    file: &'static str,
    kind: PayloadType,
    bytes: Option<&[u8]>,
) -> Result<Option<Envelope>, Vec<PublicationError>> {
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    Envelope::from_json_of(kind, bytes)
        .map(Some)
        .map_err(|error| vec![PublicationError::of(file, error)])
}

/// The envelopes of a file with one on each line; none if the file is not there.
pub(super) fn lines(
    file: &'static str,
    kind: PayloadType,
    bytes: Option<&[u8]>,
) -> Result<Vec<Envelope>, Vec<PublicationError>> {
    let Some(bytes) = bytes else {
        return Ok(Vec::new());
    };
    let lines = split(file, bytes).map_err(|error| vec![PublicationError::of(file, error)])?;
    let mut envelopes = Vec::with_capacity(lines.len());
    let mut errors = Vec::new();
    for (index, line) in lines.into_iter().enumerate() {
        match envelope_of_line(kind, line) {
            Ok(envelope) => envelopes.push(envelope),
            Err(error) => errors.extend(PublicationError::at(file, index, vec![error])),
        }
    }
    if errors.is_empty() {
        Ok(envelopes)
    } else {
        Err(errors)
    }
}

fn envelope_of_line(kind: PayloadType, line: &[u8]) -> Result<Envelope, crate::PolicyError> {
    if line.is_empty() {
        return Err(FileError::BlankLine.into());
    }
    Ok(Envelope::from_json_of(kind, line)?)
}

/// The lines; the last may end the file or be followed by one line feed.
fn split<'b>(file: &str, bytes: &'b [u8]) -> Result<Vec<&'b [u8]>, FileError> {
    let (limit_bytes, limit) = (Files::max_bytes(file), most_entries(file));
    if bytes.len() > limit_bytes {
        return Err(FileError::TooLarge { limit_bytes });
    }
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').take(limit + 1).collect();
    if lines.len() > limit {
        return Err(FileError::TooMany { limit });
    }
    Ok(lines)
}

fn most_entries(file: &str) -> usize {
    if file == ORDERS {
        MAX_ORDERS
    } else {
        MAX_ROOTS
    }
}
