//! TCG event logs in crypto-agile form, as a TD finds its own in the ACPI table CCEL, replayed to the runtime measurement registers.
//!
//! TCG PC Client Platform Firmware Profile (PFP) 1.06 section 10; CCEL and its register indices: UEFI 2.10 section 38.
//! A log is no evidence by itself: its digests are what was measured only if their replay gives the registers of a verified quote,
//! and its event data is what was measured only where [`Event::coverage`] confirms it.

mod algorithm;
mod coverage;
mod description;
mod device_path;
mod error;
mod event;
mod header;
mod kind;
mod partition_table;
mod record;
mod variable;

pub use algorithm::Algorithm;
pub use coverage::Coverage;
pub use error::EventLogError;
pub use event::{Event, EventDigest};
pub use kind::EventType;

use crate::{crypto, cursor::Cursor};

/// Largest log that is read, in bytes. The largest seen is 1 MiB, most of it padding.
pub const MAX_LOG_BYTES: usize = 4 << 20;
/// Most events that are read. The largest log seen has 87.
pub const MAX_EVENTS: usize = 8192;

/// A runtime measurement register: SHA-384.
pub type Rtmr = [u8; 48];

/// The events of one log, in its order. Every one has one digest for each algorithm that the log's header names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLog {
    events: Vec<Event>,
}

impl EventLog {
    /// Reads a log; behind its last event may be padding, all FFh or all zero, and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Self, EventLogError> {
        if bytes.len() > MAX_LOG_BYTES {
            return Err(EventLogError::Size(bytes.len()));
        }
        let mut cursor = Cursor::new(bytes);
        let algorithms = header::parse(&mut cursor)?;
        let mut events = Vec::new();
        while !is_padding(cursor.rest()) {
            let offset = bytes.len() - cursor.rest().len();
            let event = record::parse(&mut cursor, &algorithms)
                .filter(|_| events.len() < MAX_EVENTS)
                .ok_or(EventLogError::Record { offset })?;
            events.push(event);
        }
        Ok(Self { events })
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// RTMR0 to RTMR3 after every event of a TD's log was extended into them.
    ///
    /// `EV_NO_ACTION` extends nothing. Anything else must be for one of these registers, and have a SHA-384 digest.
    pub fn replay(&self) -> Result<[Rtmr; 4], EventLogError> {
        let mut registers = [[0; 48]; 4];
        for (index, event) in self.events.iter().enumerate() {
            if event.kind == EventType::NO_ACTION {
                continue;
            }
            let digest = event.sha384().ok_or(EventLogError::NoSha384)?;
            let register = event.rtmr().and_then(|rtmr| registers.get_mut(rtmr));
            let register = register.ok_or(EventLogError::Register {
                index,
                register: event.register,
            })?;
            *register = crypto::sha384(&[*register, *digest].concat());
        }
        Ok(registers)
    }
}

/// Whether nothing but padding is left. Stops at the first other byte.
fn is_padding(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0xFF) || rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests;
