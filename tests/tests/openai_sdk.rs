//! The official openai SDKs of Python and Node through `narthex proxy`, with only their base URL changed; and the API as docs/openapi.yaml
//! describes it, asked by schemathesis.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use protocol::PaddingProfile;
use shared::{Proxy, Shared, node::node};
use std::{path::Path, process::Command};
use tests::stack::MODEL;

#[test]
fn the_openai_sdk_works_with_only_its_base_url_changed_under_each_padding_profile() {
    for padding in PaddingProfile::ALL {
        let shared = shared::padded(padding);
        let proxy = shared::proxy(&shared.stack);
        let said = succeeds(
            python(&shared::python(), "openai_sdk.py").args([proxy.base_url.as_str(), MODEL]),
            &proxy,
        );
        assert!(tests_run(&said) >= 30, "the SDK's tests ran: {said}");
    }
}

#[test]
fn the_openai_sdk_of_node_works_with_only_its_base_url_changed() {
    let (_shared, proxy) = proxied();
    let said = succeeds(
        node("openai_sdk.mjs").args([proxy.base_url.as_str(), MODEL]),
        &proxy,
    );
    let held = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(held >= 10, "{held} checks:\n{said}");
}

/// Status codes, media types and bodies are those that the document promises, for requests that it allows and for some that it does not.
#[test]
fn the_api_is_what_its_openapi_document_says() {
    let (_shared, proxy) = proxied();
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.yaml");
    let mut conformance = python(&shared::schemathesis(), "openapi_conformance.py");
    let said = succeeds(conformance.args([document, &proxy.base_url, MODEL]), &proxy);
    assert!(tests_run(&said) >= 12, "{said}");
}

fn proxied() -> (Shared, Proxy) {
    let shared = shared::padded(PaddingProfile::default());
    let proxy = shared::proxy(&shared.stack);
    (shared, proxy)
}

fn python(interpreter: &Path, script: &str) -> Command {
    let mut python = Command::new(interpreter);
    python.arg(format!("{}/python/{script}", env!("CARGO_MANIFEST_DIR")));
    python
}

/// What a program says that succeeds.
fn succeeds(program: &mut Command, proxy: &Proxy) -> String {
    let output = program.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        output.status.success(),
        "{said}\nproxy:\n{}",
        String::from_utf8_lossy(&proxy.process.output())
    );
    said
}

/// `Ran N tests`.
fn tests_run(said: &str) -> usize {
    let (_, rest) = said.rsplit_once("Ran ").unwrap_or_default();
    let count = rest.split(' ').next();
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}
