//! What is no evidence of a known form, and what is of a processor that is not known.

use super::{
    Change::{After, Before},
    Fault, REPORT, VEK,
};
use tee_sim::{
    der::{boolean_true, ia5_string, integer},
    snp::amd,
    x509::{Extension, oids},
};

const CERTIFICATE: &str = "RFC 5280 section 4.1";
const CRL: &str = "RFC 5280 section 5.1";

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    ("Empty report", REPORT, "snp.report.size", After(|i| i.report.clear())),
    ("Report cut short", REPORT, "snp.report.size", After(|i| i.report.truncate(1183))),
    ("A byte after the report", REPORT, "snp.report.size", After(|i| i.report.push(0))),
    ("Report version 1", REPORT, "snp.report.version", Before(|d| d.overwrite(0x000, &[1]))),
    ("Report version 6", REPORT, "snp.report.version", Before(|d| d.overwrite(0x000, &[6]))),
    ("Report version 5 in its low half only", REPORT, "snp.report.version", Before(|d| d.overwrite(0x002, &[1]))),
    ("Reserved byte at 04Ch set and signed", REPORT, "snp.report.reserved", Before(|d| d.overwrite(0x04C, &[1]))),
    ("Reserved byte at 18Bh set and signed", REPORT, "snp.report.reserved", Before(|d| d.overwrite(0x18B, &[1]))),
    ("Reserved byte at 1EBh set and signed", REPORT, "snp.report.reserved", Before(|d| d.overwrite(0x1EB, &[1]))),
    ("Reserved byte at 29Fh set and signed", REPORT, "snp.report.reserved", Before(|d| d.overwrite(0x29F, &[1]))),
    ("Reserved byte at 208h flipped on the way", REPORT, "snp.report.reserved", After(|i| i.report[0x208] ^= 1)),
    ("High byte of R set on the way", REPORT, "snp.report.reserved", After(|i| i.report[0x2D0] = 1)),
    ("High byte of S set on the way", REPORT, "snp.report.reserved", After(|i| i.report[0x32F] = 1)),
    ("Last byte of the report set on the way", REPORT, "snp.report.reserved", After(|i| i.report[0x49F] = 1)),
    ("CPUID fields in a report of version 2", REPORT, "snp.report.reserved", Before(|d| {
        d.report.version = 2;
        d.overwrite(0x188, &[0x19, 0x01, 0x01]);
    })),
    ("Mitigation vectors in a report of version 4", REPORT, "snp.report.reserved", Before(|d| {
        d.report.version = 4;
        d.overwrite(0x1F8, &[1]);
    })),
    ("Guest policy bit 26", "AMD 56860 table 10", "snp.report.policy", Before(|d| d.report.policy |= 1 << 26)),
    ("Guest policy bit 17 clear", "AMD 56860 table 10", "snp.report.policy", Before(|d| d.report.policy &= !(1 << 17))),
    ("Platform info bit 8", "AMD 56860 table 24", "snp.report.platform_info", Before(|d| d.report.platform_info |= 1 << 8)),
    ("VMPL 4", REPORT, "snp.report.fields", Before(|d| d.report.vmpl = 4)),
    ("Signature algorithm 0", REPORT, "snp.report.fields", Before(|d| d.report.signature_algo = 0)),
    ("Signing key 7 as in a report that is not signed", REPORT, "snp.report.fields", Before(|d| d.report.key_info.bits = 7 << 2)),
    ("Signing key 2 reserved", REPORT, "snp.report.fields", Before(|d| d.report.key_info.bits = 2 << 2)),
    ("Key flags bit 5", REPORT, "snp.report.fields", Before(|d| d.report.key_info.bits = 1 << 5)),
    ("Empty VCEK", CERTIFICATE, "snp.vek.format", After(|i| i.vek.clear())),
    ("A byte after the VCEK", CERTIFICATE, "snp.vek.format", After(|i| i.vek.push(0))),
    ("VCEK of X.509 v2", CERTIFICATE, "snp.vek.format", Before(|d| d.vek.version = 1)),
    ("VCEK with an extension twice", "RFC 5280 section 4.2", "snp.vek.format", Before(|d| {
        d.vek.extensions.push(Extension::new(&amd(&[4]), vec![0xEE; 64]));
    })),
    ("Subject VCEK in place of SEV-VCEK", VEK, "snp.vek.extensions", Before(|d| d.vek.subject = tee_sim::x509::Name::amd("VCEK"))),
    ("VCEK without productName", VEK, "snp.vek.extensions", Before(|d| d.vek.without(&amd(&[2])))),
    ("VCEK without HWID", VEK, "snp.vek.extensions", Before(|d| d.vek.without(&amd(&[4])))),
    ("VCEK with 63 bytes of HWID", VEK, "snp.vek.extensions", Before(|d| d.vek.extension(&amd(&[4])).value.truncate(63))),
    ("VCEK without blSPL", VEK, "snp.vek.extensions", Before(|d| d.vek.without(&amd(&[3, 1])))),
    ("VCEK without ucodeSPL", VEK, "snp.vek.extensions", Before(|d| d.vek.without(&amd(&[3, 8])))),
    ("VCEK with blSPL 256", VEK, "snp.vek.extensions", Before(|d| d.vek.extension(&amd(&[3, 1])).value = integer(256))),
    ("VCEK with a boolean as blSPL", VEK, "snp.vek.extensions", Before(|d| d.vek.extension(&amd(&[3, 1])).value = boolean_true())),
    ("VLEK without CSP id", VEK, "snp.vek.extensions", Before(|d| {
        d.become_vlek();
        d.vek.without(&amd(&[5]));
    })),
    ("A byte after the intermediate", CERTIFICATE, "snp.chain.format", After(|i| i.chain[0].push(0))),
    ("Intermediate of X.509 v2", CERTIFICATE, "snp.chain.format", Before(|d| d.ask.version = 1)),
    ("A byte after the revocation list", CRL, "snp.crl.format", After(|i| i.crls[0].push(0))),
    ("Revocation list without nextUpdate", CRL, "snp.crl.format", Before(|d| d.crls[0].next_update = None)),
    ("Revocation list that is only a delta", "RFC 5280 section 5.2.4", "snp.crl.format", Before(|d| {
        d.crls[0].extensions.push(Extension::critical(oids::DELTA_CRL_INDICATOR, integer(1)));
    })),
    ("Reserved byte of CURRENT_TCB set and signed", "AMD 57230 table 3", "snp.report.tcb", Before(|d| d.overwrite(0x03A, &[1]))),
    ("Reserved byte of COMMITTED_TCB set and signed", "AMD 57230 table 3", "snp.report.tcb", Before(|d| d.overwrite(0x1E5, &[1]))),
    ("Reserved byte of LAUNCH_TCB set and signed", "AMD 57230 table 3", "snp.report.tcb", Before(|d| d.overwrite(0x1F2, &[1]))),
];

#[rustfmt::skip]
pub(super) const UNKNOWN: &[Fault] = &[
    ("CPUID of family 17h", REPORT, "snp.report.product", Before(|d| d.report.cpuid.family = 0x17)),
    ("CPUID of a model that is not known", REPORT, "snp.report.product", Before(|d| d.report.cpuid.model = 0x50)),
    ("VCEK of a product that is not known", VEK, "snp.vek.product", Before(|d| d.vek.extension(&amd(&[2])).value = ia5_string("Venice"))),
];
