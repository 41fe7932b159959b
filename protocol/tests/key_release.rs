//! A model's key is sealed to an admitted node, for one nonce, one key and one model, and opens nowhere else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use attestation::{Digest, Manifest, Nonce, UnixTime, snp::Product};
use policy::{Admitted, Appraiser, Policy};
use protocol::{
    IdentitySecret, KeyConfigError, KeyConfigs, KeyEpoch, SignedKeyConfigs,
    key_release::{
        KeyId, KeyListTerms, KeyRecipient, KeyRequest, KeySealer, MAX_KEY_REQUEST_BYTES,
        OpenKeyError, ReleaseError, ReleaseStatement, SEALED_KEY_BYTES,
    },
    secret::Heap,
};
use std::sync::LazyLock;
use tee_sim::{Machine, PolicySigner, Vendor, policy_text::demo_policy};

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([7; 32]);
const KEY: [u8; 32] = [0x5a; 32];
const KEY_ID: KeyId = KeyId([8; 32]);
const MODEL: Digest = [9; 32];
/// Where X25519's configuration begins in an epoch's list.
const X25519_CONFIG_AT: usize = 2 + 1 + 2 + 1216 + 2 + 4;

static MACHINE: LazyLock<Machine> = LazyLock::new(|| Machine::new(&Vendor::invent(Product::Genoa)));

fn manifest() -> Vec<u8> {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "tiny".to_owned(),
        model_digest: MODEL,
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 2048,
        max_request_bytes: 1 << 20,
        padding: "off".to_owned(),
        policy_root: [6; 32],
        gpu: None,
    }
    .to_cbor()
}

#[allow(clippy::disallowed_methods, reason = "a test of simulated nodes")]
fn policy() -> Policy {
    let toml = demo_policy(&MACHINE, NOW, NOW.plus(1000)).to_toml();
    let signer = PolicySigner::generate();
    let policy = Policy::from_envelope(&signer.signed_policy(&toml), &signer.trust_root());
    policy::danger::accept_custom_anchors(policy.unwrap())
}

/// A node under way to its key, and what the releaser knows of it.
struct Node {
    recipient: KeyRecipient,
    admitted: Admitted,
}

fn node() -> Node {
    let recipient = KeyRecipient::generate_in(&Heap);
    let bundle = MACHINE.bundle(recipient.identity(), manifest(), &NONCE);
    let appraiser = Appraiser::new(MACHINE.verifier(), policy());
    let admitted = appraiser.appraise(&bundle, &NONCE, NOW).unwrap();
    Node {
        recipient,
        admitted,
    }
}

fn terms() -> KeyListTerms {
    KeyListTerms {
        manifest: Manifest::digest(&manifest()),
        node: "node-1".to_owned(),
        not_before: NOW,
        expires: NOW.plus(60),
        policy: (1, [2; 32]),
    }
}

impl Node {
    fn keys(&self) -> SignedKeyConfigs {
        self.recipient.key_list(terms())
    }

    fn sealer(&self) -> KeySealer {
        KeySealer::new(&self.admitted, NONCE, &self.keys(), NOW).unwrap()
    }

    fn sealed(&self) -> Vec<u8> {
        self.sealer().seal((KEY_ID, MODEL), &KEY, NOW).unwrap()
    }

    fn statement(&self) -> ReleaseStatement {
        ReleaseStatement {
            nonce: NONCE,
            binding_id: self.admitted.claims().binding_id,
            key_id: KEY_ID,
            model: MODEL,
        }
    }
}

fn opened(node: Node, statement: &ReleaseStatement, sealed: &[u8]) -> Result<(), OpenKeyError> {
    let kept = node.recipient.open(statement, sealed, &Heap)?;
    assert_eq!(kept.expose(), KEY);
    Ok(())
}

#[test]
fn a_key_opens_at_the_node_that_it_is_sealed_to() {
    let node = node();
    let (statement, sealed) = (node.statement(), node.sealed());
    assert_eq!(sealed.len(), SEALED_KEY_BYTES);
    assert!(!sealed.windows(32).any(|window| window == KEY));
    assert_eq!(node.sealer().node(), "node-1");
    assert_eq!(node.sealer().binding_id(), statement.binding_id);
    assert_eq!(opened(node, &statement, &sealed), Ok(()));
}

#[test]
fn every_part_of_the_statement_is_bound() {
    let changes: [fn(&mut ReleaseStatement); 4] = [
        |statement| statement.nonce.0[0] ^= 1,
        |statement| statement.binding_id.0[0] ^= 1,
        |statement| statement.key_id.0[31] ^= 1,
        |statement| statement.model[0] ^= 1,
    ];
    for change in changes {
        let node = node();
        let (mut statement, sealed) = (node.statement(), node.sealed());
        change(&mut statement);
        let refused = Err(OpenKeyError::Authentication);
        assert_eq!(opened(node, &statement, &sealed), refused);
    }
}

#[test]
fn an_answer_to_another_node_opens_nowhere_else() {
    let (one, other) = (node(), node());
    let (statement, sealed) = (one.statement(), one.sealed());
    let refused = Err(OpenKeyError::Authentication);
    assert_eq!(opened(other, &statement, &sealed), refused);
}

