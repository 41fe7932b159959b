//! Intel's collateral of one FMSPC as a CBOR map of its parts.

use super::{
    CollateralError, limits,
    wire::{checked, sized},
};
use crate::{
    cbor::{self, Fields, map},
    tdx::Collateral,
};
use ciborium::Value;

const TCB_INFO: &str = "tcb-info";
const TCB_INFO_SIGNATURE: &str = "tcb-info-signature";
const TCB_INFO_ISSUER_CHAIN: &str = "tcb-info-issuer-chain";
const QE_IDENTITY: &str = "qe-identity";
const QE_IDENTITY_SIGNATURE: &str = "qe-identity-signature";
const QE_IDENTITY_ISSUER_CHAIN: &str = "qe-identity-issuer-chain";
const ROOT_CA_CRL: &str = "root-ca-crl";
const PCK_CRL: &str = "pck-crl";
const PCK_CRL_ISSUER_CHAIN: &str = "pck-crl-issuer-chain";
const PCK_CERTIFICATE_CHAIN: &str = "pck-certificate-chain";

/// r || s.
const SIGNATURE_BYTES: usize = 64;

pub(super) fn read(bytes: &[u8]) -> Result<Collateral, CollateralError> {
    let fields = Fields::decode(bytes, limits::TDX.bytes);
    let mut fields = fields.ok_or(CollateralError::Entry("tdx"))?;
    let collateral = Collateral {
        tcb_info: document(&mut fields, TCB_INFO)?,
        tcb_info_signature: signature(&mut fields, TCB_INFO_SIGNATURE)?,
        tcb_info_issuer_chain: chain(&mut fields, TCB_INFO_ISSUER_CHAIN)?,
        qe_identity: document(&mut fields, QE_IDENTITY)?,
        qe_identity_signature: signature(&mut fields, QE_IDENTITY_SIGNATURE)?,
        qe_identity_issuer_chain: chain(&mut fields, QE_IDENTITY_ISSUER_CHAIN)?,
        root_ca_crl: crl(&mut fields, ROOT_CA_CRL)?,
        pck_crl: crl(&mut fields, PCK_CRL)?,
        pck_crl_issuer_chain: chain(&mut fields, PCK_CRL_ISSUER_CHAIN)?,
        pck_certificate_chain: optional_chain(&mut fields, PCK_CERTIFICATE_CHAIN)?,
    };
    fields.finish().ok_or(CollateralError::UnknownEntry)?;
    Ok(collateral)
}

pub(super) fn write(collateral: &Collateral) -> Vec<u8> {
    let bytes = |bytes: &Vec<u8>| Value::from(bytes.as_slice());
    let chain = |chain: &Vec<Vec<u8>>| Value::Array(chain.iter().map(bytes).collect());
    let mut parts = vec![
        (TCB_INFO, bytes(&collateral.tcb_info)),
        (TCB_INFO_SIGNATURE, bytes(&collateral.tcb_info_signature)),
        (
            TCB_INFO_ISSUER_CHAIN,
            chain(&collateral.tcb_info_issuer_chain),
        ),
        (QE_IDENTITY, bytes(&collateral.qe_identity)),
        (
            QE_IDENTITY_SIGNATURE,
            bytes(&collateral.qe_identity_signature),
        ),
        (
            QE_IDENTITY_ISSUER_CHAIN,
            chain(&collateral.qe_identity_issuer_chain),
        ),
        (ROOT_CA_CRL, bytes(&collateral.root_ca_crl)),
        (PCK_CRL, bytes(&collateral.pck_crl)),
        (
            PCK_CRL_ISSUER_CHAIN,
            chain(&collateral.pck_crl_issuer_chain),
        ),
    ];
    let pck = collateral.pck_certificate_chain.as_ref();
    parts.extend(pck.map(|pck| (PCK_CERTIFICATE_CHAIN, chain(pck))));
    cbor::encode(&map(parts))
}

fn document(fields: &mut Fields, name: &'static str) -> Result<Vec<u8>, CollateralError> {
    part(fields, name, limits::TDX_DOCUMENT_BYTES)
}

fn crl(fields: &mut Fields, name: &'static str) -> Result<Vec<u8>, CollateralError> {
    part(fields, name, limits::TDX_CRL_BYTES)
}

fn signature(fields: &mut Fields, name: &'static str) -> Result<Vec<u8>, CollateralError> {
    let signature = fields.take_array::<SIGNATURE_BYTES>(name);
    Ok(signature.ok_or(CollateralError::Entry(name))?.to_vec())
}

fn part(
    fields: &mut Fields,
    name: &'static str,
    max_bytes: usize,
) -> Result<Vec<u8>, CollateralError> {
    let bytes = fields
        .take_bytes(name)
        .ok_or(CollateralError::Entry(name))?;
    sized(bytes, max_bytes, name)
}

fn chain(fields: &mut Fields, name: &'static str) -> Result<Vec<Vec<u8>>, CollateralError> {
    optional_chain(fields, name)?.ok_or(CollateralError::Entry(name))
}

fn optional_chain(
    fields: &mut Fields,
    name: &'static str,
) -> Result<Option<Vec<Vec<u8>>>, CollateralError> {
    let Some(value) = fields.take(name) else {
        return Ok(None);
    };
    let items = value
        .into_array()
        .map_err(|_| CollateralError::Entry(name))?;
    checked(items, limits::CHAIN, name).map(Some)
}
