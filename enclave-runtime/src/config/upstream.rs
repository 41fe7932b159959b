//! `[upstream]`: an inference server inside the same TEE, in the place of the engine of this process.

use super::section::Section;
use std::time::Duration;
use upstream::{Address, Kind};

/// How long a server may take until it is ready, and until it says the first word of an answer.
const PATIENCE: Duration = Duration::from_secs(600);
const MAX_REQUESTS: usize = 64;

/// `[upstream]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// `address`: `http://127.0.0.1:PORT`, `http://[::1]:PORT` or `unix:/PATH`.
    pub address: Address,
    /// `kind`: `vllm`, `llama.cpp` or `openai`.
    pub kind: Kind,
    /// `model`: what the server calls the model.
    pub model: String,
    /// `software_digest`: `sha256:` and 64 hexadecimal digits, the digest of the image or executable that serves; stated in the manifest.
    pub software_digest: [u8; 32],
    /// `context_tokens`: longest prompt and answer.
    pub context_tokens: u32,
    /// `max_requests`: requests under way at the same time; 64.
    pub max_requests: usize,
    /// `patience_seconds`: how long it may take until it is ready, and between two words; 600.
    pub patience: Duration,
}

/// Reads the section; none if it has mistakes.
pub(super) fn read(
    mut section: Section<'_>,
    mistakes: &mut Vec<String>,
) -> Option<UpstreamSettings> {
    let address = take_address(&mut section);
    let kind = |name: String| Kind::parse(&name).map(Some);
    let kind = section.required("kind", "\"vllm\", \"llama.cpp\" or \"openai\"", kind);
    let model = |name: String| (1..=256).contains(&name.len()).then_some(name);
    let settings = (
        section.required("model", "the name that the server gives it", model),
        section.required(
            "software_digest",
            "sha256: and 64 hexadecimal digits",
            |text: String| digest(&text),
        ),
        section.required("context_tokens", "a positive number", |tokens: u32| {
            (tokens > 0).then_some(tokens)
        }),
        section.count("max_requests", MAX_REQUESTS),
        section.seconds("patience_seconds", PATIENCE),
    );
    section.finish(mistakes);
    let (model, software_digest, context_tokens, max_requests, patience) = settings;
    Some(UpstreamSettings {
        address: address?,
        kind: kind?,
        model,
        software_digest,
        context_tokens,
        max_requests,
        patience,
    })
}

fn take_address(section: &mut Section<'_>) -> Option<Address> {
    let expected =
        "http://127.0.0.1:PORT, http://[::1]:PORT or unix:/PATH: prompts do not leave the machine";
    section.required("address", expected, |text: String| {
        text.parse().ok().map(Some)
    })
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let digits = text.strip_prefix("sha256:")?;
    hex::decode_to_slice(digits, &mut digest).ok()?;
    Some(digest)
}
