//! One client and one runtime of this crate's unit tests, without evidence: the crate's inside can seal to a peer that was not attested.

use crate::{
    ClientRequest, IdentitySecret, KeyConfigs, KeyEpoch, Opener, Outcome, PaddingProfile,
    Plaintext, Receipt, Receiver, RequestContext, Responder, SealError, Sealer, SignedKeyConfigs,
    Terms, Usage,
    client::{Computes, Peer},
};
use attestation::{BindingId, UnixTime};

pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(crate) const MANIFEST: [u8; 32] = [2; 32];
pub(crate) const BODY: &[u8] = br#"{"model":"m","messages":[]}"#;
pub(crate) const MAX_REQUEST: usize = 100_000;
const EPOCH: u64 = 0x107;
/// Where the configuration of X25519 begins in an epoch's keys: behind that of X-Wing.
pub(crate) const X25519_CONFIG_AT: usize = 2 + 1 + 2 + 1216 + 2 + 4;

/// What is changed, and how.
pub(crate) type Change<T> = (&'static str, fn(&mut T));

/// A runtime with one epoch.
pub(crate) struct Node {
    pub(crate) identity: IdentitySecret,
    pub(crate) configs: KeyConfigs,
    pub(crate) receiver: Receiver,
    pub(crate) padding: PaddingProfile,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::with_replay_capacity(10_000)
    }

    pub(crate) fn with_padding(padding: PaddingProfile) -> Self {
        Self::build(10_000, padding)
    }

    pub(crate) fn with_replay_capacity(capacity: usize) -> Self {
        Self::build(capacity, PaddingProfile::Off)
    }

    fn build(capacity: usize, padding: PaddingProfile) -> Self {
        let identity = IdentitySecret::generate();
        let epoch = KeyEpoch::generate(EPOCH, capacity);
        let configs = KeyConfigs {
            identity: identity.public().digest(),
            manifest: MANIFEST,
            node: "node-1".into(),
            epoch: EPOCH,
            not_before: UnixTime(NOW.0 - 10),
            expires: UnixTime(NOW.0 + 600),
            policy_version: 4,
            policy_digest: [4; 32],
            configs: epoch.ohttp_keys(),
        };
        Self {
            identity,
            configs,
            receiver: receiver(epoch, padding),
            padding,
        }
    }

    /// A node whose list offers X25519 alone.
    pub(crate) fn with_x25519_only() -> Self {
        Self::new().x25519_only()
    }

    /// The same, offering X25519 alone.
    pub(crate) fn x25519_only(mut self) -> Self {
        self.configs.configs.drain(..X25519_CONFIG_AT);
        self
    }

    pub(crate) fn keys(&self) -> SignedKeyConfigs {
        self.configs.sign(&self.identity)
    }

    pub(crate) fn peer(&self) -> Peer {
        Peer {
            identity: self.identity.public(),
            manifest: MANIFEST,
            binding_id: BindingId([3; 32]),
            client_policy: [5; 32],
            not_after: UnixTime(NOW.0 + 3600),
            padding: self.padding,
            tokenizer: [10; 32],
            template: [11; 32],
            computes: Computes {
                engine: "deterministic".into(),
                isa: "scalar".into(),
                kernels_digest: [8; 32],
                gpu: None,
            },
        }
    }

    pub(crate) fn sealer(&self) -> Result<Sealer, SealError> {
        Sealer::to(self.peer(), &self.keys(), NOW)
    }

    pub(crate) fn seal(&self) -> (Vec<u8>, Opener) {
        let (sealed, opener) = self.sealer().unwrap().seal(&request(), NOW).unwrap();
        (sealed.envelope, opener)
    }

    pub(crate) fn open(&self, envelope: &[u8]) -> (Plaintext, Responder) {
        let mut opener = self.receiver.open();
        opener.push(envelope).unwrap();
        opener.finish().unwrap()
    }

    pub(crate) fn context(&self) -> RequestContext {
        RequestContext {
            binding_ids: vec![BindingId([3; 32])],
            policy_version: 4,
            policy_digest: [4; 32],
            node: "node-1".into(),
            model: "m".into(),
            residency: Some("DE".into()),
        }
    }

    /// The receipt that an honest runtime makes.
    pub(crate) fn receipt(&self, request: &Plaintext, responder: &Responder) -> Receipt {
        Receipt {
            request_id: request.headers.request_id,
            digests: responder.digests(&[1, 2, 3]),
            binding_id: request.headers.binding_id,
            manifest: MANIFEST,
            policy_version: 4,
            policy_digest: [4; 32],
            client_policy: request.headers.client_policy,
            model: "m".into(),
            model_digest: [6; 32],
            aibom_digest: None,
            node: "node-1".into(),
            epoch: EPOCH,
            cache_scope: "request".into(),
            tokenizer_digest: [10; 32],
            template_digest: [11; 32],
            tenant: None,
            padding: self.padding,
            outcome: Outcome::Complete,
            residency: request.headers.residency.clone(),
            status: 200,
            usage: Usage {
                prompt_tokens: 7,
                completion_tokens: 3,
            },
            received_at: NOW,
            finished_at: NOW.plus(1),
            temperature_milli: 700,
            top_p_milli: 950,
            seed: u64::MAX,
            isa: "scalar".into(),
            engine: "deterministic".into(),
            kernels_digest: [8; 32],
            gpu: None,
        }
    }

    /// A whole response to `envelope`, in the pieces that the runtime sends.
    pub(crate) fn respond(&self, envelope: &[u8], parts: &[&[u8]]) -> Vec<Vec<u8>> {
        self.respond_with(envelope, parts, |_| {})
    }

    /// As [`Node::respond`], with the receipt changed before it is signed.
    pub(crate) fn respond_with(
        &self,
        envelope: &[u8],
        parts: &[&[u8]],
        change: impl FnOnce(&mut Receipt),
    ) -> Vec<Vec<u8>> {
        let (request, mut responder) = self.open(envelope);
        let mut pieces = vec![responder.head(200, &[("content-type", b"text/event-stream")])];
        pieces.extend(parts.iter().map(|part| responder.body(part)));
        let mut receipt = self.receipt(&request, &responder);
        change(&mut receipt);
        pieces.push(responder.finish(&receipt.sign(&self.identity)));
        pieces
    }
}

fn receiver(epoch: KeyEpoch, padding: PaddingProfile) -> Receiver {
    let receiver = Receiver::new(Terms {
        max_request_bytes: MAX_REQUEST,
        padding,
    });
    receiver.install(epoch);
    receiver
}

pub(crate) fn request() -> ClientRequest<'static> {
    ClientRequest {
        method: "POST",
        path: "/v1/chat/completions",
        content_type: Some("application/json"),
        body: BODY,
        model: Some("m"),
        residency: Some("DE"),
        request_id: [9; 16],
        tenant: None,
        cache_secret: None,
    }
}
