//! Evidence that is not authentic, not current, or not of one machine.

use super::{
    Change::{After, Before},
    Fault, LIST, PATH, REPORT, VEK,
};
use crate::NOW;
use attestation::{UnixTime, snp::SigningKey};
use tee_sim::{
    KeyInfo,
    der::integer,
    snp::Signer,
    x509::{Extension, Key, KeyUsage, Name, oids, rsassa_pss_sha384},
};

const SIGNATURE: &str = "AMD 56860 section 7.3";
const BEFORE_NOW: UnixTime = UnixTime(NOW.0 - 1);
const AFTER_NOW: UnixTime = UnixTime(NOW.0 + 1);

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    ("CPUID of Genoa under a VCEK of Milan", VEK, "snp.product", Before(|d| d.report.cpuid.model = 0x11)),
    ("Report that names a VLEK under a VCEK", REPORT, "snp.signing_key", Before(|d| d.report.key_info = KeyInfo::signed_with(SigningKey::Vlek))),
    ("Report that names a VCEK under a VLEK", REPORT, "snp.signing_key", Before(|d| {
        d.become_vlek();
        d.report.key_info = KeyInfo::signed_with(SigningKey::Vcek);
    })),
    ("VCEK of another issuer", PATH, "snp.chain.issuer", Before(|d| d.vek.issuer = Name::amd("SEV-Genoa"))),
    ("Intermediate for VLEKs above a VCEK", VEK, "snp.chain.issuer", Before(|d| {
        d.vek.issuer = Name::amd("SEV-VLEK-Milan");
        d.ask.subject = Name::amd("SEV-VLEK-Milan");
    })),
    ("Intermediate of another root", PATH, "snp.chain.issuer", Before(|d| d.ask.issuer = Name::amd("ARK-Genoa"))),
    ("Root in place of the intermediate", PATH, "snp.chain.issuer", After(|i| i.chain = vec![i.ark.clone()])),
    ("Intermediate twice", PATH, "snp.chain.issuer", After(|i| i.chain = vec![i.ask.clone(); 2])),
    ("Stranger beside the intermediate", PATH, "snp.chain.issuer", After(|i| i.chain.push(i.vek.clone()))),
    ("Intermediate that is no authority", PATH, "snp.chain.constraints", Before(|d| {
        *d.ask.extension(oids::BASIC_CONSTRAINTS) = Extension::end_entity();
    })),
    ("Intermediate without basic constraints", PATH, "snp.chain.constraints", Before(|d| d.ask.without(oids::BASIC_CONSTRAINTS))),
    ("Intermediate that may not sign certificates", PATH, "snp.chain.constraints", Before(|d| {
        *d.ask.extension(oids::KEY_USAGE) = Extension::key_usage(KeyUsage::LISTS);
    })),
    ("Root with path length 0", PATH, "snp.chain.constraints", Before(|d| {
        *d.ark.extension(oids::BASIC_CONSTRAINTS) = Extension::authority(Some(0));
    })),
    ("VCEK that is an authority", PATH, "snp.chain.constraints", Before(|d| d.vek.extensions.push(Extension::authority(None)))),
    ("VCEK that may not sign", PATH, "snp.chain.constraints", Before(|d| d.vek.extensions.push(Extension::key_usage(KeyUsage::ENCIPHERMENT)))),
    ("Unknown critical extension in the VCEK", "RFC 5280 section 4.2", "snp.chain.constraints", Before(|d| {
        d.vek.extensions.push(Extension::critical(&[1, 2, 3, 4], integer(1)));
    })),
    ("Unknown critical extension in the intermediate", "RFC 5280 section 4.2", "snp.chain.constraints", Before(|d| {
        d.ask.extensions.push(Extension::critical(&[2, 5, 29, 30], integer(1)));
    })),
    ("VCEK that declares 32 bytes of salt", VEK, "snp.chain.algorithm", Before(|d| {
        d.vek.inner_algorithm = Some(rsassa_pss_sha384(32));
        d.vek.outer_algorithm = Some(rsassa_pss_sha384(32));
    })),
    ("VCEK whose two algorithms differ", "RFC 5280 section 4.1.1.2", "snp.chain.algorithm", Before(|d| d.vek.outer_algorithm = Some(rsassa_pss_sha384(32)))),
    ("Intermediate of RSA-3072", VEK, "snp.chain.algorithm", Before(|d| d.ask.public_key = Key::rsa_3072().public_key_info())),
    ("VCEK of P-256", VEK, "snp.chain.algorithm", Before(|d| d.vek.public_key = Key::p256().public_key_info())),
    ("VCEK signed by the root", PATH, "snp.chain.signature", Before(|d| d.vek_signer = Signer::Ark)),
    ("VCEK signed by a stranger", PATH, "snp.chain.signature", Before(|d| d.vek_signer = Signer::StrangerRsa)),
    ("Intermediate signed by a stranger", PATH, "snp.chain.signature", Before(|d| d.ask_signer = Signer::StrangerRsa)),
    ("Signature of the VCEK changed", PATH, "snp.chain.signature", After(|i| flip_last(&mut i.vek))),
    ("Signature of the intermediate changed", PATH, "snp.chain.signature", After(|i| flip_last(&mut i.chain[0]))),
    ("VCEK not valid yet", PATH, "snp.chain.not_yet_valid", Before(|d| d.vek.validity.not_before = AFTER_NOW)),
    ("Intermediate not valid yet", PATH, "snp.chain.not_yet_valid", Before(|d| d.ask.validity.not_before = AFTER_NOW)),
    ("Root not valid yet", PATH, "snp.chain.not_yet_valid", Before(|d| d.ark.validity.not_before = AFTER_NOW)),
    ("VCEK expired", PATH, "snp.chain.expired", Before(|d| d.vek.validity.not_after = BEFORE_NOW)),
    ("VLEK expired", PATH, "snp.chain.expired", Before(|d| {
        d.become_vlek();
        d.vek.validity.not_after = BEFORE_NOW;
    })),
    ("Intermediate expired", PATH, "snp.chain.expired", Before(|d| d.ask.validity.not_after = BEFORE_NOW)),
    ("Root expired", PATH, "snp.chain.expired", Before(|d| d.ark.validity.not_after = BEFORE_NOW)),
    ("Revocation list of another root", LIST, "snp.crl.issuer", Before(|d| d.crls[0].issuer = Name::amd("ARK-Genoa"))),
    ("Revocation list of a root that may not sign lists", LIST, "snp.crl.issuer", Before(|d| {
        *d.ark.extension(oids::KEY_USAGE) = Extension::key_usage(KeyUsage::CERTIFICATES);
    })),
    ("Second revocation list of another root", LIST, "snp.crl.issuer", Before(|d| {
        let mut other = d.crls[0].clone();
        other.issuer = Name::amd("ARK-Genoa");
        d.crls.push(other);
    })),
    ("Revocation list signed by the intermediate", LIST, "snp.crl.signature", Before(|d| d.crl_signer = Signer::Ask)),
    ("Signature of the revocation list changed", LIST, "snp.crl.signature", After(|i| flip_last(&mut i.crls[0]))),
    ("Revocation list out of date", LIST, "snp.crl.window", Before(|d| d.crls[0].next_update = Some(BEFORE_NOW))),
    ("Revocation list of the future", LIST, "snp.crl.window", Before(|d| d.crls[0].this_update = AFTER_NOW)),
    ("Root revoked", LIST, "snp.crl.revoked", Before(|d| d.crls[0].revoked = vec![vec![9], vec![1, 0, 0]])),
    ("Intermediate revoked", LIST, "snp.crl.revoked", Before(|d| d.crls[0].revoked = vec![vec![1, 0, 1]])),
    ("VCEK revoked", LIST, "snp.crl.revoked", Before(|d| d.crls[0].revoked = vec![vec![2]])),
    ("VCEK of another chip", VEK, "snp.vek.hwid", Before(|d| d.report.chip_id[63] ^= 1)),
    ("Masked CHIP_ID under a VCEK", VEK, "snp.vek.hwid", Before(|d| d.report.chip_id = [0; 64])),
    ("VCEK of an older boot loader", VEK, "snp.vek.tcb", Before(|d| d.report.reported_tcb.bootloader += 1)),
    ("VCEK of newer microcode", VEK, "snp.vek.tcb", Before(|d| d.report.reported_tcb.microcode -= 1)),
    ("Reserved byte in REPORTED_TCB only", VEK, "snp.vek.tcb", Before(|d| d.overwrite(0x182, &[1]))),
    ("Report signed by another key", SIGNATURE, "snp.signature", Before(|d| d.report_signer = Signer::Stranger)),
    ("REPORT_DATA changed on the way", SIGNATURE, "snp.signature", After(|i| i.report[0x50] ^= 1)),
    ("MEASUREMENT changed on the way", SIGNATURE, "snp.signature", After(|i| i.report[0x90] ^= 1)),
    ("R changed on the way", SIGNATURE, "snp.signature", After(|i| i.report[0x2A0] ^= 1)),
    ("S changed on the way", SIGNATURE, "snp.signature", After(|i| i.report[0x2E8] ^= 1)),
    ("R and S zero", SIGNATURE, "snp.signature", After(|i| i.report[0x2A0..].fill(0))),
];

/// Flips the lowest bit of what a certificate ends in: its signature.
fn flip_last(der: &mut [u8]) {
    if let Some(last) = der.last_mut() {
        *last ^= 1;
    }
}
