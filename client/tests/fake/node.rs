//! A runtime's side of the contract, without an engine: it repeats fixed words.

use super::now;
use attestation::{EvidenceBundle, Manifest, Nonce, snp::Product};
use policy::{Envelope, Policy};
use protocol::{
    IdentitySecret, KeyConfigs, KeyEpoch, Plaintext, Receipt, Receiver, ReceiverError, Responder,
    Usage,
};
use std::{
    collections::HashMap,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tee_sim::{Machine, PolicySigner, PolicyText, Vendor};

pub(crate) const MODEL: &str = "tiny";
const EVENTS: [&str; 4] = [
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\", world\"}}]}\n\n: padding\n\n",
    "data: [DONE]\n\n",
];
/// Its RSA keys take seconds to make, so that there is one.
static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));
const WHOLE: &str = r#"{"choices":[{"message":{"role":"assistant","content":"Hello, world"}}]}"#;

/// One node.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) machine: Machine,
    identity: IdentitySecret,
    pub(crate) manifest: Manifest,
    receiver: Mutex<Receiver>,
    epoch: AtomicU64,
    pub(crate) policy_version: AtomicU64,
    binding: Mutex<Option<attestation::BindingId>>,
    keys: Mutex<Vec<u8>>,
    /// Seconds by which its clock is ahead.
    pub(crate) ahead_s: AtomicU64,
    /// What its receipts say of its answers.
    pub(crate) outcome: Mutex<protocol::Outcome>,
    /// What was sealed beside the last request: tenant, cache secret, country.
    pub(crate) sealed: Mutex<Option<protocol::SealedHeaders>>,
    /// Answers 421 whatever it is asked.
    pub(crate) stubborn: AtomicBool,
    /// Receipts of its exchanges, by request id.
    pub(crate) kept: Mutex<HashMap<String, Vec<u8>>>,
    /// Request ids, as opened.
    pub(crate) opened: Mutex<Vec<[u8; 16]>>,
}

