//! A collateral bundle: what is accepted has one encoding, merging with itself changes nothing, and telling its contents never panics.
#![no_main]

use attestation::{
    CollateralBundle, UnixTime, collateral::SnpCollateral, nvidia::References, tdx::Collateral,
};
use narthex_fuzz::seeds::{self, ASK, Genuine};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Ok(bundle) = CollateralBundle::from_cbor(data) {
        assert_eq!(bundle.to_cbor(), data);
        assert_eq!(bundle.clone().merge(bundle.clone()), bundle);
        assert!(!bundle.contents().is_empty());
        let _ = bundle.tdx_of([0x90, 0xC0, 0x6F, 0, 0, 0], UnixTime(1_780_272_000));
    }
}

fn plant() {
    seeds::plant([bundle(&Genuine::load()).to_cbor()]);
}

fn bundle(genuine: &Genuine) -> CollateralBundle {
    let document = br#"{"id":"TDX","issueDate":"2026-06-01T00:00:00Z","nextUpdate":"2026-07-01T00:00:00Z","fmspc":"90C06F000000"}"#;
    CollateralBundle {
        snp: SnpCollateral {
            certificates: vec![ASK.to_vec(), genuine.milan.clone()],
            crls: vec![vec![1; 20]],
        },
        tdx: vec![Collateral {
            tcb_info: document.to_vec(),
            tcb_info_signature: vec![2; 64],
            tcb_info_issuer_chain: vec![ASK.to_vec()],
            qe_identity: document.to_vec(),
            qe_identity_signature: vec![3; 64],
            qe_identity_issuer_chain: vec![vec![4; 20]],
            root_ca_crl: vec![5; 20],
            pck_crl: vec![6; 20],
            pck_crl_issuer_chain: vec![vec![7; 20]],
            pck_certificate_chain: Some(vec![vec![8; 20]]),
        }],
        nvidia: References {
            rims: vec![b"<a/>".to_vec()],
            ocsp: vec![vec![0x30, 0x03, 0x0a, 0x01, 0x06]],
        },
    }
}
