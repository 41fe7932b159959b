//! Requests of 1 KiB: the key agreement and the first chunk, which an answer's first byte waits for.
//!
//! `open1k` is set-up and opening: an envelope that the node has seen before is refused, but only after its chunk authenticated, so its
//! way is the peer's `setup_receiver` and `open` with a hash and a look-up on top. `request1k` is a fresh envelope's whole way: binary HTTP,
//! sealed headers, replay set, the keys of the answer.

use bench::{
    node::{Client, Kem, Node},
    timing::{Subject, Timing, in_turn, print_ratio, processor_time},
};
use hpke::{
    Deserializable as _, Kem as KemTrait, OpModeR, OpModeS, Serializable as _,
    aead::{Aead, AesGcm128, AesGcm256},
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
};
use protocol::ReceiverError;
use std::{error::Error, hint::black_box};

const BODY: [u8; 1024] = [0x6e; 1024];
const INFO: &[u8] = b"message/bhttp chunked request\0\x01\x64\x7a\x00\x01\x00\x02";

/// Prints microseconds and ratios, for X-Wing and X25519.
pub fn compare(node: &Node) -> Result<(), Box<dyn Error>> {
    compare_kem::<AesGcm256, XWing>(node, Kem::XWing, "xwing")?;
    compare_kem::<AesGcm128, X25519HkdfSha256>(node, Kem::X25519, "x25519")
}

fn compare_kem<A: Aead, K: KemTrait>(
    node: &Node,
    kem: Kem,
    name: &str,
) -> Result<(), Box<dyn Error>> {
    let client = node.client(kem)?;
    let mut seal = || {
        black_box(client.seal(black_box(&BODY)).expect("it can be sealed"));
    };
    let envelope = client.seal(&BODY)?;
    node.open(&envelope)?;
    let mut open = || {
        let opened = node.open(black_box(&envelope)).err();
        assert_eq!(opened, Some(ReceiverError::Replayed), "setup and opening");
    };
    let mut whole = Requests {
        node,
        client: node.client(kem)?,
    };
    let peer = Peer::<A, K>::new();
    let (mut their_seal, message) = (|| drop(black_box(peer.seal())), peer.seal());
    let mut their_open = || peer.open(black_box(&message));
    let [seal, open, whole, their_seal, their_open] = in_turn([
        &mut seal,
        &mut open,
        &mut whole,
        &mut their_seal,
        &mut their_open,
    ]);
    print(&format!("seal1k.{name}"), &seal, &their_seal);
    print(&format!("open1k.{name}"), &open, &their_open);
    println!(
        "seal.request1k.{name}: narthex {:.1} us, from the envelope to the request",
        us(&whole)
    );
    Ok(())
}

fn print(name: &str, ours: &Timing, theirs: &Timing) {
    println!(
        "seal.{name}: narthex {:.1} us, hpke 0.15 {:.1} us",
        us(ours),
        us(theirs)
    );
    print_ratio(&format!("seal.{name}.vs_hpke"), ours, theirs);
}

fn us(timing: &Timing) -> f64 {
    1e6 / timing.per_second()
}

/// Fresh envelopes, each opened once; sealing them is not timed.
struct Requests<'a> {
    node: &'a Node,
    client: Client,
}

impl Subject for Requests<'_> {
    fn burst(&mut self, seconds: f64) -> f64 {
        const ENVELOPES: u32 = 256;
        let (mut elapsed, mut calls) = (0.0, 0);
        while elapsed < seconds {
            let seal = |_| self.client.seal(&BODY).expect("it can be sealed");
            let envelopes: Vec<Vec<u8>> = (0..ENVELOPES).map(seal).collect();
            let start = processor_time();
            for envelope in &envelopes {
                black_box(self.node.open(envelope).is_ok());
            }
            elapsed += (processor_time() - start).as_secs_f64();
            calls += ENVELOPES;
        }
        elapsed / f64::from(calls)
    }
}

/// Crate `hpke`: one recipient, and what is sealed to it.
struct Peer<A, K: KemTrait> {
    secret: K::PrivateKey,
    public: K::PublicKey,
    aead: std::marker::PhantomData<A>,
}

impl<A: Aead, K: KemTrait> Peer<A, K> {
    fn new() -> Self {
        let (secret, public) = K::gen_keypair();
        Self {
            secret,
            public,
            aead: std::marker::PhantomData,
        }
    }

    /// Encapsulation and ciphertext, as they come off the wire.
    fn seal(&self) -> (Vec<u8>, Vec<u8>) {
        let set_up = hpke::setup_sender::<A, HkdfSha256, K>(&OpModeS::Base, &self.public, INFO);
        let (enc, mut context) = set_up.expect("its own key");
        let sealed = context.seal(&BODY, b"final").expect("it can be sealed");
        (enc.to_bytes().to_vec(), sealed)
    }

    fn open(&self, (enc, sealed): &(Vec<u8>, Vec<u8>)) {
        let enc = K::EncappedKey::from_bytes(enc).expect("its own encapsulation");
        let set_up =
            hpke::setup_receiver::<A, HkdfSha256, K>(&OpModeR::Base, &self.secret, &enc, INFO);
        let mut context = set_up.expect("its own encapsulation");
        black_box(context.open(sealed, b"final").expect("its own ciphertext"));
    }
}