impl Node {
    /// A new machine of the one vendor of this test binary.
    pub(crate) fn new(name: &str) -> Self {
        let machine = Machine::new(&VENDOR);
        let (receiver, keys) = epoch(1);
        Self {
            name: name.to_owned(),
            machine,
            identity: IdentitySecret::generate(),
            manifest: manifest(),
            receiver: Mutex::new(receiver),
            epoch: AtomicU64::new(1),
            policy_version: AtomicU64::new(3),
            binding: Mutex::new(None),
            keys: Mutex::new(keys),
            ahead_s: AtomicU64::new(0),
            outcome: Mutex::new(protocol::Outcome::Complete),
            sealed: Mutex::new(None),
            stubborn: AtomicBool::new(false),
            opened: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// One that attests another model.
    pub(crate) fn serving(name: &str, model: &str) -> Self {
        let mut node = Self::new(name);
        node.manifest.model = model.to_owned();
        node
    }

    fn now(&self) -> attestation::UnixTime {
        now().plus(self.ahead_s.load(Ordering::Relaxed))
    }

    /// Forgets its keys, as after an epoch's end.
    pub(crate) fn rotate(&self) {
        let next = self.epoch.fetch_add(1, Ordering::Relaxed) + 1;
        let (receiver, keys) = epoch(next);
        *self.receiver.lock().unwrap() = receiver;
        *self.keys.lock().unwrap() = keys;
    }

    /// Forgets its attestations, as after its time for them.
    pub(crate) fn forget(&self) {
        *self.binding.lock().unwrap() = None;
    }

    pub(crate) fn bundle(&self, nonce: &Nonce) -> EvidenceBundle {
        let manifest = self.manifest.to_cbor();
        let mut bundle = self.machine.bundle(self.identity.public(), manifest, nonce);
        bundle.key_configs = Some(self.signed_keys());
        *self.binding.lock().unwrap() = Some(bundle.binding().report_data().binding_id());
        bundle
    }

    pub(crate) fn signed_keys(&self) -> Vec<u8> {
        let configs = KeyConfigs {
            identity: self.identity.public().digest(),
            manifest: Manifest::digest(&self.manifest.to_cbor()),
            node: self.name.clone(),
            epoch: self.epoch.load(Ordering::Relaxed),
            not_before: attestation::UnixTime(self.now().0 - 60),
            expires: self.now().plus(600),
            policy_version: self.policy_version.load(Ordering::Relaxed),
            policy_digest: [9; 32],
            configs: self.keys.lock().unwrap().clone(),
        };
        configs.sign(&self.identity).as_bytes().to_vec()
    }

    pub(crate) fn open(&self, envelope: &[u8]) -> Result<(Plaintext, Responder), ReceiverError> {
        let mut opener = self.receiver.lock().unwrap().open();
        opener.push(envelope)?;
        let opened = opener.finish()?;
        self.opened
            .lock()
            .unwrap()
            .push(opened.0.headers.request_id);
        *self.sealed.lock().unwrap() = Some(opened.0.headers.clone());
        Ok(opened)
    }

    /// The sealed answer, in parts; the last part alone has the authenticated end.
    pub(crate) fn respond(&self, request: &Plaintext, mut responder: Responder) -> Vec<Vec<u8>> {
        if let Some(id) = request.path.strip_prefix("/narthex/receipts/") {
            return self.respond_with_receipt(id, request, responder);
        }
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let streams = body.contains("\"stream\":true") || body.contains("\"stream\": true");
        let (status, media_type, parts): (u16, &str, Vec<&str>) = match request.path.as_str() {
            "/v1/models" => (
                200,
                "application/json",
                vec![r#"{"object":"list","data":[]}"#],
            ),
            _ if self.knows(request) && body.contains("refuse me") => (
                400,
                "application/json",
                vec![
                    r#"{"error":{"message":"no","type":"invalid_request_error","code":"refused"}}"#,
                ],
            ),
            _ if !self.knows(request) => (
                421,
                "application/json",
                vec![
                    r#"{"error":{"message":"no","type":"invalid_request_error","code":"sealed_header_mismatch"}}"#,
                ],
            ),
            _ if streams => (200, "text/event-stream", EVENTS.to_vec()),
            _ => (200, "application/json", vec![WHOLE]),
        };
        let mut sealed = vec![responder.head(status, &[("content-type", media_type.as_bytes())])];
        sealed.extend(parts.iter().map(|part| responder.body(part.as_bytes())));
        let receipt = self.receipt(request, &responder, status);
        let signed = receipt.sign(&self.identity);
        let id = hex::encode(receipt.request_id);
        self.kept
            .lock()
            .unwrap()
            .insert(id, signed.as_bytes().to_vec());
        sealed.push(responder.finish(&signed));
        sealed
    }

    fn respond_with_receipt(
        &self,
        id: &str,
        request: &Plaintext,
        mut responder: Responder,
    ) -> Vec<Vec<u8>> {
        let kept = self.kept.lock().unwrap().get(id).cloned();
        let status = if kept.is_some() { 200 } else { 404 };
        let head = responder.head(status, &[]);
        let body = responder.body(&kept.unwrap_or_default());
        let mut receipt = self.receipt(request, &responder, status);
        receipt.outcome = protocol::Outcome::Complete;
        let end = responder.finish(&receipt.sign(&self.identity));
        vec![head, body, end]
    }

    fn knows(&self, request: &Plaintext) -> bool {
        *self.binding.lock().unwrap() == Some(request.headers.binding_id)
            && !self.stubborn.load(Ordering::Relaxed)
    }

    /// A receipt by this node's identity.
    pub(crate) fn sign(&self, receipt: &Receipt) -> Vec<u8> {
        receipt.sign(&self.identity).as_bytes().to_vec()
    }

    fn receipt(&self, request: &Plaintext, responder: &Responder, status: u16) -> Receipt {
        let headers = &request.headers;
        let manifest = &self.manifest;
        Receipt {
            request_id: headers.request_id,
            digests: responder.digests(&[1, 2]),
            binding_id: headers.binding_id,
            manifest: Manifest::digest(&manifest.to_cbor()),
            policy_version: headers.policy_version,
            policy_digest: headers.policy_digest,
            client_policy: headers.client_policy,
            model: manifest.model.clone(),
            model_digest: manifest.model_digest,
            aibom_digest: manifest.aibom_digest,
            node: self.name.clone(),
            epoch: self.epoch.load(Ordering::Relaxed),
            cache_scope: "request".to_owned(),
            tokenizer_digest: manifest.tokenizer_digest,
            template_digest: manifest.template_digest,
            tenant: headers.tenant.map(|credential| credential.key),
            padding: protocol::PaddingProfile::Off,
            outcome: *self.outcome.lock().unwrap(),
            residency: headers.residency.clone(),
            status,
            usage: Usage {
                prompt_tokens: 5,
                completion_tokens: 2,
            },
            received_at: self.now(),
            finished_at: self.now(),
            temperature_milli: 0,
            top_p_milli: 1000,
            seed: 0,
            isa: manifest.isa.clone(),
            engine: manifest.engine.clone(),
            kernels_digest: manifest.kernels_digest,
            gpu: manifest.gpu.as_ref().map(|gpu| gpu.kernels),
        }
    }

    /// The text of a policy that admits this node.
    pub(crate) fn policy_text(&self) -> PolicyText {
        let report = self.machine.report();
        PolicyText::admitting(
            report,
            attestation::UnixTime(now().0 - 3600),
            now().plus(86400),
        )
    }

    /// That policy, parsed, and accepting the invented vendor.
    pub(crate) fn policy(&self) -> Policy {
        accepting_custom(Policy::from_toml(self.policy_text().to_toml().as_bytes()).unwrap())
    }

    /// That policy, signed.
    pub(crate) fn signed_policy(&self, signer: &PolicySigner) -> Envelope {
        signer.signed_policy(&self.policy_text().to_toml())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of the client's library admits an invented vendor"
)]
pub(crate) fn accepting_custom(policy: Policy) -> Policy {
    policy::danger::accept_custom_anchors(policy)
}

fn epoch(number: u64) -> (Receiver, Vec<u8>) {
    let epoch = KeyEpoch::generate(number, 1024);
    let keys = epoch.ohttp_keys();
    let receiver = Receiver::new(protocol::Terms {
        max_request_bytes: 1 << 20,
        padding: protocol::PaddingProfile::Off,
    });
    receiver.install(epoch);
    (receiver, keys)
}

fn manifest() -> Manifest {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: MODEL.to_owned(),
        model_digest: [2; 32],
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
}
