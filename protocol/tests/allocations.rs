//! Once warm, sealing and opening a chunk allocates nothing: counted by the allocator itself, thread by thread. What the library below takes
//! from the C heap is not counted here.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test of simulated nodes fails by panicking"
)]
#![expect(unsafe_code, reason = "a global allocator is unsafe to write")]

use attestation::{EvidenceBundle, Manifest, Nonce, UnixTime, snp::Product};
use policy::{Admitted, Appraiser, Policy};
use protocol::{
    Aead, ClientRequest, IdentitySecret, KeyConfigs, KeyEpoch, Opener, PaddingProfile, Receiver,
    Responder, ResponsePart, Sealer, Terms,
    chunk::{ChunkOpener, ChunkSealer, MAX_SENT_CHUNK, response_nonce_len},
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
};
use tee_sim::{Machine, PolicySigner, PolicyText, Vendor};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, and a count of what each thread asks of it.
struct Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call goes on to the system's allocator as it came; counting touches a constant-initialised thread-local only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread while it does `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

const CHUNKS: usize = 50;
const SIZES: [usize; 3] = [64, 512, MAX_SENT_CHUNK];
const AEADS: [Aead; 2] = [Aead::Aes128Gcm, Aead::Aes256Gcm];

fn sealer(aead: Aead) -> ChunkSealer {
    let secret = vec![2; response_nonce_len(aead)];
    ChunkSealer::response(aead, &secret, b"enc", &secret).unwrap()
}

fn opener(aead: Aead) -> ChunkOpener {
    let secret = vec![2; response_nonce_len(aead)];
    ChunkOpener::response(aead, &secret, b"enc", &secret).unwrap()
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(vec![1; 10]))), 1);
    assert_eq!(allocations(|| drop(black_box(vec![0; 10]))), 1);
    let mut grown = Vec::<u8>::with_capacity(1);
    assert_eq!(allocations(|| grown.reserve_exact(1000)), 1);
    assert_eq!(allocations(|| drop(black_box(grown))), 0);
}

#[test]
fn a_chunk_is_sealed_without_an_allocation() {
    for (aead, size) in AEADS.into_iter().flat_map(|aead| SIZES.map(|s| (aead, s))) {
        let (mut sealer, part, mut out) = (sealer(aead), vec![7; size], Vec::new());
        let (prefix, part) = part.split_at(2);
        sealer.seal(&[prefix, part], &mut out).unwrap();
        let counted = allocations(|| {
            for _ in 0..CHUNKS {
                out.clear();
                sealer.seal(&[prefix, part], &mut out).unwrap();
            }
        });
        assert_eq!(counted, 0, "{aead:?} {size}");
    }
}

#[test]
fn a_chunk_is_opened_without_an_allocation_however_it_is_cut() {
    for (aead, size) in AEADS.into_iter().flat_map(|aead| SIZES.map(|s| (aead, s))) {
        let (mut sealer, part, mut stream) = (sealer(aead), vec![7; size], Vec::new());
        for _ in 0..=CHUNKS {
            sealer.seal(&[&part], &mut stream).unwrap();
        }
        for piece in [7, size, 3 * size + 11, stream.len()] {
            let mut opener = opener(aead);
            let warm = stream.len() / (CHUNKS + 1);
            assert!(opener.next(&mut &stream[..warm]).unwrap().is_some());
            let mut opened = 0;
            let counted = allocations(|| {
                for mut piece in stream[warm..].chunks(piece) {
                    while let Some(text) = opener.next(&mut piece).unwrap() {
                        assert_eq!(text, part);
                        opened += 1;
                    }
                }
            });
            assert_eq!((counted, opened), (0, CHUNKS), "{aead:?} {size} {piece}");
        }
    }
}

/// An event of a streamed answer, about as long as one with a token is.
const EVENT: &[u8] = &[b'x'; 240];
const EVENTS: usize = 200;

