//! How far an event's digest covers its event data.

use super::{Algorithm, Event, EventType, variable::Variable};
use crate::crypto;

/// Whether the log's account of an event was itself measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The digest is of the event data, or of the part of it that the type names: the account is true if the digest is.
    Confirmed,
    /// The specification wants it to be, and it is not: the account is wrong.
    Contradicted,
    /// The digest is of something that the log does not hold, such as an image: the account is a hint.
    Hint,
}

/// What the digest of an event is of.
enum Measured<'a> {
    /// These bytes, says the specification.
    Always(&'a [u8]),
    /// One of these, by custom; or something that is not in the log.
    Perhaps(Vec<&'a [u8]>),
}

pub(super) fn of(event: &Event) -> Coverage {
    let is_of = |bytes: &[u8]| {
        event
            .digests
            .iter()
            .find_map(|digest| match digest.algorithm {
                Algorithm::Sha1 => None,
                Algorithm::Sha256 => Some(digest.value == crypto::sha256(bytes)),
                Algorithm::Sha384 => Some(digest.value == crypto::sha384(bytes)),
                Algorithm::Sha512 => Some(digest.value == crypto::sha512(bytes)),
            })
    };
    match measured(event) {
        Measured::Always(bytes) => match is_of(bytes) {
            Some(true) => Coverage::Confirmed,
            Some(false) => Coverage::Contradicted,
            None => Coverage::Hint,
        },
        Measured::Perhaps(parts) => {
            let is_one = parts.into_iter().any(|bytes| is_of(bytes) == Some(true));
            if is_one {
                Coverage::Confirmed
            } else {
                Coverage::Hint
            }
        }
    }
}

/// PFP section 10.4.1, table "Events".
fn measured(event: &Event) -> Measured<'_> {
    let data = event.data.as_slice();
    match event.kind {
        EventType::SEPARATOR
        | EventType::ACTION
        | EventType::S_CRTM_VERSION
        | EventType::EFI_ACTION
        | EventType::EFI_VARIABLE_DRIVER_CONFIG
        | EventType::EFI_VARIABLE_AUTHORITY
        | EventType::EFI_VARIABLE_BOOT2
        | EventType::EFI_GPT_EVENT => Measured::Always(data),
        EventType::EFI_VARIABLE_BOOT => match Variable::parse(data) {
            Some(variable) => Measured::Always(variable.data),
            None => Measured::Always(data),
        },
        EventType::NO_ACTION => Measured::Perhaps(Vec::new()),
        EventType::IPL => Measured::Perhaps(ipl(data)),
        _ => Measured::Perhaps(vec![data]),
    }
}

/// GRUB puts what it did before the text that it measures, with or without the zero that ends it.
const GRUB_PREFIXES: [&[u8]; 5] = [
    b"grub_cmd: ",
    b"kernel_cmdline: ",
    b"module_cmdline: ",
    b"grub_cmd ",
    b"grub_kernel_cmdline ",
];

fn ipl(data: &[u8]) -> Vec<&[u8]> {
    let text = GRUB_PREFIXES
        .iter()
        .find_map(|prefix| data.strip_prefix(*prefix));
    let Some(text) = text else {
        return vec![data];
    };
    let end = text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len());
    let parts = [text.get(..end), text.get(..=end)];
    parts.into_iter().flatten().collect()
}
