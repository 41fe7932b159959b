//! Evidence and collateral that are not authentic, not current, or not of one platform.

use super::{
    Change::{After, Before},
    Fault, LIST, LOG, PATH, PCK, QE_IDENTITY, QUOTE, TCB_INFO, boot_log,
    malformed::{ATTESTATION_KEY, QE_AUTH_DATA, QE_REPORT, QE_REPORT_SIGNATURE, SIGNATURE},
};
use crate::NOW;
use attestation::UnixTime;
use tee_sim::{
    der::integer,
    tdx::{Draft, Issued, Signer, TcbStatus},
    x509::{Certificate, Extension, Key, KeyUsage, Name, oids},
};

const BEFORE_NOW: UnixTime = UnixTime(NOW.0 - 1);
const AFTER_NOW: UnixTime = UnixTime(NOW.0 + 1);
const MODULE: &str = "Intel PCS API v4, Get TDX TCB Info, tdxModuleIdentities";
const REVOKED: &str = "Intel PCS API v4, TCB status Revoked";

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    ("TCB signing certificate of another issuer", PATH, "tdx.tcb_info.chain", Before(|d| d.tcb_signing.issuer = Name::intel("Intel SGX Root CB"))),
    ("TCB signing certificate of another name", PATH, "tdx.tcb_info.chain", Before(|d| d.tcb_signing.subject = Name::intel("Intel SGX PCK Certificate"))),
    ("TCB signing certificate that is an authority", PATH, "tdx.tcb_info.chain", Before(|d| become_authority(&mut d.tcb_signing))),
    ("TCB signing certificate that may not sign", PATH, "tdx.tcb_info.chain", Before(|d| forbid_signing(&mut d.tcb_signing))),
    ("TCB signing certificate with an unknown critical extension", "RFC 5280 section 4.2", "tdx.tcb_info.chain", Before(|d| unknown_critical(&mut d.tcb_signing))),
    ("TCB signing certificate of P-384", PATH, "tdx.tcb_info.chain", Before(|d| d.tcb_signing.public_key = Key::p384().public_key_info())),
    ("TCB signing certificate signed by a stranger", PATH, "tdx.tcb_info.chain", Before(|d| d.signers.tcb_signing = Signer::Stranger)),
    ("TCB signing certificate signed by the PCK CA", PATH, "tdx.tcb_info.chain", Before(|d| d.signers.tcb_signing = Signer::PckCa)),
    ("TCB signing certificate expired", PATH, "tdx.tcb_info.dates", Before(|d| d.tcb_signing.validity.not_after = BEFORE_NOW)),
    ("TCB signing certificate not valid yet", PATH, "tdx.tcb_info.dates", Before(|d| d.tcb_signing.validity.not_before = AFTER_NOW)),
    ("Root expired", PATH, "tdx.tcb_info.dates", Before(|d| d.root.validity.not_after = BEFORE_NOW)),
    ("Another root in the chain of TCB info", PATH, "tdx.tcb_info.chain", After(|i| {
        let other = i.collateral.as_ref().map(|collateral| collateral.pck_crl_issuer_chain[0].clone());
        collateral(i).tcb_info_issuer_chain[1] = other.expect("a PCK CA");
    })),
    ("PCK CA in the chain of the QE identity", PATH, "tdx.qe_identity.chain", After(|i| {
        let other = collateral(i).pck_crl_issuer_chain[0].clone();
        collateral(i).qe_identity_issuer_chain[0] = other;
    })),
    ("Signer of the QE identity expired", PATH, "tdx.qe_identity.dates", Before(|d| qe_signing(d).validity.not_after = BEFORE_NOW)),
    ("Signer of the QE identity not valid yet", PATH, "tdx.qe_identity.dates", Before(|d| qe_signing(d).validity.not_before = AFTER_NOW)),
    ("Signer of the QE identity that is an authority", PATH, "tdx.qe_identity.chain", Before(|d| become_authority(qe_signing(d)))),
    ("TCB info signed by a stranger", TCB_INFO, "tdx.tcb_info.signature", Before(|d| d.signers.tcb_info = Signer::Stranger)),
    ("TCB info changed after it was signed", TCB_INFO, "tdx.tcb_info.signature", After(|i| {
        let text = String::from_utf8(collateral(i).tcb_info.clone()).expect("JSON");
        collateral(i).tcb_info = text.replace("OutOfDate", "UpToDate").into_bytes();
    })),
    ("TCB info expired", TCB_INFO, "tdx.tcb_info.window", Before(|d| d.tcb_info.next_update = BEFORE_NOW.to_rfc3339())),
    ("TCB info of the future", TCB_INFO, "tdx.tcb_info.window", Before(|d| d.tcb_info.issue_date = AFTER_NOW.to_rfc3339())),
    ("QE identity signed by a stranger", QE_IDENTITY, "tdx.qe_identity.signature", Before(|d| d.signers.qe_identity = Signer::Stranger)),
    ("QE identity changed after it was signed", QE_IDENTITY, "tdx.qe_identity.signature", After(|i| {
        let text = String::from_utf8(collateral(i).qe_identity.clone()).expect("JSON");
        collateral(i).qe_identity = text.replace("OutOfDate", "UpToDate").into_bytes();
    })),
    ("QE identity with the signature of TCB info", QE_IDENTITY, "tdx.qe_identity.signature", After(|i| {
        collateral(i).qe_identity_signature = collateral(i).tcb_info_signature.clone();
    })),
    ("QE identity expired", QE_IDENTITY, "tdx.qe_identity.window", Before(|d| d.qe_identity.next_update = BEFORE_NOW.to_rfc3339())),
    ("QE identity of the future", QE_IDENTITY, "tdx.qe_identity.window", Before(|d| d.qe_identity.issue_date = AFTER_NOW.to_rfc3339())),
    ("PCK CA of another name", PCK, "tdx.crl.chain", Before(|d| {
        let name = Name::intel("Intel SGX PCK Example CA");
        d.pck_ca.subject = name.clone();
        d.pck.issuer = name.clone();
        d.pck_crl.issuer = name;
    })),
    ("PCK CA that is no authority", PATH, "tdx.crl.chain", Before(|d| *d.pck_ca.extension(oids::BASIC_CONSTRAINTS) = Extension::end_entity())),
    ("PCK CA signed by a stranger", PATH, "tdx.crl.chain", Before(|d| d.signers.pck_ca = Signer::Stranger)),
    ("PCK CA expired", PATH, "tdx.crl.dates", Before(|d| d.pck_ca.validity.not_after = BEFORE_NOW)),
    ("Root revocation list of another issuer", LIST, "tdx.crl.issuer", Before(|d| d.root_ca_crl.issuer = Name::intel("Intel SGX Root CB"))),
    ("PCK revocation list of another issuer", LIST, "tdx.crl.issuer", Before(|d| d.pck_crl.issuer = Name::intel("Intel SGX PCK Processor CA"))),
    ("Revocation lists in each other's place", LIST, "tdx.crl.issuer", After(|i| {
        let collateral = collateral(i);
        std::mem::swap(&mut collateral.root_ca_crl, &mut collateral.pck_crl);
    })),
    ("PCK revocation list of an authority that may not sign lists", LIST, "tdx.crl.issuer", Before(|d| {
        *d.pck_ca.extension(oids::KEY_USAGE) = Extension::key_usage(KeyUsage::CERTIFICATES);
    })),
    ("Root revocation list signed by a stranger", LIST, "tdx.crl.signature", Before(|d| d.signers.root_ca_crl = Signer::Stranger)),
    ("PCK revocation list signed by a stranger", LIST, "tdx.crl.signature", Before(|d| d.signers.pck_crl = Signer::Stranger)),
    ("Root revocation list out of date", LIST, "tdx.crl.window", Before(|d| d.root_ca_crl.next_update = Some(BEFORE_NOW))),
    ("PCK revocation list out of date", LIST, "tdx.crl.window", Before(|d| d.pck_crl.next_update = Some(BEFORE_NOW))),
    ("PCK revocation list of the future", LIST, "tdx.crl.window", Before(|d| d.pck_crl.this_update = AFTER_NOW)),
    ("PCK CA revoked", LIST, "tdx.crl.revoked", Before(|d| d.root_ca_crl.revoked = vec![vec![2]])),
    ("TCB signing certificate revoked", LIST, "tdx.crl.revoked", Before(|d| d.root_ca_crl.revoked = vec![vec![3]])),
    ("PCK certificate revoked", LIST, "tdx.pck.revoked", Before(|d| d.pck_crl.revoked = vec![vec![9], vec![4]])),
    ("PCK revocation list of the other CA", LIST, "tdx.pck.crl", Before(|d| {
        let name = Name::intel("Intel SGX PCK Processor CA");
        let processor_ca = Certificate { subject: name.clone(), ..d.pck_ca.clone() };
        d.pck_crl_ca = Some(processor_ca);
        d.pck_crl.issuer = name;
    })),
    ("PCK certificate of another issuer", PATH, "tdx.pck.chain", Before(|d| d.pck.issuer = Name::intel("Intel SGX PCK Processor CA"))),
    ("PCK certificate of another name", PCK, "tdx.pck.chain", Before(|d| d.pck.subject = Name::intel("Intel SGX TCB Signing"))),
    ("PCK certificate that is an authority", PATH, "tdx.pck.chain", Before(|d| become_authority(&mut d.pck))),
    ("PCK certificate that may not sign", PATH, "tdx.pck.chain", Before(|d| forbid_signing(&mut d.pck))),
    ("PCK certificate with an unknown critical extension", "RFC 5280 section 4.2", "tdx.pck.chain", Before(|d| unknown_critical(&mut d.pck))),
    ("PCK certificate of P-384", PCK, "tdx.pck.chain", Before(|d| d.pck.public_key = Key::p384().public_key_info())),
    ("PCK certificate signed by a stranger", PATH, "tdx.pck.chain", Before(|d| d.signers.pck = Signer::Stranger)),
    ("PCK certificate signed by the root", PATH, "tdx.pck.chain", Before(|d| d.signers.pck = Signer::Root)),
    ("PCK certificate expired", PATH, "tdx.pck.dates", Before(|d| d.pck.validity.not_after = BEFORE_NOW)),
    ("PCK certificate not valid yet", PATH, "tdx.pck.dates", Before(|d| d.pck.validity.not_before = AFTER_NOW)),
    ("QE report signed by a stranger", QUOTE, "tdx.qe_report.signature", Before(|d| d.signers.qe_report = Signer::Stranger)),
    ("QE report changed on the way", QUOTE, "tdx.qe_report.signature", After(|i| i.quote[QE_REPORT] ^= 1)),
    ("Signature of the QE report changed on the way", QUOTE, "tdx.qe_report.signature", After(|i| i.quote[QE_REPORT_SIGNATURE] ^= 1)),
    ("Attestation key changed on the way", QUOTE, "tdx.signature", After(|i| i.quote[ATTESTATION_KEY] ^= 1)),
    ("Authentication data changed on the way", QUOTE, "tdx.key_binding", After(|i| i.quote[QE_AUTH_DATA] ^= 1)),
    ("QE report over nothing", QUOTE, "tdx.key_binding", Before(|d| d.quote.qe_report.report_data = Some([0; 64]))),
    ("A byte that is not zero behind the quote", QUOTE, "tdx.quote.padding", After(|i| i.quote.push(1))),
    ("Quote signed by a stranger", QUOTE, "tdx.signature", Before(|d| d.signers.quote = Signer::Stranger)),
    ("REPORTDATA changed on the way", QUOTE, "tdx.signature", After(|i| i.quote[SIGNATURE - 4 - 64 - 64] ^= 1)),
    ("Header changed on the way", QUOTE, "tdx.signature", After(|i| i.quote[28] ^= 1)),
    ("Signature of the quote changed on the way", QUOTE, "tdx.signature", After(|i| i.quote[SIGNATURE] ^= 1)),
    ("Signature of the quote zero", QUOTE, "tdx.signature", After(|i| i.quote[SIGNATURE..ATTESTATION_KEY].fill(0))),
    ("Quoting enclave of another signer", QE_IDENTITY, "tdx.qe_report.identity", Before(|d| d.quote.qe_report.mr_signer[0] ^= 1)),
    ("Quoting enclave of another product", QE_IDENTITY, "tdx.qe_report.identity", Before(|d| d.quote.qe_report.isv_prod_id = 1)),
    ("Quoting enclave under debug", QE_IDENTITY, "tdx.qe_report.identity", Before(|d| d.quote.qe_report.attributes[0] |= 2)),
    ("Quoting enclave with another MISCSELECT", QE_IDENTITY, "tdx.qe_report.identity", Before(|d| d.quote.qe_report.misc_select = 1)),
    ("Quoting enclave below every level", QE_IDENTITY, "tdx.qe_report.level", Before(|d| d.quote.qe_report.isv_svn = 1)),
    ("TCB info of another FMSPC", TCB_INFO, "tdx.tcb.platform", Before(|d| d.tcb_info.fmspc = "B0C06F000000".to_owned())),
    ("TCB info of another PCE", TCB_INFO, "tdx.tcb.platform", Before(|d| d.tcb_info.pce_id = "0100".to_owned())),
    ("Module of a version without an identity", MODULE, "tdx.module.identity", Before(|d| d.quote.body.report_mut().tee_tcb_svn[1] = 9)),
    ("Running module of a version without an identity", MODULE, "tdx.module.identity", Before(|d| td15(d).tee_tcb_svn2[1] = 9)),
    ("Module of another signer", MODULE, "tdx.module.signer", Before(|d| d.quote.body.report_mut().mr_signer_seam[0] = 1)),
    ("Module with other attributes", MODULE, "tdx.module.signer", Before(|d| d.quote.body.report_mut().seam_attributes[0] = 1)),
    ("Module below every level", MODULE, "tdx.module.level", Before(|d| d.quote.body.report_mut().tee_tcb_svn[0] = 1)),
    ("Platform below every level", TCB_INFO, "tdx.tcb.level", Before(|d| set_cpu_svn(d, 1))),
    ("Microcode of the TD below every level", TCB_INFO, "tdx.tcb.level", Before(|d| d.quote.body.report_mut().tee_tcb_svn[2] = 1)),
    ("Level of the platform revoked", REVOKED, "tdx.tcb.revoked", Before(|d| d.tcb_info.tcb_levels[0].tcb_status = TcbStatus::Revoked)),
    ("Level of the module revoked", REVOKED, "tdx.tcb.revoked", Before(|d| d.tcb_info.tdx_module_identities[0].tcb_levels[0].tcb_status = TcbStatus::Revoked)),
    ("Level of the quoting enclave revoked", REVOKED, "tdx.tcb.revoked", Before(|d| d.qe_identity.tcb_levels[0].tcb_status = TcbStatus::Revoked)),
    ("Level of the running module revoked", REVOKED, "tdx.tcb.revoked", Before(|d| {
        d.tcb_info.tdx_module_identities[0].tcb_levels[1].tcb_status = TcbStatus::Revoked;
        td15(d).tee_tcb_svn2[0] = 4;
    })),
    ("Event log of another boot", LOG, "tdx.event_log.replay", Before(|d| {
        d.log_events(boot_log());
        d.quote.body.report_mut().rtmrs[2][0] ^= 1;
    })),
    ("Event log with an event too many", LOG, "tdx.event_log.replay", Before(|d| {
        d.log_events(boot_log());
        d.event_log = Some(boot_log().event(3, 6, b"not measured"));
    })),
];

fn become_authority(certificate: &mut Certificate) {
    *certificate.extension(oids::BASIC_CONSTRAINTS) = Extension::authority(None);
}

fn forbid_signing(certificate: &mut Certificate) {
    *certificate.extension(oids::KEY_USAGE) = Extension::key_usage(KeyUsage::ENCIPHERMENT);
}

/// A signer of the QE identity beside that of TCB info.
fn qe_signing(draft: &mut Draft) -> &mut Certificate {
    draft.qe_signing.insert(draft.tcb_signing.clone())
}

fn unknown_critical(certificate: &mut Certificate) {
    let unknown = Extension::critical(&[1, 2, 3, 4], integer(1));
    certificate.extensions.push(unknown);
}

fn collateral(issued: &mut Issued) -> &mut attestation::tdx::Collateral {
    issued.collateral.as_mut().expect("issued with collateral")
}

fn td15(draft: &mut Draft) -> &mut tee_sim::tdx::TdReport15 {
    draft.quote.body.td15_mut().expect("a body of TDX 1.5")
}

fn set_cpu_svn(draft: &mut Draft, svn: u8) {
    let sgx = draft.sgx.as_mut().expect("a well-kept PCK certificate");
    sgx.cpu_svn[0] = svn;
}
