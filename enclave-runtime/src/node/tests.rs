//! Each sealed header that differs is refused; the manifest says what runs.

use super::*;
use crate::{Runtime, runtime};
use attestation::{
    CpuEvidence, SnpEvidence,
    manifest::{Arithmetic, GpuCode, SelfTest},
    snp::Product,
};
use engine::{EngineError, Job, Step};
use policy::{Policy, TrustRoot};
use protocol::KeyConfigError;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tee_sim::{PolicyText, Report};
use tokio::sync::mpsc::Receiver;

pub(crate) const NOW: UnixTime = UnixTime(1_795_305_600);

struct IdleEngine(ModelCard);

impl Engine for IdleEngine {
    fn submit(&self, _: Job) -> Result<Receiver<Step>, EngineError> {
        Err(EngineError::Stopped)
    }

    fn capacity(&self) -> usize {
        0
    }

    fn card(&self) -> &ModelCard {
        &self.0
    }
}

/// A platform that answers as it is told.
struct Platform(Result<(), EvidenceError>);

impl EvidenceProvider for Platform {
    fn evidence(&self, _: &Binding) -> Result<CpuEvidence, EvidenceError> {
        let evidence = SnpEvidence {
            report: Report::of(Product::Genoa).to_bytes().to_vec(),
            vek: Vec::new(),
            chain: Vec::new(),
        };
        self.0.clone().map(|()| CpuEvidence::Snp(evidence))
    }
}

pub(crate) fn engine() -> Arc<dyn Engine> {
    engine_of("cpu/idle")
}

fn engine_of(mode: &'static str) -> Arc<dyn Engine> {
    Arc::new(IdleEngine(ModelCard {
        name: "model-1".to_owned(),
        model_digest: [1; 32],
        tokenizer_digest: [2; 32],
        template_digest: [3; 32],
        kernels_digest: [4; 32],
        mode: mode.into(),
        isa: "scalar",
        context_tokens: 64,
    }))
}

pub(crate) fn parts() -> Parts {
    Parts {
        node: "node-1".to_owned(),
        in_force: in_force(),
        residency: Some("FR".to_owned()),
        aibom_digest: Some([8; 32]),
        collateral: None,
        padding: PaddingProfile::Off,
        runtime_digest: [7; 32],
        gpu: None,
        limits: Limits::default(),
    }
}

/// Version 5 of a policy that ends soon.
fn in_force() -> InForce {
    let expires = NOW.plus(100);
    let report = Report::of(Product::Genoa);
    let policy = PolicyText {
        version: 5,
        max_age_seconds: 600,
        ..PolicyText::admitting(&report, UnixTime(0), expires)
    };
    let policy = Policy::from_toml(policy.to_toml().as_bytes()).unwrap();
    let keys = TrustRoot::new(vec![[6; 32]], 1).unwrap();
    InForce::under_keys(policy, keys)
}

fn node() -> Node {
    node_of(parts())
}

fn node_of(parts: Parts) -> Node {
    let clock = Clock::from_source(|| NOW);
    Node::new(parts, engine(), Arc::new(Platform(Ok(()))), clock).unwrap()
}

fn headers() -> SealedHeaders {
    SealedHeaders {
        binding_id: BindingId([8; 32]),
        policy_version: 5,
        policy_digest: *in_force().policy().digest(),
        client_policy: [0; 32],
        request_id: [9; 16],
        issued_at: NOW,
        node: "node-1".to_owned(),
        model: Some("model-1".to_owned()),
        residency: Some("FR".to_owned()),
        tenant: None,
        cache_secret: None,
    }
}

fn refused(edit: impl FnOnce(&mut SealedHeaders)) -> &'static str {
    let node = node();
    node.issued.insert(BindingId([8; 32]), NOW);
    let mut headers = headers();
    let accepted = node
        .check_headers(&node.standing.obeyed(), &headers, NOW)
        .unwrap();
    assert_eq!(accepted.version, 5);
    edit(&mut headers);
    node.check_headers(&node.standing.obeyed(), &headers, NOW)
        .unwrap_err()
        .code
}

