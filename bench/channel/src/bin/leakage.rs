//! Asks the real model, through the real runtime under each padding profile, every prompt of a file, and prints what the wire showed: a line
//! of JSON for each answer with times and sizes of its sealed chunks. `bench/channel/leakage.py` learns from it.
//!
//! usage: leakage MODEL PROMPTS TOKENS      PROMPTS: lines `TOPIC <tab> PROMPT`; TOKENS: most tokens of an answer

use bench_channel::{
    site::{self, MODEL, Site},
    wire::{self, Watch},
};
use protocol::{
    Aead, PaddingProfile, REQUEST_MEDIA_TYPE, Sealer, chunk::response_nonce_len,
    client::ClientRequest,
};
use serde_json::json;
use std::{error::Error, fs, net::SocketAddr, path::Path};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Node {
    padding: PaddingProfile,
    address: SocketAddr,
    sealer: Sealer,
}

struct Prompt<'a> {
    topic: &'a str,
    text: &'a str,
    number: u64,
    tokens: u32,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, prompts, tokens] = arguments.as_slice() else {
        return Err("usage: leakage MODEL PROMPTS TOKENS".into());
    };
    let tokens = tokens.parse()?;
    let site = Site::new(Path::new(model))?;
    let mut nodes = Vec::new();
    for padding in PaddingProfile::ALL {
        let address = site.node(padding).await?;
        let sealer = site.sealer(address).await?;
        nodes.push(Node {
            padding,
            address,
            sealer,
        });
    }
    for (number, line) in (0..).zip(fs::read_to_string(prompts)?.lines()) {
        let (topic, text) = line.split_once('\t').ok_or("a line without a topic")?;
        let prompt = Prompt {
            topic,
            text,
            number,
            tokens,
        };
        for node in &nodes {
            ask(node, &prompt).await?;
        }
    }
    Ok(())
}

/// Asks once and prints what the wire showed.
async fn ask(node: &Node, prompt: &Prompt<'_>) -> Outcome<()> {
    let body = json!({
        "model": MODEL,
        "messages": [{"role": "user", "content": prompt.text}],
        "max_tokens": prompt.tokens,
        "temperature": 0.7,
        "seed": prompt.number,
        "stream": true,
    });
    let request = ClientRequest {
        method: "POST",
        path: "/v1/chat/completions",
        content_type: Some("application/json"),
        body: &serde_json::to_vec(&body)?,
        model: Some(MODEL),
        residency: None,
        request_id: u128::from(prompt.number).to_be_bytes(),
        tenant: None,
        cache_secret: None,
    };
    let (sealed, _) = node.sealer.seal(&request, site::now())?;
    let request_bytes = sealed.envelope.len();
    let mut connection = wire::connect(node.address).await?;
    let watch = Watch::start(response_nonce_len(Aead::Aes256Gcm));
    let (path, media_type) = ("/narthex/v1/sealed", Some(REQUEST_MEDIA_TYPE));
    let answer = wire::post(&mut connection, path, media_type, sealed.envelope).await?;
    let chunks = wire::watch(answer, watch).await?;
    let round = |ms: f64| (ms * 1000.0).round() / 1000.0;
    let line = json!({
        "topic": prompt.topic,
        "prompt": prompt.number,
        "profile": node.padding.as_str(),
        "request": request_bytes,
        "ms": chunks.iter().map(|chunk| round(chunk.ms)).collect::<Vec<_>>(),
        "bytes": chunks.iter().map(|chunk| chunk.bytes).collect::<Vec<_>>(),
    });
    println!("{line}");
    Ok(())
}
