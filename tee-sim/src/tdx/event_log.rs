//! A CCEL event log (TCG PC Client Platform Firmware Profile section 10.2; UEFI 2.10 section 38.4) and the RTMRs that it replays to.

use aws_lc_rs::digest::{SHA384, digest};

/// Events in their order; the log begins with the Specification ID event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventLog(Vec<Event>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    rtmr: u8,
    kind: u32,
    data: Vec<u8>,
}

/// EV_NO_ACTION.
const NO_ACTION: u32 = 3;
/// TPM_ALG_SHA384.
const ALGORITHM_SHA384: u16 = 0x000C;

impl EventLog {
    /// A log without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an event of the TCG's `kind` that extends RTMR `rtmr` (0 to 3) with the digest of `data`.
    #[must_use]
    pub fn event(mut self, rtmr: u8, kind: u32, data: &[u8]) -> Self {
        self.0.push(Event {
            rtmr,
            kind,
            data: data.to_vec(),
        });
        self
    }

    /// The log's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = specification_id();
        bytes.extend(self.0.iter().flat_map(Event::to_bytes));
        bytes
    }

    /// RTMR0 to RTMR3 after all events, from zero.
    #[must_use]
    pub fn rtmrs(&self) -> [[u8; 48]; 4] {
        let mut rtmrs = [[0; 48]; 4];
        for event in &self.0 {
            if let Some(rtmr) = rtmrs.get_mut(usize::from(event.rtmr)) {
                *rtmr = sha384(&[*rtmr, event.digest()].concat());
            }
        }
        rtmrs
    }
}

impl Event {
    fn digest(&self) -> [u8; 48] {
        sha384(&self.data)
    }

    /// TCG_PCR_EVENT2 with one digest. Measurement register 0 is MRTD, 1 is RTMR0.
    fn to_bytes(&self) -> Vec<u8> {
        let register = u32::from(self.rtmr) + 1;
        [
            &register.to_le_bytes()[..],
            &self.kind.to_le_bytes(),
            &1_u32.to_le_bytes(),
            &ALGORITHM_SHA384.to_le_bytes(),
            &self.digest(),
            &length_u32(&self.data),
            &self.data,
        ]
        .concat()
    }
}

/// TCG_PCR_EVENT with TCG_EfiSpecIdEvent: version 2.0, 64-bit UINTN, SHA-384 alone.
fn specification_id() -> Vec<u8> {
    let data = [
        &b"Spec ID Event03\0"[..],
        &0_u32.to_le_bytes(),
        &[0, 2, 0, 2],
        &1_u32.to_le_bytes(),
        &ALGORITHM_SHA384.to_le_bytes(),
        &48_u16.to_le_bytes(),
        &[0],
    ]
    .concat();
    [
        &1_u32.to_le_bytes()[..],
        &NO_ACTION.to_le_bytes(),
        &[0; 20],
        &length_u32(&data),
        &data,
    ]
    .concat()
}

fn sha384(message: &[u8]) -> [u8; 48] {
    let hash = digest(&SHA384, message);
    hash.as_ref().try_into().expect("SHA-384 has 48 bytes")
}

fn length_u32(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len())
        .expect("fits a log")
        .to_le_bytes()
}
