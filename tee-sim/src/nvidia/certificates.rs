//! NVIDIA's certificate profiles: ECDSA P-384 with SHA-384 throughout.

use super::{Chip, Signer, vendor::Keys};
use crate::{
    Validity,
    der::{integer, object_identifier, octet_string, sequence},
    vendor::{NOT_AFTER, NOT_BEFORE},
    x509::{Certificate, Extension, KeyUsage, Name},
};

/// The firmware digest's extension in a Hopper's attestation certificate.
pub const DEVICE_ID: &[u32] = &[2, 23, 133, 5, 4, 1];
/// extKeyUsage.
pub const EXTENDED_KEY_USAGE: &[u32] = &[2, 5, 29, 37];

const SHA384: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 2];
const OCSP_SIGNING: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 9];

/// Whose key it is, by whom it is signed.
type Pair = [(Signer, &'static str); 2];

/// The device's root, self-signed.
pub(super) fn device_root(keys: &Keys) -> Certificate {
    let root = (Signer::DeviceRoot, "Invented Device Identity CA");
    authority(keys, [root, root], 1)
}

/// Attestation key, ROM, provisioner, generation; a switch is of its GPUs' generation.
pub(super) fn device_chain(keys: &Keys, chip: Chip) -> Vec<Certificate> {
    let root = (Signer::DeviceRoot, "Invented Device Identity CA");
    let generation = (Signer::Generation, "Invented GH100 Identity");
    let [provisioner, rom, attestation] = match chip {
        Chip::Gh100 => [
            "Invented GH100 Provisioner ICA 1",
            "GH100 A01 GSP BROM",
            "GH100 A01 GSP FMC LF",
        ],
        Chip::Ls10 => [
            "Invented LS_10 Provisioner ICA 1",
            "LS_10 A01 FSP BROM",
            "LS_10 A01 FSP FMC LF",
        ],
    };
    let provisioner = (Signer::Provisioner, provisioner);
    let rom = (Signer::Rom, rom);
    let attestation = (Signer::Attestation, attestation);
    vec![
        attestation_key(keys, [attestation, rom]),
        Certificate {
            serial: [&[0x41][..], &chip.pdi(0)].concat(),
            ..authority(keys, [rom, provisioner], 4)
        },
        authority(keys, [provisioner, generation], 3),
        authority(keys, [generation, root], 2),
    ]
}

/// The root of manifests, self-signed.
pub(super) fn rim_root(keys: &Keys) -> Certificate {
    let root = (Signer::RimRoot, "Invented CoRIM signing Root CA");
    authority(keys, [root, root], 1)
}

/// Signer of manifests, its issuer, and the issuer's.
pub(super) fn rim_chain(keys: &Keys) -> Vec<Certificate> {
    let root = (Signer::RimRoot, "Invented CoRIM signing Root CA");
    let second = (Signer::RimSecond, "Invented Reference Value GH100 CA");
    let third = (Signer::RimThird, "Invented Reference Value L3 GH100 001");
    let signer = (Signer::RimSigner, "Invented RIM L4 Signer");
    vec![
        end_entity(keys, [signer, third], 4),
        authority(keys, [third, second], 3),
        authority(keys, [second, root], 2),
    ]
}

/// A responder for the certificates of `issuer`.
pub(super) fn responder(keys: &Keys, issuer: Name) -> Certificate {
    let subject = Name::nvidia("Invented OCSP Responder");
    let key = keys.of(Signer::Responder);
    let purposes = sequence(&[object_identifier(OCSP_SIGNING)]);
    Certificate::new([issuer, subject], 9, ALWAYS, key).extended([
        Extension::end_entity(),
        Extension::key_usage(SIGNATURE),
        Extension::critical(EXTENDED_KEY_USAGE, purposes),
    ])
}

/// The value of [`DEVICE_ID`]: version, the ROM's key, and the digest of the firmware that holds the attestation key.
#[must_use]
pub fn device_id(rom_public_key_info: Vec<u8>, fwid: &[u8]) -> Vec<u8> {
    let digest = sequence(&[object_identifier(SHA384), octet_string(fwid)]);
    sequence(&[integer(1), rom_public_key_info, digest])
}

/// `digitalSignature` alone.
const SIGNATURE: KeyUsage = KeyUsage(0b1000_0000);

const ALWAYS: Validity = Validity {
    not_before: NOT_BEFORE,
    not_after: NOT_AFTER,
};

fn authority(keys: &Keys, pair: Pair, serial: u8) -> Certificate {
    plain(keys, pair, serial).extended([
        Extension::authority(None),
        Extension::key_usage(KeyUsage::CERTIFICATES_AND_LISTS),
    ])
}

fn end_entity(keys: &Keys, pair: Pair, serial: u8) -> Certificate {
    plain(keys, pair, serial).extended([Extension::end_entity(), Extension::key_usage(SIGNATURE)])
}

/// Without basic constraints, as the ROM makes it.
fn attestation_key(keys: &Keys, pair: Pair) -> Certificate {
    let rom = keys.of(Signer::Rom).public_key_info();
    plain(keys, pair, 5).extended([
        Extension::key_usage(SIGNATURE),
        Extension::new(DEVICE_ID, device_id(rom, &super::report::FIRMWARE)),
    ])
}

fn plain(keys: &Keys, [subject, issuer]: Pair, serial: u8) -> Certificate {
    let names = [Name::nvidia(issuer.1), Name::nvidia(subject.1)];
    let [own, above] = [keys.of(subject.0), keys.of(issuer.0)];
    Certificate::new(names, serial, ALWAYS, own).extended([
        Extension::subject_key_identifier(&own.identifier()),
        Extension::authority_key_identifier(&above.identifier()),
    ])
}
