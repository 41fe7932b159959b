//! `narthex policy simulate` and evidence in cases: the command's own code, composed with an invented vendor's roots.

use crate::fake::{self, Gateway, Node};
use attestation::Nonce;
use client::{
    SystemClock,
    cli::{self, Composition, Streams},
};
use std::{ffi::OsString, fs, process::ExitCode, sync::Arc};

/// A gateway with one node, and a folder with its evidence, a draft that admits it and one that does not.
struct Bench {
    gateway: Gateway,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let gateway = Gateway::start(vec![Node::new("node-a")]).await;
        let bench = Self {
            gateway,
            folder: tempfile::tempdir().unwrap(),
        };
        let node = &bench.gateway.nodes[0];
        let admits = node.policy_text();
        fs::create_dir(bench.folder.path().join("recorded")).unwrap();
        bench.write("recorded/a.bundle", &node.bundle(&Nonce([7; 32])).to_cbor());
        bench.write("recorded/read.me", b"not evidence");
        bench.write("admits.toml", admits.to_toml().as_bytes());
        let refuses = admits.model("another", [1; 32]).to_toml();
        bench.write("refuses.toml", refuses.as_bytes());
        let order = "schema = 1\nserial = 1\nissued = 2026-01-01T00:00:00Z\naction = \"stop\"\nreason = \"r\"\ntargets = [\"node:node-a\"]\n";
        bench.write("stop-node.toml", order.as_bytes());
        bench.write(
            "stop-all.toml",
            order.replace("node:node-a", "everything").as_bytes(),
        );
        bench
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).unwrap();
    }

    /// Runs the command in this process, on a thread that may block; names of files are those of the folder.
    async fn run(&self, arguments: &[&str]) -> u8 {
        let node = &self.gateway.nodes[0];
        let composition = Composition {
            verifier: node.machine.verifier(),
            policy: fake::accepting_custom,
            clock: Arc::new(SystemClock),
            streams: Streams::NONE,
        };
        let is_file = |name: &str| self.folder.path().join(name).exists();
        let arguments: Vec<OsString> = ["narthex"]
            .iter()
            .chain(arguments)
            .map(|argument| match is_file(argument) {
                true => OsString::from(self.file(argument)),
                false => OsString::from(argument),
            })
            .collect();
        let exit = tokio::task::spawn_blocking(move || cli::run(arguments, &composition));
        let exit = format!("{:?}", exit.await.unwrap());
        (0..=u8::MAX)
            .find(|status| exit == format!("{:?}", ExitCode::from(*status)))
            .unwrap()
    }

    async fn simulate(&self, draft: &str, more: &[&str]) -> u8 {
        self.run(&[&["policy", "simulate", draft][..], more].concat())
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_tried_on_recorded_evidence() {
    let bench = Bench::new().await;
    let recorded = ["--evidence", "recorded"];
    assert_eq!(bench.simulate("admits.toml", &recorded).await, 0);
    assert_eq!(bench.simulate("refuses.toml", &recorded).await, 10);
    let stopped = [&recorded[..], &["--order", "stop-all.toml"]].concat();
    assert_eq!(bench.simulate("admits.toml", &stopped).await, 10);
    assert_eq!(
        bench
            .simulate("admits.toml", &["--evidence", "recorded/read.me"])
            .await,
        10
    );
    assert_eq!(
        bench.simulate("admits.toml", &[]).await,
        2,
        "without evidence"
    );
    assert_eq!(
        bench.simulate("stop-all.toml", &recorded).await,
        30,
        "no policy"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_tried_on_the_live_fleet_and_nothing_is_sealed() {
    let bench = Bench::new().await;
    let url = bench.gateway.url.clone();
    let live = ["--gateway", url.as_str()];
    assert_eq!(bench.simulate("admits.toml", &live).await, 0);
    assert_eq!(bench.simulate("refuses.toml", &live).await, 10);
    let stopped = [&live[..], &["--order", "stop-node.toml"]].concat();
    assert_eq!(
        bench.simulate("admits.toml", &stopped).await,
        10,
        "stopped by name"
    );
    assert_eq!(bench.gateway.calls("relay"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_may_bring_evidence() {
    let bench = Bench::new().await;
    let at = fake::now().to_rfc3339();
    let case = |policy: &str, verdict: &str| {
        format!(
            "name = \"n\"\nat = {at}\npolicy = \"{policy}\"\nevidence = \"recorded/a.bundle\"\n{verdict}\n"
        )
    };
    bench.write(
        "admit.toml",
        case("admits.toml", "expect = \"admit\"").as_bytes(),
    );
    let deny = "expect = \"deny\"\ncodes = [\"policy.model\"]";
    bench.write("deny.toml", case("refuses.toml", deny).as_bytes());
    assert_eq!(
        bench
            .run(&["policy", "test", "admit.toml", "deny.toml"])
            .await,
        0
    );
    bench.write(
        "wrong.toml",
        case("refuses.toml", "expect = \"admit\"").as_bytes(),
    );
    assert_eq!(
        bench
            .run(&["policy", "test", "admit.toml", "wrong.toml"])
            .await,
        10
    );
}
