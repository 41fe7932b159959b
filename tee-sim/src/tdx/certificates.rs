//! Intel's certificate profiles: root, PCK Platform CA, TCB signing, PCK; all of them P-256.

use crate::{
    Validity,
    vendor::{NOT_AFTER, NOT_BEFORE},
    x509::{Certificate, Extension, Key, KeyUsage, Name},
};
use attestation::UnixTime;

/// 1.2.840.113741.1.13.1, the SGX extensions of a PCK certificate.
pub const SGX_EXTENSIONS: &[u32] = &[1, 2, 840, 113_741, 1, 13, 1];

pub(super) const ROOT: &str = "Intel SGX Root CA";
pub(super) const PCK_CA: &str = "Intel SGX PCK Platform CA";
const TCB_SIGNING: &str = "Intel SGX TCB Signing";
const PCK: &str = "Intel SGX PCK Certificate";

/// 2033-01-01T00:00:00Z.
const LEAF_NOT_AFTER: UnixTime = UnixTime(1_988_150_400);

pub(super) fn root(key: &Key) -> Certificate {
    authority([ROOT, ROOT], 1, [key, key], 1)
}

pub(super) fn pck_ca([key, root]: [&Key; 2]) -> Certificate {
    authority([ROOT, PCK_CA], 2, [key, root], 0)
}

pub(super) fn tcb_signing([key, root]: [&Key; 2]) -> Certificate {
    leaf([ROOT, TCB_SIGNING], 3, [key, root])
}

/// Without the SGX extensions, which stand for themselves in the draft.
pub(super) fn pck([key, pck_ca]: [&Key; 2]) -> Certificate {
    leaf([PCK_CA, PCK], 4, [key, pck_ca])
}

fn authority(names: [&str; 2], serial: u8, keys: [&Key; 2], path_length: u64) -> Certificate {
    let rest = [
        Extension::key_usage(KeyUsage::CERTIFICATES_AND_LISTS),
        Extension::authority(Some(path_length)),
    ];
    certificate(names, serial, NOT_AFTER, keys).extended(rest)
}

fn leaf(names: [&str; 2], serial: u8, keys: [&Key; 2]) -> Certificate {
    let rest = [
        Extension::key_usage(KeyUsage::SIGNATURES),
        Extension::end_entity(),
    ];
    certificate(names, serial, LEAF_NOT_AFTER, keys).extended(rest)
}

fn certificate(
    names: [&str; 2],
    serial: u8,
    not_after: UnixTime,
    [key, issuer]: [&Key; 2],
) -> Certificate {
    let validity = Validity {
        not_before: NOT_BEFORE,
        not_after,
    };
    Certificate::new(names.map(Name::intel), serial, validity, key).extended([
        Extension::authority_key_identifier(&issuer.identifier()),
        Extension::subject_key_identifier(&key.identifier()),
    ])
}
