//! A decoder served from a folder, end to end: admitted by the folder's digest, asked, answered; the receipt names the folder.
#![allow(
    clippy::disallowed_methods,
    reason = "tests, and the simulated vendor must be admitted"
)]

use crate::model_folder::{Folder, PUBLIC_NAME};
use crate::support::{NOW, Stack, json_request};
use crate::{support, tiny};
use attestation::{UnixTime, snp::Product};
use enclave_runtime::{Clock, Parts, Runtime, StartError};
use engine::{
    folder::ModelFolder,
    gguf::Gguf,
    local::{self, LocalConfig},
};
use policy::{Appraiser, InForce};
use protocol::{Outcome, client::ClientRequest};
use std::sync::{Arc, LazyLock};
use tee_sim::{Machine, Vendor, policy_text::demo_policy};

const CONFIG: LocalConfig = LocalConfig {
    threads: 1,
    max_sequences: 1,
    queue: 1,
    max_context: 128,
    isa: None,
    step_tokens: 64,
    kv_bytes: 0,
    tenant_jobs: 0,
    cached_tokens_per_secret: 0,
};

static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

fn folder() -> Folder {
    let gguf = Gguf::from_bytes(tiny::speaking("qwen3-1").bytes()).unwrap();
    Folder::speaking(&gguf)
}

/// A policy that admits the model of this digest alone.
fn admitting(digest: [u8; 32]) -> InForce {
    let policy = demo_policy(&Machine::new(&VENDOR), UnixTime(0), NOW.plus(1_000_000));
    support::signed(&policy.model(PUBLIC_NAME, digest).to_toml())
}

/// A runtime that serves `folder` under a policy.
fn runtime(folder: &Folder, in_force: InForce) -> Result<Runtime, StartError> {
    let engine = local::open(&folder.write(), None, CONFIG).unwrap();
    let parts = Parts {
        in_force,
        ..support::parts()
    };
    let machine = Arc::new(Machine::new(&VENDOR));
    Runtime::new(parts, engine, machine, Clock::from_source(|| NOW))
}

fn digest(folder: &Folder) -> [u8; 32] {
    ModelFolder::open(&folder.write()).unwrap().digest()
}

/// A request of a few tokens, with `rest` in its body.
fn body(rest: &str) -> String {
    format!(r#"{{"model":"{PUBLIC_NAME}","max_tokens":6,"seed":1,{rest}}}"#)
}

#[tokio::test]
async fn a_chat_and_a_text_are_answered_from_a_folder() {
    let folder = folder();
    let digest = digest(&folder);
    let in_force = admitting(digest);
    let runtime = runtime(&folder, in_force.clone()).unwrap();
    let in_force = in_force.map_policy(policy::danger::accept_custom_anchors);
    let appraiser = Appraiser::new(VENDOR.verifier(), in_force);
    let stack = Stack::of_runtime(runtime, appraiser).await;
    let (admitted, _) = stack.admit().await;
    let manifest = &admitted.claims().manifest;
    assert_eq!(manifest.model_digest, digest);
    assert_eq!(manifest.model, PUBLIC_NAME);
    for (path, asked) in [
        (
            "/v1/chat/completions",
            r#""messages":[{"role":"user","content":"abba"}]"#,
        ),
        ("/v1/completions", r#""prompt":"abba""#),
    ] {
        let body = body(asked);
        let request = ClientRequest {
            model: Some(PUBLIC_NAME),
            ..json_request(path, &body)
        };
        let opened = stack.exchange(&request).await;
        assert_eq!(opened.status, 200, "{}", opened.text());
        let answer = opened.json();
        assert_eq!(answer["model"], PUBLIC_NAME);
        assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
        let receipt = opened.receipt.unwrap();
        assert_eq!(receipt.outcome, Outcome::Complete);
        assert_eq!(receipt.model_digest, digest);
    }
}

#[test]
fn another_folder_does_not_start_under_the_same_policy() {
    let mut other = folder();
    let in_force = admitting(digest(&other));
    other.tensors[0].bytes[0] ^= 1;
    match runtime(&other, in_force).err().unwrap() {
        StartError::Policy(reasons) => assert_eq!(reasons[0].code, "policy.model"),
        another => panic!("{another}"),
    }
}
