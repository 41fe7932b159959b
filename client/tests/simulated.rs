//! The command's own code composed with an invented vendor's roots: a chat, its files, and what an auditor makes of them.

use crate::fake::{self, Fault, Gateway, Node};
use attestation::{
    EvidenceBundle, UnixTime,
    manifest::{Arithmetic, GpuKernels},
};
use client::{
    SystemClock,
    cli::{self, Composition, Streams},
};
use protocol::{IdentitySecret, Outcome, PaddingProfile, Receipt, SignedReceipt};
use std::{ffi::OsString, fs, process::ExitCode, sync::Arc};
use tee_sim::PolicySigner;

const FILES: [&str; 5] = ["receipt", "opening", "bundle", "request", "response"];

/// A gateway, and a folder with the policy of its node.
struct Bench {
    gateway: Gateway,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let gateway = Gateway::start(vec![Node::new("node-a")]).await;
        let folder = tempfile::tempdir().unwrap();
        let signer = PolicySigner::generate();
        let policy = gateway.nodes[0].signed_policy(&signer);
        fs::write(folder.path().join("policy.json"), policy.to_json()).unwrap();
        fs::write(folder.path().join("alice.pub.pem"), public_pem(&signer)).unwrap();
        Self { gateway, folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs the command in this process, on a thread that may block.
    async fn run(&self, arguments: Vec<String>) -> u8 {
        let composition = Composition {
            verifier: self.gateway.nodes[0].machine.verifier(),
            policy: fake::accepting_custom,
            clock: Arc::new(SystemClock),
            streams: Streams::NONE,
        };
        let arguments = ["narthex".to_owned(), "--quiet".to_owned()]
            .into_iter()
            .chain(arguments)
            .map(OsString::from)
            .collect::<Vec<_>>();
        let run = move || cli::run(arguments, &composition);
        let exit = tokio::task::spawn_blocking(run).await.unwrap();
        (0..=u8::MAX)
            .find(|status| format!("{exit:?}") == format!("{:?}", ExitCode::from(*status)))
            .unwrap()
    }

    fn policy(&self) -> Vec<String> {
        let pairs = [
            ("--policy", "policy.json"),
            ("--policy-key", "alice.pub.pem"),
            ("--state", "state"),
        ];
        pairs
            .into_iter()
            .flat_map(|(flag, name)| [flag.to_owned(), self.file(name)])
            .collect()
    }

    async fn chat(&self, more: &[&str]) -> u8 {
        let mut arguments = vec![
            "chat".to_owned(),
            "--gateway".to_owned(),
            self.gateway.url.clone(),
        ];
        arguments.extend(self.policy());
        arguments.extend(self.files());
        arguments.extend(more.iter().map(ToString::to_string));
        self.run(arguments).await
    }

    fn files(&self) -> Vec<String> {
        FILES
            .iter()
            .flat_map(|name| [format!("--{name}"), self.file(name)])
            .collect()
    }

    async fn audit(&self) -> u8 {
        self.audit_with(&[]).await
    }

    async fn audit_with(&self, more: &[&str]) -> u8 {
        let mut arguments = vec!["receipt".to_owned(), "verify".to_owned()];
        arguments.extend(self.policy());
        arguments.extend(self.files());
        arguments.extend(more.iter().map(ToString::to_string));
        self.run(arguments).await
    }

    /// The status and the failed checks of an audit of `receipt`, signed by the node.
    async fn audit_of(&self, receipt: &Receipt, more: &[&str]) -> (u8, Vec<String>) {
        let signed = self.gateway.nodes[0].sign(receipt);
        fs::write(self.file("receipt"), signed).unwrap();
        let page = self.file("audit.html");
        let status = self.audit_with(&[more, &["--html", &page]].concat()).await;
        let page = fs::read_to_string(page).unwrap_or_default();
        let codes = page.split("Because of ").nth(1).unwrap_or_default();
        let codes = codes.split("</p>").next().unwrap_or_default();
        let codes = codes.split("<code>").skip(1);
        let codes = codes.filter_map(|code| code.split("</code>").next());
        (status, codes.map(str::to_owned).collect())
    }

    /// Flips one bit of a file.
    fn tamper(&self, name: &str) {
        let mut bytes = fs::read(self.file(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(self.file(name), bytes).unwrap();
    }
}

fn public_pem(signer: &PolicySigner) -> String {
    let prefix = hex::decode("302a300506032b6570032100").unwrap();
    let der = [prefix.as_slice(), &signer.public_key()].concat();
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_accepts_what_a_chat_leaves_behind() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["Hello"]).await, 0);
    let response = fs::read_to_string(bench.file("response")).unwrap();
    assert!(response.ends_with("data: [DONE]\n\n"), "{response}");
    let request = fs::read_to_string(bench.file("request")).unwrap();
    assert!(request.contains("Hello"), "{request}");
    assert_eq!(bench.audit().await, 0);
    let show = ["receipt", "show", &bench.file("receipt")];
    assert_eq!(bench.run(show.map(str::to_owned).to_vec()).await, 0);
    let show = ["receipt", "show", &bench.file("bundle")];
    assert_eq!(bench.run(show.map(str::to_owned).to_vec()).await, 30);
}

/// One field of a receipt, and the check that tells of it.
type Mutation = (&'static str, fn(&mut Receipt));

const MUTATIONS: [Mutation; 22] = [
    ("receipt.binding", |receipt| receipt.binding_id.0[0] ^= 1),
    ("receipt.manifest", |receipt| receipt.manifest[0] ^= 1),
    ("receipt.model", |receipt| receipt.model.push('x')),
    ("receipt.model", |receipt| receipt.model_digest[0] ^= 1),
    ("receipt.model", |receipt| {
        receipt.aibom_digest = Some([1; 32])
    }),
    ("receipt.tokenizer", |receipt| {
        receipt.tokenizer_digest[0] ^= 1
    }),
    ("receipt.template", |receipt| {
        receipt.template_digest[0] ^= 1
    }),
    ("receipt.kernels", |receipt| receipt.kernels_digest[0] ^= 1),
    ("receipt.gpu", |receipt| {
        receipt.gpu = Some(GpuKernels {
            cubins_digest: [1; 32],
            arithmetic: Arithmetic::Exact,
        });
    }),
    ("receipt.engine", |receipt| receipt.engine.push('x')),
    ("receipt.isa", |receipt| receipt.isa.push('x')),
    ("receipt.padding", |receipt| {
        receipt.padding = PaddingProfile::Strict
    }),
    ("receipt.epoch", |receipt| receipt.node.push('x')),
    ("receipt.epoch", |receipt| receipt.epoch += 1),
    ("receipt.policy", |receipt| receipt.policy_version += 1),
    ("receipt.policy", |receipt| receipt.policy_digest[0] ^= 1),
    ("receipt.outcome", |receipt| {
        receipt.outcome = Outcome::Failed
    }),
    ("receipt.outcome", |receipt| {
        receipt.outcome = Outcome::Abandoned
    }),
    ("receipt.times", |receipt| {
        receipt.finished_at.0 = receipt.received_at.0 - 1
    }),
    ("receipt.client_policy", |receipt| {
        receipt.client_policy[0] ^= 1
    }),
    ("receipt.exchange", |receipt| {
        receipt.digests.request[0] ^= 1
    }),
    ("receipt.exchange", |receipt| {
        receipt.digests.response[0] ^= 1
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_names_what_a_receipt_says_wrongly() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["Hello"]).await, 0);
    let honest = fs::read(bench.file("receipt")).unwrap();
    let honest = SignedReceipt::from_bytes(honest).read_unverified().unwrap();
    for (check, mutate) in MUTATIONS {
        let mut receipt = honest.clone();
        mutate(&mut receipt);
        assert_eq!(
            bench.audit_of(&receipt, &[]).await,
            (10, vec![check.to_owned()])
        );
    }
    let mut late = honest.clone();
    late.received_at.0 += 3600;
    late.finished_at.0 += 3600;
    let later = late.finished_at.plus(60).to_rfc3339();
    let (status, codes) = bench.audit_of(&late, &["--at", &later]).await;
    assert_eq!((status, codes), (10, vec!["keys.expired".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_within_the_grace_of_its_epoch_holds() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["Hello"]).await, 0);
    let honest = fs::read(bench.file("receipt")).unwrap();
    let honest = SignedReceipt::from_bytes(honest).read_unverified().unwrap();
    // The list expires 600 s after it was signed.
    let expires = honest.received_at.plus(600);
    for (seconds, expected) in [(30, 0), (90, 10)] {
        let mut late = honest.clone();
        late.received_at = expires.plus(seconds);
        late.finished_at = expires.plus(seconds);
        let at = late.finished_at.plus(1).to_rfc3339();
        assert_eq!(
            bench.audit_of(&late, &["--at", &at]).await.0,
            expected,
            "{seconds}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_s_own_demands_are_checked() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["--residency", "DE", "Hello"]).await, 0);
    let honest = fs::read(bench.file("receipt")).unwrap();
    let honest = SignedReceipt::from_bytes(honest).read_unverified().unwrap();
    let holds = (0, Vec::new());
    assert_eq!(bench.audit_of(&honest, &["--residency", "DE"]).await, holds);
    let elsewhere = bench.audit_of(&honest, &["--residency", "FR"]).await;
    assert_eq!(elsewhere, (10, vec!["receipt.residency".to_owned()]));
    let before = UnixTime(honest.received_at.0 - 1).to_rfc3339();
    let early = bench.audit_of(&honest, &["--at", &before]).await;
    assert_eq!(early, (10, vec!["receipt.times".to_owned()]));
    // The fake node's tokens.
    for (tokens, expected) in [("[1, 2]", 0), ("[1, 3]", 10), ("1 2", 30)] {
        fs::write(bench.file("tokens"), tokens).unwrap();
        let file = bench.file("tokens");
        let (status, _) = bench.audit_of(&honest, &["--tokens", &file]).await;
        assert_eq!(status, expected, "{tokens}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_given_is_skipped_and_not_passed() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["Hello"]).await, 0);
    let page = bench.file("page.html");
    let bare = [
        "receipt",
        "verify",
        "--receipt",
        &bench.file("receipt"),
        "--bundle",
        &bench.file("bundle"),
        "--html",
        &page,
    ];
    assert_eq!(bench.run(bare.map(str::to_owned).to_vec()).await, 0);
    let page = fs::read_to_string(page).unwrap();
    for id in ["receipt.exchange", "receipt.client_policy"] {
        let at = page.find(&format!("<code>{id}</code>")).unwrap();
        let row = &page[page[..at].rfind("<tr").unwrap()..at];
        assert!(row.contains("SKIP"), "{row}");
    }
    let mut bundle = EvidenceBundle::from_cbor(&fs::read(bench.file("bundle")).unwrap()).unwrap();
    bundle.key_configs = None;
    fs::write(bench.file("bundle"), bundle.to_cbor()).unwrap();
    assert_eq!(bench.audit().await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_the_node_did_not_finish_is_no_answer_but_has_a_receipt() {
    let bench = Bench::new().await;
    *bench.gateway.nodes[0].outcome.lock().unwrap() = Outcome::Failed;
    assert_eq!(bench.chat(&["Hello"]).await, 10);
    assert!(!bench.folder.path().join("response").exists());
    let mut arguments = ["receipt", "verify"].map(str::to_owned).to_vec();
    for name in ["receipt", "bundle"] {
        arguments.extend([format!("--{name}"), bench.file(name)]);
    }
    assert_eq!(bench.run(arguments).await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenant_and_cache_secret_are_sealed() {
    let bench = Bench::new().await;
    let keys = ["policy", "keygen", &bench.file("tenant")];
    assert_eq!(bench.run(keys.map(str::to_owned).to_vec()).await, 0);
    fs::write(bench.file("cache"), format!("{}\n", "0c".repeat(32))).unwrap();
    let (tenant, cache) = (bench.file("tenant.pem"), bench.file("cache"));
    let flags = ["--tenant-key", &tenant, "--cache-secret", &cache, "Hello"];
    assert_eq!(bench.chat(&flags).await, 0);
    let sealed = bench.gateway.nodes[0]
        .sealed
        .lock()
        .unwrap()
        .clone()
        .unwrap();
    assert_eq!(sealed.cache_secret.unwrap().as_bytes(), &[0x0c; 32]);
    let receipt = SignedReceipt::from_bytes(fs::read(bench.file("receipt")).unwrap());
    let tenant = receipt.read_unverified().unwrap().tenant.unwrap();
    assert_eq!(sealed.tenant.unwrap().key, tenant);

    let config = bench.file("seal.toml");
    let chat = ["--config", &config, "Hello"];
    let text =
        "nodes = 2\nresidency = \"DE\"\ntenant_key = \"tenant.pem\"\ncache_secret = \"cache\"\n";
    fs::write(&config, text).unwrap();
    assert_eq!(bench.chat(&chat).await, 0);
    let sealed = bench.gateway.nodes[0]
        .sealed
        .lock()
        .unwrap()
        .clone()
        .unwrap();
    assert_eq!(sealed.tenant.unwrap().key, tenant);
    assert_eq!(sealed.residency.as_deref(), Some("DE"));
    assert!(sealed.cache_secret.is_some());
    for wrong in [
        "node = 2",
        "nodes = 0",
        "residency = \"de\"",
        "nodes = 1\nnodes = 1",
    ] {
        fs::write(&config, wrong).unwrap();
        assert_eq!(bench.chat(&chat).await, 30, "{wrong}");
    }

    fs::write(bench.file("cache"), "0c").unwrap();
    assert_eq!(bench.chat(&flags).await, 30);
    assert_eq!(bench.chat(&["--residency", "Germany", "Hello"]).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_s_page_tells_nothing_of_the_disclosed_exchange() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["Hello"]).await, 0);
    let page = bench.file("page.html");
    assert_eq!(bench.audit_with(&["--html", &page]).await, 0);
    let page = fs::read_to_string(page).unwrap();
    let digest = |name| {
        hex::encode(attestation::crypto::sha256(
            &fs::read(bench.file(name)).unwrap(),
        ))
    };
    for name in ["receipt", "bundle", "policy.json"] {
        assert!(page.contains(&digest(name)), "{name} in {page}");
    }
    for name in ["request", "response", "opening"] {
        assert!(!page.contains(&digest(name)), "{name} in {page}");
    }
    assert!(page.contains("<code>receipt.exchange</code>"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_rejects_what_was_changed_afterwards() {
    let bench = Bench::new().await;
    for name in FILES {
        assert_eq!(bench.chat(&["Hello"]).await, 0);
        bench.tamper(name);
        assert!([10, 30].contains(&bench.audit().await), "{name}");
    }
    assert_eq!(bench.chat(&["Hello"]).await, 0);
    fs::write(bench.file("receipt"), b"no receipt").unwrap();
    assert_eq!(bench.audit().await, 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_judged_with_its_nonce_its_manifest_and_the_policy() {
    let bench = Bench::new().await;
    let nonce = attestation::Nonce([7; 32]);
    let bundle = bench.gateway.nodes[0].bundle(&nonce);
    fs::write(bench.file("bundle"), bundle.to_cbor()).unwrap();
    fs::write(bench.file("manifest"), &bundle.manifest).unwrap();
    let verify = |more: &[&str]| {
        let mut arguments: Vec<String> = ["verify", "bundle"].map(str::to_owned).to_vec();
        arguments.push(bench.file("bundle"));
        arguments.extend(more.iter().map(ToString::to_string));
        bench.run(arguments)
    };
    assert_eq!(verify(&[]).await, 0);
    assert_eq!(verify(&["--nonce", &"07".repeat(32)]).await, 0);
    assert_eq!(verify(&["--nonce", &"08".repeat(32)]).await, 10);
    assert_eq!(verify(&["--nonce", "07"]).await, 2);
    assert_eq!(verify(&["--manifest", &bench.file("manifest")]).await, 0);
    assert_eq!(
        verify(&["--manifest", &bench.file("policy.json")]).await,
        10
    );
    assert_eq!(verify(&["--at", "2050-01-01T00:00:00Z"]).await, 10);
    let policy = bench.policy();
    let policy: Vec<&str> = policy.iter().map(String::as_str).collect();
    assert_eq!(verify(&policy).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_that_is_cut_short_fails_and_leaves_no_receipt() {
    for (fault, status) in [
        (Fault::DropEnd, 10),
        (Fault::BreakOff, 10),
        (Fault::FlipBit, 10),
        (Fault::OldEvidence, 10),
        (Fault::OtherKeys, 10),
        (Fault::TrailingByte, 30),
        (Fault::Unavailable(0), 1),
    ] {
        let bench = Bench::new().await;
        bench.gateway.fault(fault);
        assert_eq!(bench.chat(&["--json", "Hello"]).await, status, "{fault:?}");
        assert!(!bench.folder.path().join("receipt").exists(), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_from_inside_the_seal_is_a_failure_without_blame() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["refuse me"]).await, 1);
    assert_eq!(bench.chat(&["--model", "other", "Hello"]).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_asks_the_bundle_who_signed() {
    let bench = Bench::new().await;
    assert_eq!(bench.chat(&["Hello"]).await, 0);
    let [receipt, opening, bundle, request] =
        ["receipt", "opening", "bundle", "request"].map(|name| bench.file(name));
    let replay = |more: &[&str]| {
        let files = [
            "audit",
            "replay",
            &receipt,
            "--opening",
            &opening,
            "--request",
            &request,
            "--model",
            "none.gguf",
        ];
        let arguments = [&files, more].concat();
        bench.run(arguments.into_iter().map(str::to_owned).collect())
    };
    let with_bundle = ["--bundle", &bundle];
    assert_eq!(replay(&[]).await, 20, "other kernels than this program's");
    assert_eq!(replay(&with_bundle).await, 20, "who signed was attested");
    let late = [&with_bundle[..], &["--at", "2050-01-01T00:00:00Z"]].concat();
    assert_eq!(replay(&late).await, 10);
    let signed = SignedReceipt::from_bytes(fs::read(&receipt).unwrap());
    let anothers = signed
        .read_unverified()
        .unwrap()
        .sign(&IdentitySecret::generate());
    fs::write(&receipt, anothers.as_bytes()).unwrap();
    assert_eq!(replay(&[]).await, 20, "nobody was asked");
    assert_eq!(replay(&with_bundle).await, 10);
}
