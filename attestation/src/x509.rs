//! X.509 as AMD, Intel and NVIDIA use it (RFC 5280, 4055, 5758), parsed strictly; signatures are checked over the bytes received.

mod certificate;
mod crl;
pub(crate) mod path;
mod public_key;
mod signed;

pub(crate) use certificate::{Certificate, common_name};
pub(crate) use crl::RevocationList;
pub(crate) use public_key::PublicKey;
pub(crate) use signed::Algorithm;

use crate::UnixTime;
use x509_cert::{
    ext::{Extension, Extensions},
    time::Time,
};

/// The extensions of a certificate or list, none of them twice; `None` if one is.
fn unique(extensions: Option<&Extensions>) -> Option<&[Extension]> {
    let extensions = extensions.map_or(&[][..], Vec::as_slice);
    let doubled = |(index, extension): (usize, &Extension)| {
        let later = extensions.iter().skip(index + 1);
        later
            .into_iter()
            .any(|other| other.extn_id == extension.extn_id)
    };
    (!extensions.iter().enumerate().any(doubled)).then_some(extensions)
}

fn unix_time(time: Time) -> UnixTime {
    UnixTime(time.to_unix_duration().as_secs())
}
