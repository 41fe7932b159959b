//! Sealing 16 KiB of an answer into one chunk, against crate `ohttp`'s streaming server, each with its default AEAD: ours AES-256-GCM, theirs
//! AES-128-GCM. The hot path only: set-up is outside. A second line says what the runtime pays, which also digests the body for the receipt;
//! `ohttp` has nothing to compare with that.

use attestation::{EvidenceBundle, Manifest, Nonce, UnixTime};
use bench::timing::{Timing, in_turn, print_ratio};
use futures::{AsyncWrite, AsyncWriteExt, executor::block_on, io::Cursor};
use ohttp::{
    ClientRequest, KeyConfig, Server, SymmetricSuite,
    hpke::{Aead as OhttpAead, Kdf, Kem},
};
use protocol::{
    Aead, IdentitySecret, KeyConfigs, KeyEpoch, PaddingProfile, Receiver, Responder, Sealer, Terms,
    chunk::{ChunkSealer, response_nonce_len},
    client,
};
use std::{
    error::Error,
    hint::black_box,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tee_sim::{Machine, PolicySigner, PolicyText, Vendor};

const PART: [u8; 16 << 10] = [0x6e; 16 << 10];
const NOW: UnixTime = UnixTime(1_790_000_000);

fn main() -> Result<(), Box<dyn Error>> {
    let secret = vec![2; response_nonce_len(Aead::Aes256Gcm)];
    let sealer = ChunkSealer::response(Aead::Aes256Gcm, &secret, b"enc", &secret);
    let mut sealer = sealer.ok_or("no sealer")?;
    let mut out = Vec::with_capacity(PART.len() + 64);
    let mut stream = their_stream()?;
    let mut ours = || {
        out.clear();
        sealer
            .seal(&[black_box(PART.as_slice())], &mut out)
            .expect("a chunk can be sealed");
        black_box(&out);
    };
    let mut theirs =
        || block_on(stream.write_all(black_box(&PART))).expect("the sink takes everything");
    let mut responder = our_responder()?;
    drop(responder.head(200, &[]));
    let [us, peer, with_receipt] = in_turn([&mut ours, &mut theirs, &mut || {
        drop(black_box(responder.body(black_box(&PART))));
    }]);
    println!(
        "seal.16k: narthex {:.2} GB/s (AES-256-GCM), ohttp 0.8 {:.2} GB/s (AES-128-GCM), one core",
        rate(&us),
        rate(&peer)
    );
    print_ratio("seal.16k.vs_ohttp", &us, &peer);
    println!(
        "seal.16k.with_receipt_digest: narthex {:.2} GB/s (SHA-256 of the body included)",
        rate(&with_receipt)
    );
    Ok(())
}

/// Gigabytes per second of one part per call.
fn rate(timing: &Timing) -> f64 {
    PART.len() as f64 * timing.per_second() / 1e9
}

/// A responder of the runtime for one request of an admitted (simulated) node's client.
fn our_responder() -> Result<Responder, Box<dyn Error>> {
    let identity = IdentitySecret::generate();
    let machine = Machine::new(&Vendor::invent(attestation::snp::Product::Genoa));
    let nonce = Nonce([7; 32]);
    let bundle = machine.bundle(identity.public(), manifest().to_cbor(), &nonce);
    let epoch = KeyEpoch::generate(1, 16);
    let keys = key_configs(&identity, &bundle, &epoch).sign(&identity);
    let text =
        PolicyText::admitting(machine.report(), UnixTime(NOW.0 - 60), NOW.plus(3600)).to_toml();
    let signer = PolicySigner::generate();
    let policy = policy::Policy::from_envelope(&signer.signed_policy(&text), &signer.trust_root())
        .map_err(|e| format!("{e:?}"))?;
    let policy = policy::danger::accept_custom_anchors(policy);
    let admitted =
        policy::Appraiser::new(machine.verifier(), policy).appraise(&bundle, &nonce, NOW)?;
    let request = client::ClientRequest {
        method: "POST",
        path: "/v1/chat/completions",
        content_type: Some("application/json"),
        body: b"{}",
        model: Some("bench"),
        residency: None,
        request_id: [1; 16],
        tenant: None,
        cache_secret: None,
    };
    let (sealed, _) = Sealer::new(&admitted, &keys, NOW)?.seal(&request, NOW)?;
    let receiver = Receiver::new(Terms {
        max_request_bytes: 1 << 20,
        padding: PaddingProfile::Off,
    });
    receiver.install(epoch);
    let mut opener = receiver.open();
    opener.push(&sealed.envelope)?;
    Ok(opener.finish()?.1)
}

fn key_configs(identity: &IdentitySecret, bundle: &EvidenceBundle, epoch: &KeyEpoch) -> KeyConfigs {
    KeyConfigs {
        identity: identity.public().digest(),
        manifest: Manifest::digest(&bundle.manifest),
        node: "bench".to_owned(),
        epoch: 1,
        not_before: UnixTime(NOW.0 - 60),
        expires: NOW.plus(600),
        policy_version: 1,
        policy_digest: [0; 32],
        configs: epoch.ohttp_keys(),
    }
}

fn manifest() -> Manifest {
    Manifest {
        runtime_version: "0".to_owned(),
        runtime_digest: [0; 32],
        model: "bench".to_owned(),
        model_digest: [0; 32],
        tokenizer_digest: [0; 32],
        template_digest: [0; 32],
        aibom_digest: None,
        kernels_digest: [0; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 1,
        max_request_bytes: 1 << 20,
        padding: "off".to_owned(),
        policy_root: [0; 32],
    }
}

/// Swallows what it gets, as a socket's buffer would.
struct Sink;

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        black_box(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn their_stream() -> Result<impl AsyncWrite + Unpin, Box<dyn Error>> {
    let suite = SymmetricSuite::new(Kdf::HkdfSha256, OhttpAead::Aes128Gcm);
    let config = KeyConfig::new(1, Kem::X25519Sha256, vec![suite])?;
    let mut envelope = Vec::new();
    block_on(async {
        let mut request = ClientRequest::from_encoded_config(&config.encode()?)?
            .encapsulate_stream(&mut envelope)?;
        request.write_all(b"request").await?;
        request.close().await?;
        Ok::<_, Box<dyn Error>>(())
    })?;
    let mut request = Server::new(config)?.decapsulate_stream(Cursor::new(envelope));
    let mut plain = Vec::new();
    block_on(futures::AsyncReadExt::read_to_end(&mut request, &mut plain))?;
    Ok(request.response(Sink)?)
}
