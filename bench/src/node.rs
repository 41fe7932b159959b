//! A simulated node that a client has admitted: what sealing a request, opening it and answering it take.

use attestation::{EvidenceBundle, Manifest, Nonce, UnixTime, snp::Product};
use policy::{Admitted, Appraiser, Policy};
use protocol::{
    ClientRequest, IdentitySecret, KeyConfigs, KeyEpoch, PaddingProfile, Plaintext, Receiver,
    ReceiverError, Responder, Sealer, Terms,
};
use std::error::Error;
use tee_sim::{Machine, PolicySigner, PolicyText, Vendor};

const NOW: UnixTime = UnixTime(1_790_000_000);
/// Envelopes of one epoch: more than any benchmark opens.
const REPLAY_CAPACITY: usize = 1 << 22;

/// The KEMs on offer, each with its AEAD: X-Wing with AES-256-GCM, X25519 with AES-128-GCM.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kem {
    XWing,
    X25519,
}

/// The node, and the proof that a client admitted it.
pub struct Node {
    admitted: Admitted,
    identity: IdentitySecret,
    keys: KeyConfigs,
    receiver: Receiver,
}

impl Node {
    /// Takes seconds: vendors' keys are long.
    pub fn admit() -> Result<Self, Box<dyn Error>> {
        let identity = IdentitySecret::generate();
        let machine = Machine::new(&Vendor::invent(Product::Genoa));
        let nonce = Nonce([7; 32]);
        let bundle = machine.bundle(identity.public(), manifest().to_cbor(), &nonce);
        let epoch = KeyEpoch::generate(1, REPLAY_CAPACITY);
        let keys = key_configs(&identity, &bundle, &epoch);
        let receiver = Receiver::new(Terms {
            max_request_bytes: 1 << 20,
            padding: PaddingProfile::Off,
        });
        receiver.install(epoch);
        let appraiser = Appraiser::new(machine.verifier(), admitting(&machine)?);
        Ok(Self {
            admitted: appraiser.appraise(&bundle, &nonce, NOW)?,
            identity,
            keys,
            receiver,
        })
    }

    /// A client that seals under `kem`.
    pub fn client(&self, kem: Kem) -> Result<Client, Box<dyn Error>> {
        let mut keys = self.keys.clone();
        if kem == Kem::X25519 {
            keys.configs = without_first(&keys.configs).ok_or("two configurations are offered")?;
        }
        let sealer = Sealer::new(&self.admitted, &keys.sign(&self.identity), NOW)?;
        Ok(Client(sealer))
    }

    /// Opens an envelope: the request, and what seals its answer.
    pub fn open(&self, envelope: &[u8]) -> Result<(Plaintext, Responder), ReceiverError> {
        let mut opener = self.receiver.open();
        opener.push(envelope)?;
        opener.finish()
    }
}

/// A client of the node.
pub struct Client(Sealer);

impl Client {
    /// The envelope of a request with this body.
    pub fn seal(&self, body: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        let request = ClientRequest {
            method: "POST",
            path: "/v1/chat/completions",
            content_type: Some("application/json"),
            body,
            model: Some("bench"),
            residency: None,
            request_id: [1; 16],
            tenant: None,
            cache_secret: None,
        };
        Ok(self.0.seal(&request, NOW)?.0.envelope)
    }
}

fn admitting(machine: &Machine) -> Result<Policy, Box<dyn Error>> {
    let begins = UnixTime(NOW.0 - 60);
    let text = PolicyText::admitting(machine.report(), begins, NOW.plus(3600)).to_toml();
    let signer = PolicySigner::generate();
    let policy = Policy::from_envelope(&signer.signed_policy(&text), &signer.trust_root())
        .map_err(|error| format!("{error:?}"))?;
    Ok(policy::danger::accept_custom_anchors(policy))
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

/// A list of `application/ohttp-keys` without its first configuration (RFC 9458 section 3: each after its length in two bytes).
fn without_first(configs: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = configs.split_first_chunk()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*length))..)?;
    (!rest.is_empty()).then(|| rest.to_vec())
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
        gpu: None,
    }
}