#[test]
fn every_changed_bit_is_refused() {
    let sealed = node().sealed();
    let places = (0..SEALED_KEY_BYTES).step_by(97);
    for place in places.chain([7, SEALED_KEY_BYTES - 1]) {
        let node = node();
        let (statement, mut sealed) = (node.statement(), node.sealed());
        sealed[place] ^= 0x10;
        let expected = match place {
            0..7 => OpenKeyError::Header,
            _ => OpenKeyError::Authentication,
        };
        assert_eq!(opened(node, &statement, &sealed), Err(expected), "{place}");
    }
    for length in [0, 7, SEALED_KEY_BYTES - 1, SEALED_KEY_BYTES + 1] {
        let mut changed = sealed.clone();
        changed.resize(length, 0);
        let node = node();
        let refused = Err(OpenKeyError::Length);
        assert_eq!(opened(node, &statement_of_nobody(), &changed), refused);
    }
}

fn statement_of_nobody() -> ReleaseStatement {
    ReleaseStatement {
        nonce: NONCE,
        binding_id: attestation::BindingId([0; 32]),
        key_id: KEY_ID,
        model: MODEL,
    }
}

#[test]
fn a_key_goes_to_no_node_that_states_another_model() {
    let refused = node().sealer().seal((KEY_ID, [1; 32]), &KEY, NOW);
    assert_eq!(refused, Err(ReleaseError::OtherModel));
}

#[test]
fn an_admission_that_is_over_releases_nothing() {
    let node = node();
    let late = node.admitted.not_after().plus(1);
    let refused = node.sealer().seal((KEY_ID, MODEL), &KEY, late);
    assert_eq!(refused, Err(ReleaseError::AdmissionExpired));
}

#[test]
fn the_list_of_keys_is_the_attested_identitys() {
    let (one, other) = (node(), node());
    let refused = |keys: &SignedKeyConfigs, now| {
        let sealer = KeySealer::new(&one.admitted, NONCE, keys, now);
        sealer.err().map(|error| error.code())
    };
    assert_eq!(refused(&other.keys(), NOW), Some("keys.signature"));
    let elsewhere = KeyListTerms {
        manifest: [0; 32],
        ..terms()
    };
    let elsewhere = one.recipient.key_list(elsewhere);
    assert_eq!(refused(&elsewhere, NOW), Some("keys.not_attested"));
    let expired = ReleaseError::KeyConfig(KeyConfigError::Expired).code();
    assert_eq!(refused(&one.keys(), NOW.plus(60)), Some(expired));
}

#[test]
fn a_list_without_the_hybrid_key_gets_none() {
    let identity = IdentitySecret::generate();
    let bundle = MACHINE.bundle(identity.public(), manifest(), &NONCE);
    let appraiser = Appraiser::new(MACHINE.verifier(), policy());
    let admitted = appraiser.appraise(&bundle, &NONCE, NOW).unwrap();
    let mut configs = KeyEpoch::generate(0, 1).ohttp_keys();
    configs.drain(..X25519_CONFIG_AT);
    let keys = KeyConfigs {
        identity: identity.public().digest(),
        manifest: terms().manifest,
        node: "node-1".to_owned(),
        epoch: 0,
        not_before: NOW,
        expires: NOW.plus(60),
        policy_version: 1,
        policy_digest: [2; 32],
        configs,
    };
    let sealer = KeySealer::new(&admitted, NONCE, &keys.sign(&identity), NOW);
    assert_eq!(sealer.err(), Some(ReleaseError::Suite));
}

fn request() -> KeyRequest {
    KeyRequest {
        nonce: NONCE,
        key_id: KEY_ID,
        model: MODEL,
        evidence: vec![1, 2, 3],
    }
}

#[test]
fn a_request_reads_as_it_was_written() {
    let request = request();
    assert_eq!(KeyRequest::from_cbor(&request.to_cbor()), Ok(request));
}

#[test]
fn every_other_request_is_refused() {
    let bytes = request().to_cbor();
    for length in 0..bytes.len() {
        assert!(KeyRequest::from_cbor(&bytes[..length]).is_err(), "{length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(KeyRequest::from_cbor(&longer).is_err());
    let oversize = KeyRequest {
        evidence: vec![0; MAX_KEY_REQUEST_BYTES],
        ..request()
    };
    assert!(KeyRequest::from_cbor(&oversize.to_cbor()).is_err());
    for (from, to) in [("av", "aw"), ("enonce", "enonca"), ("ckey", "ckez")] {
        let changed = replaced(&bytes, from.as_bytes(), to.as_bytes());
        assert!(KeyRequest::from_cbor(&changed).is_err(), "{from}");
    }
    let version = replaced(&bytes, b"av\x01", b"av\x02");
    assert_eq!(
        KeyRequest::from_cbor(&version).map_err(|error| error.code()),
        Err("key_request.malformed")
    );
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut windows = bytes.windows(from.len());
    let at = windows.position(|window| window == from).unwrap();
    let mut changed = bytes.to_vec();
    changed[at..at + to.len()].copy_from_slice(to);
    changed
}

/// Computed with Python's hashlib: label and fields, each after its length as a big-endian u64.
#[test]
fn the_statement_is_the_documented_one() {
    let statement = ReleaseStatement {
        nonce: Nonce([1; 32]),
        binding_id: attestation::BindingId([2; 32]),
        key_id: KeyId([3; 32]),
        model: [4; 32],
    };
    let expected = "9c7dc20652488110b51ce98ce61b3fcf028e183f3a6b6391d20a5bdb201788ee";
    let digits: String = statement
        .digest()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digits, expected);
}
