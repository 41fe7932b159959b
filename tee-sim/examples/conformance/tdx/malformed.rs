//! What is no evidence or no collateral of a known form, and what lacks an input.

use super::{
    Change::{After, Before},
    Fault, LOG, PCK, QE_IDENTITY, QUOTE, TCB_INFO, boot_log,
};
use tee_sim::{
    der::integer,
    tdx::{Draft, Issued, PckSource, SgxExtensions, TdxModule},
    x509::{Extension, oids},
};

// Offsets in a quote of version 5 with a body of TDX 1.5.
pub(super) const SIGNATURE: usize = 706;
pub(super) const ATTESTATION_KEY: usize = 770;
pub(super) const QE_REPORT: usize = 840;
pub(super) const QE_REPORT_SIGNATURE: usize = 1224;
pub(super) const QE_AUTH_DATA: usize = 1290;

const CERTIFICATE: &str = "RFC 5280 section 4.1";
const CRL: &str = "RFC 5280 section 5.1";
const ATTRIBUTES: &str = "Intel TDX Module ABI 348551, ATTRIBUTES";

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    ("Empty quote", QUOTE, "tdx.quote.size", After(|i| i.quote.clear())),
    ("Quote cut in its header", QUOTE, "tdx.quote.size", After(|i| i.quote.truncate(40))),
    ("Quote cut in its body", QUOTE, "tdx.quote.size", After(|i| i.quote.truncate(400))),
    ("Quote cut in its signature data", QUOTE, "tdx.quote.size", After(|i| drop_last(&mut i.quote))),
    ("Quote version 2", QUOTE, "tdx.quote.version", Before(|d| d.quote.version = 2)),
    ("Quote version 3 of a TD", QUOTE, "tdx.quote.version", Before(|d| d.quote.version = 3)),
    ("Quote version 6", QUOTE, "tdx.quote.version", Before(|d| d.quote.version = 6)),
    ("TEE type that is not known", QUOTE, "tdx.quote.tee_type", Before(|d| d.quote.tee_type = 0x82)),
    ("Attestation key of P-384", QUOTE, "tdx.quote.key_type", Before(|d| d.quote.attestation_key_type = 3)),
    ("Body of an SGX enclave", QUOTE, "tdx.quote.body", After(|i| i.quote[48] = 1)),
    ("Body type that is not known", QUOTE, "tdx.quote.body", After(|i| i.quote[48] = 5)),
    ("Body size of another type", QUOTE, "tdx.quote.body", After(|i| i.quote[50] ^= 1)),
    ("TD attributes bit 1", ATTRIBUTES, "tdx.quote.attributes", Before(|d| d.quote.body.report_mut().td_attributes |= 1 << 1)),
    ("TD attributes bit 32", ATTRIBUTES, "tdx.quote.attributes", Before(|d| d.quote.body.report_mut().td_attributes |= 1 << 32)),
    ("Certification data longer than the signature data", QUOTE, "tdx.quote.signature_data", After(|i| i.quote[838] = 1)),
    ("PCK chain shorter than its length", QUOTE, "tdx.quote.signature_data", After(|i| i.quote[1326] = 1)),
    ("PCK chain longer than its length", QUOTE, "tdx.quote.signature_data", After(|i| i.quote[1324..1328].copy_from_slice(&[1, 0, 0, 0]))),

    ("Certification data type 5 around the QE report", QUOTE, "tdx.quote.certification", Before(|d| d.quote.certification_type = 5)),
    ("PCK chain that is no PEM", PCK, "tdx.pck.format", After(|i| i.quote[1330] = b'*')),
    ("PCK certificate of X.509 v2", CERTIFICATE, "tdx.pck.format", Before(|d| d.pck.version = 1)),
    ("PCK certificate without the SGX extensions", PCK, "tdx.pck.extensions", Before(|d| d.sgx = None)),
    ("PCK certificate without PPID", PCK, "tdx.pck.extensions", Before(|d| sgx(d, |sgx| sgx.omitted = vec![1]))),
    ("PCK certificate without TCB", PCK, "tdx.pck.extensions", Before(|d| sgx(d, |sgx| sgx.omitted = vec![2]))),
    ("PCK certificate without FMSPC", PCK, "tdx.pck.extensions", Before(|d| sgx(d, |sgx| sgx.omitted = vec![4]))),
    ("PCK certificate with five bytes of FMSPC", PCK, "tdx.pck.extensions", Before(|d| sgx(d, |sgx| sgx.fmspc.truncate(5)))),
    ("PCK certificate with an SGX type that is not known", PCK, "tdx.pck.extensions", Before(|d| sgx(d, |sgx| sgx.sgx_type = 3))),
    ("TCB signing certificate of X.509 v2", CERTIFICATE, "tdx.collateral.format", Before(|d| d.tcb_signing.version = 1)),
    ("TCB info that is no JSON", TCB_INFO, "tdx.tcb_info.format", After(|i| documents(i).0.push(b'}'))),
    ("TCB info version 2", TCB_INFO, "tdx.tcb_info.format", Before(|d| d.tcb_info.version = 2)),
    ("TCB info of SGX", TCB_INFO, "tdx.tcb_info.format", Before(|d| d.tcb_info.id = "SGX".to_owned())),
    ("TCB info with a TCB type that is not known", TCB_INFO, "tdx.tcb_info.format", Before(|d| d.tcb_info.tcb_type = 1)),
    ("TCB info without levels", TCB_INFO, "tdx.tcb_info.format", Before(|d| d.tcb_info.tcb_levels.clear())),
    ("TCB info with fifteen components", TCB_INFO, "tdx.tcb_info.format", Before(|d| drop_last(&mut d.tcb_info.tcb_levels[0].tcb.tdxtcbcomponents))),
    ("TCB info without the TDX module", TCB_INFO, "tdx.tcb_info.format", Before(|d| d.tcb_info.tdx_module = None)),
    ("TCB info with a mask that is no hexadecimal", TCB_INFO, "tdx.tcb_info.format", Before(|d| module(d).attributes_mask = "FFFFFFFFFFFFFFFG".to_owned())),
    ("TCB info with two identities of one module", TCB_INFO, "tdx.tcb_info.format", Before(|d| {
        let identity = d.tcb_info.tdx_module_identities[0].clone();
        d.tcb_info.tdx_module_identities.push(identity);
    })),
    ("TCB info without a date", TCB_INFO, "tdx.tcb_info.format", Before(|d| d.tcb_info.next_update = String::new())),
    ("QE identity that is no JSON", QE_IDENTITY, "tdx.qe_identity.format", After(|i| documents(i).1.push(b'}'))),
    ("QE identity of the SGX quoting enclave", QE_IDENTITY, "tdx.qe_identity.format", Before(|d| d.qe_identity.id = "QE".to_owned())),
    ("QE identity version 1", QE_IDENTITY, "tdx.qe_identity.format", Before(|d| d.qe_identity.version = 1)),
    ("QE identity without levels", QE_IDENTITY, "tdx.qe_identity.format", Before(|d| d.qe_identity.tcb_levels.clear())),
    ("QE identity with a short MRSIGNER", QE_IDENTITY, "tdx.qe_identity.format", Before(|d| d.qe_identity.mrsigner.truncate(62))),
    ("Root revocation list without nextUpdate", CRL, "tdx.crl.format", Before(|d| d.root_ca_crl.next_update = None)),
    ("PCK revocation list without nextUpdate", CRL, "tdx.crl.format", Before(|d| d.pck_crl.next_update = None)),
    ("PCK revocation list that is only a delta", "RFC 5280 section 5.2.4", "tdx.crl.format", Before(|d| {
        d.pck_crl.extensions.push(Extension::critical(oids::DELTA_CRL_INDICATOR, integer(1)));
    })),
    ("Event log cut short", LOG, "tdx.event_log.format", After(|i| {
        let mut log = boot_log().to_bytes();
        drop_last(&mut log);
        i.event_log = Some(log);
    })),
    ("Event log without its header", LOG, "tdx.event_log.format", After(|i| i.event_log = Some(vec![0x41; 64]))),
];

