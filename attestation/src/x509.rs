//! X.509 as AMD, Intel and NVIDIA use it (RFC 5280, 4055, 5758), parsed strictly; signatures are checked over the bytes received.

mod certificate;
mod crl;
mod extension;
mod name;
pub(crate) mod path;
mod public_key;
mod signed;
mod tbs_certificate;
#[cfg(test)]
mod tests;

pub(crate) use certificate::Certificate;
pub(crate) use crl::RevocationList;
pub(crate) use name::Name;
pub(crate) use public_key::PublicKey;
pub(crate) use signed::Algorithm;

use crate::UnixTime;
use x509_cert::time::Time;

fn unix_time(time: Time) -> UnixTime {
    UnixTime(time.to_unix_duration().as_secs())
}