/// R6.6.
#[test]
fn each_header_that_differs_is_refused() {
    let coarse = "sealed_header_mismatch";
    assert_eq!(refused(|headers| headers.binding_id.0[0] = 0), coarse);
    assert_eq!(refused(|headers| headers.policy_version = 4), coarse);
    assert_eq!(refused(|headers| headers.policy_digest[0] = 0), coarse);
    assert_eq!(refused(|headers| headers.issued_at = NOW.plus(301)), coarse);
    assert_eq!(
        refused(|headers| headers.issued_at = UnixTime(NOW.0 - 301)),
        coarse
    );
    assert_eq!(
        refused(|headers| headers.node = "node-2".to_owned()),
        coarse
    );
    assert_eq!(
        refused(|headers| headers.residency = Some("DE".to_owned())),
        coarse
    );
    assert_eq!(
        refused(|headers| headers.model = Some("model-2".to_owned())),
        "model_not_found"
    );
}

#[test]
fn nothing_is_served_under_a_policy_that_has_expired() {
    let node = node();
    let last = NOW.plus(99);
    node.issued.insert(BindingId([8; 32]), NOW);
    let at = |now: UnixTime| {
        let headers = SealedHeaders {
            issued_at: now,
            ..headers()
        };
        node.check_headers(&node.standing.obeyed(), &headers, now)
    };
    at(last).unwrap();
    assert_eq!(
        at(NOW.plus(100)).unwrap_err().code,
        "sealed_header_mismatch"
    );
    let identity = node.identity.public();
    let list = node.key_list().unwrap();
    let keys = |at| list.verify(&identity, &node.manifest_digest, at);
    assert_eq!(keys(last).unwrap().expires, NOW.plus(100));
    assert_eq!(keys(NOW.plus(100)), Err(KeyConfigError::Expired));
}

/// An engine whose device can break.
struct Breaking(Arc<dyn Engine>, AtomicBool);

impl Engine for Breaking {
    fn submit(&self, job: Job) -> Result<Receiver<Step>, EngineError> {
        self.0.submit(job)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    fn failure(&self) -> Option<&'static str> {
        self.1.load(Ordering::Relaxed).then_some("gpu.execution")
    }

    fn card(&self) -> &ModelCard {
        self.0.card()
    }
}