#[test]
fn an_answer_is_sealed_and_opened_without_an_allocation() {
    let machine = Machine::new(&Vendor::invent(Product::Genoa));
    for padding in [PaddingProfile::Off, PaddingProfile::Default] {
        let (mut responder, mut opener) = exchange(&machine, padding);
        let mut sealed = responder.head(200, &[("content-type", b"text/event-stream")]);
        let mut read = 0;
        let mut relay = |responder: &mut Responder, opener: &mut Opener, sealed: &mut Vec<u8>| {
            responder.body_into(EVENT, sealed);
            responder.flush_into(sealed);
            let sink = |part: ResponsePart<'_>| {
                if let ResponsePart::Body(part) = part {
                    read += part.len();
                }
            };
            opener.push_with(sealed, sink).unwrap();
            sealed.clear();
        };
        // The head, and the longest chunk.
        (0..3).for_each(|_| relay(&mut responder, &mut opener, &mut sealed));
        let counted = allocations(|| {
            (0..EVENTS).for_each(|_| relay(&mut responder, &mut opener, &mut sealed));
        });
        assert_eq!(counted, 0, "{padding:?}");
        assert!(read >= EVENTS * EVENT.len());
    }
}

const NOW: UnixTime = UnixTime(1_790_000_000);

/// What answers a request to an admitted node, and what reads the answer.
fn exchange(machine: &Machine, padding: PaddingProfile) -> (Responder, Opener) {
    let (identity, nonce) = (IdentitySecret::generate(), Nonce([7; 32]));
    let bundle = machine.bundle(identity.public(), manifest(padding).to_cbor(), &nonce);
    let epoch = KeyEpoch::generate(1, 16);
    let keys = key_configs(&identity, &bundle, &epoch).sign(&identity);
    let sealer = Sealer::new(&admitted(machine, &bundle, &nonce), &keys, NOW).unwrap();
    let (sealed, opener) = sealer.seal(&request(), NOW).unwrap();
    let receiver = Receiver::new(Terms {
        max_request_bytes: 1 << 20,
        padding,
    });
    receiver.install(epoch);
    let mut request = receiver.open();
    request.push(&sealed.envelope).unwrap();
    (request.finish().unwrap().1, opener)
}

fn admitted(machine: &Machine, bundle: &EvidenceBundle, nonce: &Nonce) -> Admitted {
    let begins = UnixTime(NOW.0 - 60);
    let text = PolicyText::admitting(machine.report(), begins, NOW.plus(3600)).to_toml();
    let signer = PolicySigner::generate();
    let policy = Policy::from_envelope(&signer.signed_policy(&text), &signer.trust_root()).unwrap();
    let policy = policy::danger::accept_custom_anchors(policy);
    let appraiser = Appraiser::new(machine.verifier(), policy);
    appraiser.appraise(bundle, nonce, NOW).unwrap()
}

fn key_configs(identity: &IdentitySecret, bundle: &EvidenceBundle, epoch: &KeyEpoch) -> KeyConfigs {
    KeyConfigs {
        identity: identity.public().digest(),
        manifest: Manifest::digest(&bundle.manifest),
        node: "node-1".to_owned(),
        epoch: epoch.number(),
        not_before: UnixTime(NOW.0 - 60),
        expires: NOW.plus(600),
        policy_version: 1,
        policy_digest: [0; 32],
        configs: epoch.ohttp_keys(),
    }
}

fn request() -> ClientRequest<'static> {
    ClientRequest {
        method: "POST",
        path: "/v1/chat/completions",
        content_type: Some("application/json"),
        body: b"{}",
        model: Some("m"),
        residency: None,
        request_id: [1; 16],
        tenant: None,
        cache_secret: None,
    }
}

fn manifest(padding: PaddingProfile) -> Manifest {
    Manifest {
        runtime_version: "0".to_owned(),
        runtime_digest: [0; 32],
        model: "m".to_owned(),
        model_digest: [0; 32],
        tokenizer_digest: [0; 32],
        template_digest: [0; 32],
        aibom_digest: None,
        kernels_digest: [0; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 1,
        max_request_bytes: 1 << 20,
        padding: padding.as_str().to_owned(),
        policy_root: [0; 32],
        gpu: None,
    }
}
