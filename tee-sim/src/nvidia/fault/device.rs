//! Of a report and the chain of the key that signs it.

use super::{FUTURE, Fault, PAST, fault};
use crate::{
    nvidia::{DEVICE_ID, Draft, Signer, opaque},
    x509::{Certificate, Extension, Key, Name, oids},
};

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    fault("a byte behind the signature", "nvidia.report.size", |d| d.report.trailing.push(0)),
    fault("no signature asked for", "nvidia.report.request", |d| d.report.request = [0x11, 0xE0, 0, 0xFF]),
    fault("one measurement asked for", "nvidia.report.request", |d| d.report.request = [0x11, 0xE0, 1, 1]),
    fault("SPDM 1.2", "nvidia.report.request", |d| d.report.request = [0x12, 0xE0, 1, 0xFF]),
    fault("an error as response", "nvidia.report.response", |d| d.report.response = [0x11, 0x7F, 0, 0]),
    fault("the key of another slot", "nvidia.report.response", |d| d.report.response = [0x11, 0x60, 0, 1]),
    fault("an index twice", "nvidia.report.measurements", |d| d.report.blocks.first_mut().expect("64").index = 2),
    fault("one block too few", "nvidia.report.measurements", |d| d.report.number_of_blocks = Some(65)),
    fault("a block that is not DMTF's", "nvidia.report.measurements", |d| d.report.blocks.first_mut().expect("64").specification = 2),
    fault("an opaque field twice", "nvidia.report.opaque", |d| d.report.opaque.push((opaque::FWID, vec![1; 48]))),
    fault("opaque data of the future", "nvidia.report.opaque_version", |d| *d.report.opaque(opaque::VERSION) = vec![2, 0]),
    fault("a status that is neither", "nvidia.report.fields", |d| *d.report.opaque(opaque::NVDEC0_STATUS) = vec![1]),
    fault("no provisioner", "nvidia.chain.length", |d| { d.device_chain.remove(2); d.ocsp.clear(); }),
    fault("a version 1 certificate", "nvidia.chain.format", |d| at(d, 0).version = 0),
    fault("an empty firmware digest", "nvidia.chain.extensions", |d| at(d, 0).extension(DEVICE_ID).value = vec![0x30, 0]),
    fault("another issuer", "nvidia.chain.issuer", |d| at(d, 0).issuer = Name::nvidia("Somebody")),
    fault("a ROM that is no authority", "nvidia.chain.constraints", |d| *at(d, 1).extension(oids::BASIC_CONSTRAINTS) = Extension::end_entity()),
    fault("an attestation key that is an authority", "nvidia.chain.constraints", |d| *at(d, 0).extension(oids::BASIC_CONSTRAINTS) = Extension::authority(None)),
    fault("a critical extension of nobody's", "nvidia.chain.constraints", |d| at(d, 0).extensions.push(Extension::critical(&[1, 2, 3], vec![5, 0]))),
    fault("a P-256 key", "nvidia.chain.algorithm", |d| at(d, 1).public_key = Key::p256().public_key_info()),
    fault("an attestation key of nobody's", "nvidia.chain.signature", |d| sign(d, 0, Signer::Stranger)),
    fault("a generation of nobody's", "nvidia.chain.signature", |d| sign(d, 3, Signer::Stranger)),
    fault("a generation of the manifests' root", "nvidia.chain.signature", |d| sign(d, 3, Signer::RimRoot)),
    fault("a provisioner of the future", "nvidia.chain.not_yet_valid", |d| at(d, 2).validity = FUTURE),
    fault("a provisioner of the past", "nvidia.chain.expired", |d| at(d, 2).validity = PAST),
    fault("a root of the past", "nvidia.chain.expired", |d| d.device_root.validity = PAST),
    fault("another chip", "nvidia.chip.known", |d| at(d, 0).subject = Name::nvidia("TU102 A01 GSP FMC LF")),
    fault("a ROM without number", "nvidia.serial", |d| at(d, 1).serial = vec![0]),
    fault("a report of another chip", "nvidia.chip", |d| *d.report.opaque(opaque::CHIP_INFO) = b"GB100\0".to_vec()),
    fault("other firmware than certified", "nvidia.fwid", |d| *d.report.opaque(opaque::FWID) = vec![1; 48]),
    fault("firmware told, none certified", "nvidia.fwid", |d| at(d, 0).without(DEVICE_ID)),
    fault("signed by nobody", "nvidia.signature", |d| d.report.signer = Signer::Stranger),
    fault("signed by the ROM's key", "nvidia.signature", |d| d.report.signer = Signer::Rom),
    fault("no driver version", "nvidia.report.complete", |d| d.report.opaque.retain(|(kind, _)| *kind != opaque::DRIVER_VERSION)),
];

fn at(draft: &mut Draft, index: usize) -> &mut Certificate {
    let certificate = draft.device_chain.get_mut(index);
    certificate.expect("a chain has four below its root")
}

fn sign(draft: &mut Draft, index: usize, signer: Signer) {
    let of = draft.device_signers.get_mut(index);
    *of.expect("a chain has four below its root") = signer;
}
