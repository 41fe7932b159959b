//! No bit of a genuine TD quote can be flipped unseen: header, body, signatures, keys, every certificate's PEM, and the padding.
//!
//! There is no uncovered range: the root in the chain must be the pinned one, PEM has one spelling, what follows the quote is zero.

use crate::support::{at, dcap_qvl_samples};
use attestation::{
    UnixTime,
    roots::TdxRoots,
    tdx::{self, Collateral, Evidence, TdxClaims, TdxError, VerifiedCollateral, VerifiedPck},
};
use std::fs;

struct Genuine {
    quote: Vec<u8>,
    collateral: Collateral,
    now: UnixTime,
}

impl Genuine {
    fn load(quote: &str, collateral: &str, time: &str) -> Self {
        let read = |name: &str| fs::read(dcap_qvl_samples().join(name)).unwrap();
        Self {
            quote: read(quote),
            collateral: Collateral::from_json(&read(collateral)).unwrap(),
            now: at(time),
        }
    }

    /// Version 4, TD 1.0, 70 zeros behind it.
    fn td10() -> Self {
        Self::load(
            "tdx_quote",
            "tdx_quote_collateral.json",
            "2025-07-01T00:00:00Z",
        )
    }

    /// Version 5, TD 1.5ex, nothing behind it.
    fn td15ex() -> Self {
        let collateral = "tdx_quote_td15ex_collateral.json";
        Self::load("tdx_quote_td15ex", collateral, "2026-10-20T00:00:00Z")
    }

    fn cold(&self, quote: &[u8]) -> Result<TdxClaims, TdxError> {
        let evidence = Evidence {
            quote,
            event_log: None,
        };
        tdx::verify(
            &evidence,
            Some(&self.collateral),
            &TdxRoots::vendor(),
            self.now,
        )
    }

    /// Like cold, without verifying the collateral again for every flip.
    fn staged(&self, quote: &[u8], collateral: &VerifiedCollateral) -> Result<TdxClaims, TdxError> {
        let evidence = Evidence {
            quote,
            event_log: None,
        };
        let pck = VerifiedPck::verify(quote, collateral, self.now)?;
        pck.appraise(&evidence, collateral, self.now)
    }
}

fn refuses_flipped_bits(original: &Genuine, bits: impl Iterator<Item = usize>) {
    let collateral =
        VerifiedCollateral::verify(&original.collateral, &TdxRoots::vendor(), original.now);
    let collateral = collateral.unwrap();
    assert!(original.staged(&original.quote, &collateral).is_ok());
    let mut quote = original.quote.clone();
    for bit in bits {
        quote[bit / 8] ^= 1 << (bit % 8);
        let refused = original.staged(&quote, &collateral);
        assert!(refused.is_err(), "bit {bit} at {:#x}", bit / 8);
        quote[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn flipping_any_bit_of_header_body_and_signature_data_is_refused() {
    let original = Genuine::td10();
    let pem = position_of(&original.quote, b"-----BEGIN");
    refuses_flipped_bits(&original, 0..pem * 8);
}

#[test]
fn flipping_any_bit_of_the_chain_and_the_padding_is_refused() {
    let original = Genuine::td10();
    let pem = position_of(&original.quote, b"-----BEGIN");
    refuses_flipped_bits(&original, pem * 8..original.quote.len() * 8);
}

#[test]
fn flipping_bits_of_a_quote_of_version_5_is_refused() {
    let original = Genuine::td15ex();
    refuses_flipped_bits(&original, (0..original.quote.len() * 8).step_by(5));
}

#[test]
fn a_cold_start_refuses_a_flip_in_every_byte() {
    let original = Genuine::td10();
    assert!(original.cold(&original.quote).is_ok());
    let mut quote = original.quote.clone();
    for byte in (0..quote.len()).step_by(3) {
        quote[byte] ^= 1 << (byte % 8);
        assert!(original.cold(&quote).is_err(), "byte {byte:#x}");
        quote[byte] ^= 1 << (byte % 8);
    }
}

#[test]
fn a_quote_cut_anywhere_or_followed_by_anything_is_refused() {
    let original = Genuine::td15ex();
    for length in (0..original.quote.len()).step_by(7) {
        assert!(original.cold(&original.quote[..length]).is_err());
    }
    let padded = |padding: &[u8]| original.cold(&[&original.quote, padding].concat());
    assert!(padded(&[0; 100]).is_ok());
    assert_eq!(padded(&[0, 0, 1]), Err(TdxError::Padding));
    assert_eq!(padded(b"\n").unwrap_err().code(), "tdx.quote.padding");
    let huge = padded(&vec![0; 64 * 1024]);
    assert_eq!(huge.unwrap_err().code(), "tdx.quote.size");
}

/// Everything in the collateral is signed or compared; flips in whitespace there are none, and of hexadecimal a letter's case is no bit of its value.
#[test]
fn flipping_bits_of_the_collateral_is_refused() {
    let original = Genuine::td10();
    let mut collateral = original.collateral.clone();
    let verify = |collateral: &Collateral| {
        VerifiedCollateral::verify(collateral, &TdxRoots::vendor(), original.now)
    };
    assert!(verify(&collateral).is_ok());
    for part in 0..9 {
        let length = part_of(&mut collateral, part).len();
        for bit in (0..length * 8).step_by(29) {
            part_of(&mut collateral, part)[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&collateral).is_err(), "part {part}, bit {bit}");
            part_of(&mut collateral, part)[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

fn part_of(collateral: &mut Collateral, part: usize) -> &mut Vec<u8> {
    match part {
        0 => &mut collateral.tcb_info,
        1 => &mut collateral.tcb_info_signature,
        2 => &mut collateral.tcb_info_issuer_chain[0],
        3 => &mut collateral.qe_identity,
        4 => &mut collateral.qe_identity_signature,
        5 => &mut collateral.qe_identity_issuer_chain[1],
        6 => &mut collateral.root_ca_crl,
        7 => &mut collateral.pck_crl,
        _ => &mut collateral.pck_crl_issuer_chain[0],
    }
}

fn position_of(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window == wanted).unwrap()
}
