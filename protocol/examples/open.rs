//! Speed of setting up and opening a sealed request of 1 KiB: `cargo run --release -p protocol --example open`. Prints one line per suite,
//! `open SUITE MICROSECONDS PEER-MICROSECONDS`, the best of many rounds; the peer is crate `hpke` with the same key exchange and cipher.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable,
    aead::{Aead, AesGcm128, AesGcm256},
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
    setup_receiver, setup_sender,
};
use protocol::{KeyEpoch, PaddingProfile, Receiver, Terms};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const ROUNDS: usize = 100;
const ENVELOPES: usize = 20;
const BODY: usize = 1024;

/// A result that says nothing of its error: a benchmark stops at the first.
type Try<T> = Option<T>;

fn main() {
    report::<XWing, AesGcm256>("x-wing", [0x64, 0x7a, 0, 1, 0, 2]);
    report::<X25519HkdfSha256, AesGcm128>("x25519", [0, 0x20, 0, 1, 0, 1]);
}

fn report<K: Kem, A: Aead>(name: &str, suite: [u8; 6]) {
    let (ours, theirs) = (ours::<K, A>(suite), theirs::<K, A>());
    match ours.zip(theirs) {
        Some((ours, theirs)) => println!("open {name} {:.1} {:.1}", each(ours), each(theirs)),
        None => println!("open {name} failed"),
    }
}

fn each(round: Duration) -> f64 {
    round.as_secs_f64() * 1e6 / ENVELOPES as f64
}

/// The best round of the runtime's own way: header, encapsulation, replay set, chunk, binary HTTP.
fn ours<K: Kem, A: Aead>(suite: [u8; 6]) -> Try<Duration> {
    let epoch = KeyEpoch::generate(7, ROUNDS * ENVELOPES);
    let keys = epoch.ohttp_keys();
    let receiver = Receiver::new(Terms {
        max_request_bytes: 2 * BODY,
        padding: PaddingProfile::Off,
    });
    receiver.install(epoch);
    let header = [[7].as_slice(), &suite].concat();
    let public = public_key::<K>(&keys, &header)?;
    let envelopes: Try<Vec<_>> = (0..ROUNDS * ENVELOPES)
        .map(|_| envelope::<K, A>(&public, &header))
        .collect();
    best(&envelopes?, |envelope| {
        let mut opener = receiver.open();
        opener.push(black_box(envelope)).ok()?;
        black_box(opener);
        Some(())
    })
}

fn theirs<K: Kem, A: Aead>() -> Try<Duration> {
    let (secret, public) = K::gen_keypair();
    let sealed: Try<Vec<_>> = (0..ROUNDS * ENVELOPES)
        .map(|_| {
            let (enc, mut context) =
                setup_sender::<A, HkdfSha256, K>(&OpModeS::Base, &public, b"info").ok()?;
            let text = context.seal(&[0x6e; BODY], b"").ok()?;
            Some((enc, text))
        })
        .collect();
    best(&sealed?, |(enc, text)| {
        let mut context =
            setup_receiver::<A, HkdfSha256, K>(&OpModeR::Base, &secret, black_box(enc), b"info")
                .ok()?;
        black_box(context.open(text, b"").ok()?);
        Some(())
    })
}

/// One envelope without its end, so that opening it makes no answer: the body is in its first chunk.
fn envelope<K: Kem, A: Aead>(public: &K::PublicKey, header: &[u8]) -> Try<Vec<u8>> {
    let info = [b"message/bhttp chunked request\0".as_slice(), header].concat();
    let (enc, mut context) =
        setup_sender::<A, HkdfSha256, K>(&OpModeS::Base, public, &info).ok()?;
    let chunk = context.seal(&request()?, b"").ok()?;
    let length = u16::try_from(chunk.len()).ok()? | 0x4000;
    Some([header, &enc.to_bytes(), &length.to_be_bytes(), &chunk].concat())
}

fn request() -> Try<Vec<u8>> {
    let text = |text: &str| text.as_bytes().to_vec();
    let mut request = bhttp::Message::request(
        text("POST"),
        text("https"),
        text("narthex"),
        text("/v1/chat"),
    );
    request.write_content([0x6e; BODY]);
    let mut out = Vec::new();
    request
        .write_bhttp(bhttp::Mode::IndeterminateLength, &mut out)
        .ok()?;
    Some(out)
}

/// The public key in `application/ohttp-keys` whose configuration begins as `header` does.
fn public_key<K: Kem>(keys: &[u8], header: &[u8]) -> Try<K::PublicKey> {
    let start = keys
        .windows(3)
        .position(|bytes| Some(bytes) == header.get(..3))?;
    let key = keys.get(start + 3..)?.get(..K::PublicKey::size())?;
    K::PublicKey::from_bytes(key).ok()
}

fn best<T>(calls: &[T], mut call: impl FnMut(&T) -> Try<()>) -> Try<Duration> {
    let mut best = Duration::MAX;
    for round in calls.chunks(ENVELOPES) {
        let start = Instant::now();
        for one in round {
            call(one)?;
        }
        best = best.min(start.elapsed());
    }
    Some(best)
}