#[rustfmt::skip]
pub(super) const INCOMPLETE: &[Fault] = &[
    ("Quoting enclave of another vendor", QUOTE, "tdx.quote.qe_vendor", Before(|d| d.quote.qe_vendor_id[0] ^= 1)),
    ("TEE type of SGX", QUOTE, "tdx.quote.tee_type", Before(|d| d.quote.tee_type = 0)),
    ("Certification data type 7 within the QE report's", QUOTE, "tdx.quote.certification", Before(|d| d.quote.pck = PckSource::Other(7))),
    ("Quote version 3 of an SGX enclave", QUOTE, "tdx.quote.tee_type", Before(|d| {
        d.quote.version = 3;
        d.quote.tee_type = 0;
    })),
    ("No collateral", "Intel PCS API v4", "tdx.collateral.given", After(|i| i.collateral = None)),
    ("PCK chain neither in the quote nor in the collateral", QUOTE, "tdx.pck.given", Before(|d| d.quote.pck = PckSource::Nowhere)),
];

fn drop_last<T>(list: &mut Vec<T>) {
    list.truncate(list.len().saturating_sub(1));
}

fn sgx(draft: &mut Draft, edit: impl FnOnce(&mut SgxExtensions)) {
    draft
        .sgx
        .as_mut()
        .map(edit)
        .expect("a well-kept PCK certificate has them");
}

fn module(draft: &mut Draft) -> &mut TdxModule {
    draft
        .tcb_info
        .tdx_module
        .as_mut()
        .expect("well-kept TCB info has one")
}

/// TCB info and QE identity, as signed.
fn documents(issued: &mut Issued) -> (&mut Vec<u8>, &mut Vec<u8>) {
    let collateral = issued.collateral.as_mut().expect("issued with collateral");
    (&mut collateral.tcb_info, &mut collateral.qe_identity)
}
