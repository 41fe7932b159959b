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

/// Most extensions of one certificate, list or list entry: more than twice what any vendor uses. Finding a doubled one takes every pair.
const MAX_EXTENSIONS: usize = 32;

/// The extensions of a certificate or list, none of them twice; `None` if one is, or if there are too many.
fn unique(extensions: Option<&Extensions>) -> Option<&[Extension]> {
    let extensions = extensions.map_or(&[][..], Vec::as_slice);
    if extensions.len() > MAX_EXTENSIONS {
        return None;
    }
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

#[cfg(test)]
mod tests {
    use super::{MAX_EXTENSIONS, unique};
    use der::{Decode as _, asn1::OctetString};
    use x509_cert::ext::Extension;

    fn extensions(count: usize) -> Vec<Extension> {
        let extension = |number: usize| Extension {
            extn_id: format!("1.2.3.{number}").parse().unwrap(),
            critical: false,
            extn_value: OctetString::from_der(&[4, 0]).unwrap(),
        };
        (0..count).map(extension).collect()
    }

    #[test]
    fn a_doubled_extension_and_too_many_are_refused() {
        assert!(unique(Some(&extensions(MAX_EXTENSIONS))).is_some());
        assert!(unique(Some(&extensions(MAX_EXTENSIONS + 1))).is_none());
        let doubled = [extensions(2), extensions(1)].concat();
        assert!(unique(Some(&doubled)).is_none());
    }
}
