//! A sealed model from end to end: sealed by its owner, its key released to a node that the policy admits, opened, asked, answered. And what
//! a runtime takes for no key.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests, and the simulated vendor must be admitted"
)]

#[path = "../../../kernels/tests/cuda_cpu/mod.rs"]
mod cuda_cpu;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../../../gpu/tests/emulated/device.rs"]
mod device;
#[path = "../../../engine/tests/gguf_file/mod.rs"]
mod gguf_file;
mod impostor;
mod memory;
mod owner;
mod process;
mod scene;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../../engine/tests/tiny/mod.rs"]
mod tiny;

use device::Emulated;
use enclave_runtime::{
    Clock, PageKind, Runtime, SecretPages, model_key::fetch, sealed::SealedError,
};
use gpu::GpuBackend;
use impostor::{Impostor, Lie};
use memory::Masked;
use owner::Owner;
use protocol::{
    key_release::KeyId,
    secret::{Heap, SecretMemory},
};
use scene::{NAME, NOW, Scene, VENDOR};
use std::sync::Arc;
use support::{Stack, get_request, json_request};
use tee_sim::Machine;
use tokio::sync::Mutex;

#[tokio::test]
async fn a_sealed_model_answers_a_sealed_prompt() {
    let owner = Owner::new();
    let scene = Scene::start(&owner).await;
    let key = fetch(&scene.server(), &scene.asker(), scene.wanted()).await;
    let engine = scene.sealed().load(key.unwrap(), NAME, scene::ENGINE);
    let engine = engine.unwrap();
    assert_eq!(engine.card().model_digest, scene.owner.model_digest);
    let machine = Arc::new(Machine::new(&VENDOR));
    let clock = Clock::from_source(|| NOW);
    let runtime = Runtime::new(scene.parts(), engine, machine, clock).unwrap();
    let stack = Stack::of_runtime(runtime, scene.appraiser()).await;
    let list = stack.exchange(&get_request("/v1/models")).await;
    assert_eq!(list.json()["data"][0]["id"], NAME);
    let body = format!(r#"{{"model":"{NAME}","prompt":"abc","max_tokens":4,"temperature":0}}"#);
    let request = json_request("/v1/completions", &body);
    let request = protocol::client::ClientRequest {
        model: Some(NAME),
        ..request
    };
    let answer = stack.exchange(&request).await;
    assert_eq!(
        answer.status,
        200,
        "{:?}",
        String::from_utf8_lossy(&answer.body)
    );
    let receipt = answer.receipt.unwrap();
    assert_eq!(receipt.model, NAME);
}

/// One at a time: what one test reads of memory may hold a copy of another's key.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Releaser, runtime and owner are one process here: none of them may leave the key behind.
#[tokio::test]
async fn the_key_is_gone_once_the_model_is_open() {
    let _alone = ALONE.lock().await;
    let owner = Owner::new();
    let key = Masked::of(owner.key.expose());
    assert!(key.occurrences() > 0, "the control: its owner has it");
    let scene = Scene::start(&owner).await;
    let received = fetch(&scene.server(), &scene.asker(), scene.wanted()).await;
    let engine = scene.sealed().load(received.unwrap(), NAME, scene::ENGINE);
    assert!(engine.is_ok());
    drop(scene);
    drop(owner);
    assert_eq!(key.occurrences(), 0);
}

/// The device's memory is this process's too: neither there nor on the way does it stay.
#[tokio::test]
async fn the_key_is_gone_once_a_device_has_deciphered_the_model() {
    let _alone = ALONE.lock().await;
    let owner = Owner::new();
    let key = Masked::of(owner.key.expose());
    let scene = Scene::start(&owner).await;
    let received = fetch(&scene.server(), &scene.asker(), scene.wanted()).await;
    let gpu = GpuBackend::new(Emulated::default()).unwrap();
    let sealed = scene.sealed();
    let engine = sealed.load_on(gpu, received.unwrap(), (NAME, scene::ENGINE));
    let engine = engine.unwrap();
    let card = engine.card();
    assert_eq!(card.model_digest, scene.owner.model_digest);
    assert_eq!((&*card.mode, card.isa), ("cuda/exact", "emulated"));
    assert!(key.occurrences() > 0, "the control: its owner has it");
    drop(scene);
    drop(owner);
    assert_eq!(key.occurrences(), 0);
}

/// While it waits to be used, too.
#[tokio::test]
async fn the_key_rests_where_the_kernel_does_not_show_it() {
    let _alone = ALONE.lock().await;
    if SecretPages::probe().kind() != PageKind::Secret {
        println!("this kernel has no memfd_secret: there is nothing to look at");
        return;
    }
    let owner = Owner::new();
    let key = Masked::of(owner.key.expose());
    let scene = Scene::start(&owner).await;
    let received = fetch(&scene.server(), &scene.asker(), scene.wanted()).await;
    let received = received.unwrap();
    drop(scene);
    drop(owner);
    assert_eq!(key.occurrences(), 0, "received, and held");
    let on_heap = Heap.keep(received.expose());
    assert!(key.occurrences() > 0, "the control: it is this key");
    drop(on_heap);
    assert_eq!(key.occurrences(), 0, "the working copy is wiped");
    drop(received);
}

#[tokio::test]
async fn a_node_that_the_policy_denies_gets_no_key() {
    let owner = Owner::new();
    let scene = Scene::start(&owner).await;
    let denied = Machine::new(&VENDOR).with_report(|report| report.measurement[0] ^= 1);
    let asked = fetch(&scene.server(), &scene.asker_on(denied), scene.wanted()).await;
    let error = asked.err().unwrap();
    assert_eq!(error.code(), "model_key.refused");
    assert!(
        error.to_string().contains("HTTP 403, releaser.refused"),
        "{error}"
    );
}

#[tokio::test]
async fn another_models_key_is_not_released() {
    let owner = Owner::new();
    let scene = Scene::start(&owner).await;
    let mut wanted = scene.wanted();
    wanted.key_id = KeyId([9; 32]);
    let asked = fetch(&scene.server(), &scene.asker(), wanted).await;
    assert_eq!(asked.err().unwrap().code(), "model_key.refused");
}

#[tokio::test]
async fn a_key_that_is_not_this_models_opens_nothing() {
    let owner = Owner::new();
    let scene = Scene::start(&owner).await;
    let memory = Heap;
    let other = memory.keep(&[1; 32]);
    let refused = scene
        .sealed()
        .load(other, NAME, scene::ENGINE)
        .err()
        .unwrap();
    assert_eq!(refused.code(), "sealed.key");
}

#[tokio::test]
async fn an_answer_to_another_runtime_is_no_key() {
    let owner = Owner::new();
    let scene = Scene::start(&owner).await;
    for (lie, code) in [
        (Lie::Replay, "sealed_key.authentication"),
        (Lie::Flip, "sealed_key.authentication"),
        (Lie::Shorter, "sealed_key.length"),
        (Lie::Oversize, "https.too_large"),
        (Lie::ShortNonce, "model_key.challenge"),
        (Lie::MediaType, "model_key.refused"),
        (Lie::Redirect, "model_key.refused"),
    ] {
        let impostor = Impostor::start(lie, scene.address).await;
        let server = scene.server_at(impostor.address);
        if lie == Lie::Replay {
            // The first runtime gets its key through the impostor, who keeps the answer.
            let first = fetch(&server, &scene.asker(), scene.wanted()).await;
            assert!(first.is_ok(), "the control");
        }
        let asked = fetch(&server, &scene.asker(), scene.wanted()).await;
        assert_eq!(asked.err().unwrap().code(), code, "{lie:?}");
    }
}

#[tokio::test]
async fn a_releaser_that_is_busy_is_asked_again_so_often() {
    let owner = Owner::new();
    let scene = Scene::start(&owner).await;
    let impostor = Impostor::start(Lie::Busy, scene.address).await;
    let server = enclave_runtime::model_key::KeyServer {
        attempts: 3,
        ..scene.server_at(impostor.address)
    };
    let asked = fetch(&server, &scene.asker(), scene.wanted()).await;
    assert_eq!(asked.err().unwrap().code(), "model_key.refused");
    assert_eq!(impostor.asked(), 3);
}

#[tokio::test]
async fn a_model_that_another_signed_or_that_is_no_model_is_refused() {
    let (owner, other) = (Owner::new(), Owner::new());
    let opened = enclave_runtime::sealed::Sealed::open(&owner.sealed, &other.root());
    assert_eq!(opened.err().unwrap().code(), "sealed.signature");
    let text = Owner::of_file("notes.txt", b"not a model");
    let opened = enclave_runtime::sealed::Sealed::open(&text.sealed, &text.root());
    assert!(matches!(opened.err().unwrap(), SealedError::Files));
    let nonsense = Owner::of_file("nonsense.gguf", b"not a model");
    let scene = Scene::start(&nonsense).await;
    let key = fetch(&scene.server(), &scene.asker(), scene.wanted()).await;
    let loaded = scene.sealed().load(key.unwrap(), NAME, scene::ENGINE);
    assert!(matches!(loaded.err().unwrap(), SealedError::Gguf(_)));
}

#[tokio::test]
async fn a_model_that_nobody_names_is_not_promised() {
    let owner = Owner::new();
    let scene = Scene::start(&owner).await;
    let in_force = support::signed(&support::policy_text().to_toml());
    let refused = scene.sealed().promise(None, &in_force).err().unwrap();
    assert_eq!(refused.code(), "sealed.model_name");
    let named = scene.sealed().promise(Some("mine"), &in_force).unwrap();
    assert_eq!(
        (named.name.as_str(), named.tokenizer_digest),
        ("mine", [0; 32])
    );
}
