//! The runtime's whole way of an answer: sealing, and the SHA-256 of the body that the receipt states. `ohttp` has nothing to compare with it, so
//! the limit is SHA-256 and AES-256-GCM of the library itself, one after the other over the same bytes.

use crate::chunks::{PART, rate};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{Context, SHA256},
};
use bench::{
    node::{Kem, Node},
    timing::{in_turn, print_ratio},
};
use std::{error::Error, hint::black_box};

/// Prints gigabytes per second and the ratio to the limit.
pub fn compare(node: &Node) -> Result<(), Box<dyn Error>> {
    let (_, mut responder) = node.open(&node.client(Kem::XWing)?.seal(b"{}")?)?;
    drop(responder.head(200, &[]));
    let mut out = Vec::new();
    let mut ours = || {
        out.clear();
        responder.body_into(black_box(&PART), &mut out);
        black_box(&out);
    };
    let mut digest = Context::new(&SHA256);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[2; 32])?);
    let mut in_out = PART;
    let mut raw = || {
        digest.update(black_box(&in_out));
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut in_out);
        black_box(tag.expect("it can be sealed").as_ref());
    };
    let mut digest_alone = Context::new(&SHA256);
    let [us, raw, hash] = in_turn([&mut ours, &mut raw, &mut || {
        digest_alone.update(black_box(&PART));
    }]);
    println!(
        "seal.16k.with_receipt_digest: narthex {:.2} GB/s, raw SHA-256 and AES-256-GCM {:.2} GB/s, SHA-256 alone {:.2} GB/s",
        rate(&us, 1),
        rate(&raw, 1),
        rate(&hash, 1)
    );
    print_ratio("seal.16k.with_receipt_digest.vs_raw", &us, &raw);
    Ok(())
}