#[tokio::test]
async fn a_failed_engine_ends_readiness_and_keys() {
    let engine = Arc::new(Breaking(engine(), AtomicBool::new(false)));
    let (clock, platform) = (Clock::from_source(|| NOW), Arc::new(Platform(Ok(()))));
    let node = Node::new(parts(), Arc::<Breaking>::clone(&engine), platform, clock);
    let node = Arc::new(node.unwrap());
    assert_eq!(node.check_serving(), Ok(()));
    assert_eq!(node.epochs.alive(), [NOW.0]);
    engine.1.store(true, Ordering::Relaxed);
    let halt = Halt::EngineFailed("gpu.execution");
    assert_eq!(node.key_list().err(), Some(halt));
    assert!(node.epochs.alive().is_empty(), "keys are wiped");
    for (method, path) in [("GET", "/readyz"), ("POST", "/narthex/v1/challenge")] {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.body(listener::body::full(Vec::new())).unwrap();
        let response = crate::http::handle(Arc::clone(&node), request).await;
        assert_eq!(response.status(), 503, "{path}");
        let told = listener::read_body(response.into_body(), 1024, Duration::from_secs(9)).await;
        let told = String::from_utf8(told.unwrap().to_vec()).unwrap();
        assert!(told.contains(r#""code":"engine_failed""#), "{told}");
    }
}

/// R9.6: nobody asks, and yet keys come and go.
#[tokio::test(start_paused = true)]
async fn an_idle_runtime_turns_its_epochs() {
    let node = node();
    let window = node.limits.key_window;
    let a_while = |time| tokio::time::timeout(time, runtime::keep_turning(&node));
    assert_eq!(node.epochs.alive(), [NOW.0]);
    assert!(a_while(window + Duration::from_secs(1)).await.is_err());
    assert_eq!(node.epochs.alive(), [NOW.0, NOW.0 + 1, NOW.0 + 2]);
    assert!(a_while(10 * window).await.is_err());
    let alive = node.epochs.alive();
    assert!(alive.len() <= 3 && alive[0] > NOW.0 + 2, "{alive:?}");
}

#[test]
fn a_demanded_country_is_refused_where_none_is_known() {
    let mut parts = parts();
    parts.residency = None;
    let node = node_of(parts);
    node.issued.insert(BindingId([8; 32]), NOW);
    assert!(
        node.check_headers(&node.standing.obeyed(), &headers(), NOW)
            .is_err()
    );
}

#[test]
fn the_manifest_says_what_runs() {
    let node = node();
    let manifest = Manifest::from_cbor(&node.manifest).unwrap();
    assert_eq!(manifest.runtime_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest.runtime_digest, [7; 32]);
    assert_eq!(
        (manifest.model.as_str(), manifest.model_digest),
        ("model-1", [1; 32])
    );
    assert_eq!(
        (manifest.tokenizer_digest, manifest.template_digest),
        ([2; 32], [3; 32])
    );
    assert_eq!(
        (manifest.kernels_digest, manifest.aibom_digest),
        ([4; 32], Some([8; 32]))
    );
    let root = TrustRoot::new(vec![[6; 32]], 1).unwrap();
    assert_eq!(manifest.policy_root, root.digest());
    assert_eq!(
        (manifest.max_context_tokens, manifest.max_request_bytes),
        (64, 4 * 1024 * 1024)
    );
    assert_eq!(node.manifest_digest, Manifest::digest(&node.manifest));
}

fn gpu_code() -> GpuCode {
    GpuCode {
        kernels: GpuKernels {
            cubins_digest: [5; 32],
            arithmetic: Arithmetic::Exact,
        },
        device: "cuda".to_owned(),
        architecture: "sm_90a".to_owned(),
        driver: "580.95.05".to_owned(),
        cuda: "13.0".to_owned(),
        libraries: [].into(),
        self_test: SelfTest::Passed([6; 32]),
    }
}

#[test]
fn the_manifest_says_what_computes_on_the_gpus_and_receipts_its_kernels() {
    let node = node_of(Parts {
        gpu: Some(gpu_code()),
        ..parts()
    });
    let manifest = Manifest::from_cbor(&node.manifest).unwrap();
    assert_eq!(manifest.gpu, Some(gpu_code()));
    assert_eq!(node.gpu(), Some(gpu_code().kernels));
    assert_eq!(self::node().gpu(), None);
}

/// A GPU without evidence would be given prompts that nobody can know to be safe there.
#[test]
fn a_runtime_that_computes_on_gpus_without_their_evidence_does_not_start() {
    for (mode, arithmetic) in [
        ("cuda/exact", Arithmetic::Exact),
        ("cuda/fast", Arithmetic::Fast),
    ] {
        let mut code = gpu_code();
        code.kernels.arithmetic = arithmetic;
        let parts = Parts {
            gpu: Some(code),
            ..parts()
        };
        assert_eq!(refusals(mode, parts), ["policy.engine.devices"], "{mode}");
    }
}

/// What an engine and its device say of their arithmetic is held against each other before anything is served.
#[test]
fn a_runtime_whose_engine_is_another_than_its_device_s_does_not_start() {
    for mode in ["cpu/idle", "cuda/fast", "cuda/"] {
        let parts = Parts {
            gpu: Some(gpu_code()),
            ..parts()
        };
        let refused = refusals(mode, parts);
        assert!(refused.contains(&"policy.engine.stated_mode"), "{mode}");
    }
    let refused = refusals("cuda/exact", parts());
    assert_eq!(refused, ["policy.engine.stated_mode"]);
}

fn refusals(mode: &'static str, parts: Parts) -> Vec<&'static str> {
    let clock = Clock::from_source(|| NOW);
    match Runtime::new(parts, engine_of(mode), Arc::new(Platform(Ok(()))), clock) {
        Err(StartError::Policy(reasons)) => reasons.iter().map(|reason| reason.code).collect(),
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn a_runtime_without_evidence_does_not_start() {
    let start = |parts, platform| {
        let clock = Clock::from_source(|| NOW);
        Runtime::new(parts, engine(), Arc::new(Platform(platform)), clock)
            .err()
            .map(|error| error.code())
    };
    assert_eq!(start(parts(), Ok(())), None);
    let absent = EvidenceError::Unavailable("no TEE".to_owned());
    assert_eq!(start(parts(), Err(absent)), Some("evidence.unavailable"));
    assert_eq!(
        start(parts(), Err(EvidenceError::Mismatch)),
        Some("evidence.mismatch")
    );
    let unsigned = Parts {
        in_force: in_force().policy().clone().into(),
        ..parts()
    };
    assert_eq!(start(unsigned, Ok(())), Some("start.policy_root"));
    for name in ["", "Node", "a_b", &"a".repeat(64)] {
        let mut parts = parts();
        parts.node = name.to_owned();
        assert_eq!(start(parts, Ok(())), Some("start.node_name"));
    }
}
