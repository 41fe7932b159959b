//! What the sealed channel costs end to end on the real model: the client library through gateway and runtime, under each padding profile,
//! against plain HTTP to the same engine. Everything on loopback, one answer at a time, all in turn, round after round.
//!
//! usage: channel MODEL [ROUNDS] [TOKENS]

use bench_channel::{
    plain,
    site::{MODEL, Site},
    wire::{self, Connection},
};
use client::{Client, Request};
use http_body_util::BodyExt;
use protocol::{PaddingProfile, ResponseEvent};
use serde_json::json;
use std::{error::Error, path::Path, time::Instant};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PROMPT: &str =
    "Write a short story about a door that opens only for those who tell it the truth.";
const DEFAULT_ROUNDS: usize = 15;
const DEFAULT_TOKENS: u32 = 128;

/// One answer as its reader saw it: seconds from the start of the request.
#[derive(Clone, Copy)]
struct Seen {
    first_text: f64,
    last_text: f64,
    end: f64,
}

/// Watches the text of an answer arrive.
struct Reader {
    start: Instant,
    first_text: Option<f64>,
    last_text: f64,
    deltas: Vec<u8>,
}

/// All answers of one way to the engine.
struct Way {
    name: &'static str,
    seen: Vec<Seen>,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let model = arguments
        .first()
        .ok_or("usage: channel MODEL [ROUNDS] [TOKENS]")?;
    let number = |at: usize| arguments.get(at).map(|text| text.parse());
    let rounds = number(1).transpose()?.unwrap_or(DEFAULT_ROUNDS);
    let tokens = number(2).transpose()?.map_or(DEFAULT_TOKENS, |n| n as u32);
    let site = Site::new(Path::new(model))?;
    let folder = tempfile::tempdir()?;
    let mut plain_connection = wire::connect(plain::serve(site.engine.clone()).await?).await?;
    let mut clients = Vec::new();
    for padding in PaddingProfile::ALL {
        let node = site.node(padding).await?;
        clients.push((padding.as_str(), site.client(node, folder.path()).await?));
    }
    let way = |name| Way {
        name,
        seen: Vec::new(),
    };
    let mut plain_way = way("plain");
    let mut sealed: Vec<Way> = clients.iter().map(|(name, _)| way(name)).collect();
    for round in 0..=rounds {
        let seen = ask_plain(&mut plain_connection, tokens).await?;
        plain_way.keep(round, seen);
        for ((_, client), way) in clients.iter().zip(&mut sealed) {
            way.keep(round, ask_sealed(client, tokens).await?);
        }
    }
    report(&plain_way, &sealed, tokens);
    Ok(())
}

fn body(tokens: u32) -> Vec<u8> {
    let body = json!({
        "model": MODEL,
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": tokens,
        "temperature": 0,
        "stream": true,
    });
    body.to_string().into_bytes()
}

async fn ask_plain(connection: &mut Connection, tokens: u32) -> Outcome<Seen> {
    let body = body(tokens);
    let mut reader = Reader::start();
    let (path, media_type) = ("/v1/chat/completions", Some("application/json"));
    let mut answer = wire::post(connection, path, media_type, body).await?;
    while let Some(frame) = answer.frame().await {
        if let Some(part) = frame?.data_ref() {
            reader.see(part);
        }
    }
    reader.end()
}

async fn ask_sealed(client: &Client, tokens: u32) -> Outcome<Seen> {
    let request = Request::post("/v1/chat/completions", body(tokens), MODEL.to_owned());
    let mut reader = Reader::start();
    let mut exchange = client.send(&request).await?;
    while let Some(event) = exchange.next().await? {
        if let ResponseEvent::Body(part) = event {
            reader.see(&part);
        }
    }
    reader.end()
}

impl Reader {
    fn start() -> Self {
        Self {
            start: Instant::now(),
            first_text: None,
            last_text: 0.0,
            deltas: Vec::new(),
        }
    }

    /// An event with text has `"content":"` and something other than the closing quote, which the opening event has.
    fn see(&mut self, part: &[u8]) {
        const TEXT: &[u8] = b"\"delta\":{\"content\":\"";
        self.deltas.extend_from_slice(part);
        let is_text = |window: &[u8]| window.starts_with(TEXT) && !window.ends_with(b"\"");
        if self.deltas.windows(TEXT.len() + 1).any(is_text) {
            self.last_text = self.start.elapsed().as_secs_f64();
            self.first_text.get_or_insert(self.last_text);
            let keep = self.deltas.len().saturating_sub(TEXT.len());
            self.deltas.drain(..keep);
        }
    }

    fn end(self) -> Outcome<Seen> {
        Ok(Seen {
            first_text: self.first_text.ok_or("an answer without text")?,
            last_text: self.last_text,
            end: self.start.elapsed().as_secs_f64(),
        })
    }
}

impl Way {
    /// The first round warms up.
    fn keep(&mut self, round: usize, seen: Seen) {
        if round > 0 {
            self.seen.push(seen);
        }
    }

    fn median(&self, of: impl Fn(&Seen) -> f64) -> f64 {
        median(self.seen.iter().map(of))
    }

    /// The median of the rounds, each compared within itself.
    fn against(&self, other: &Self, compare: impl Fn(&Seen, &Seen) -> f64) -> f64 {
        let rounds = self.seen.iter().zip(&other.seen);
        median(rounds.map(|(own, other)| compare(own, other)))
    }
}

fn report(plain: &Way, sealed: &[Way], tokens: u32) {
    println!("{} rounds, {tokens} tokens each, medians", plain.seen.len());
    for way in std::iter::once(plain).chain(sealed) {
        println!(
            "channel.{}: first text {:.2} ms, {:.1} tokens/s until the last text, whole after {:.0} ms",
            way.name,
            way.median(|seen| seen.first_text) * 1e3,
            f64::from(tokens) / way.median(|seen| seen.last_text),
            way.median(|seen| seen.end) * 1e3,
        );
    }
    for way in sealed {
        let (name, first) = (way.name, |seen: &Seen| seen.first_text);
        let later = way.against(plain, |own, plain| first(own) - first(plain)) * 1e3;
        println!("channel.{name}: first text {later:+.2} ms after plain");
        let ttft = way.against(plain, |own, plain| first(plain) / first(own));
        println!("ratio channel.ttft.{name} {ttft:.3}");
        let tps = way.against(plain, |own, plain| plain.last_text / own.last_text);
        println!("ratio channel.tps.{name} {tps:.3}");
        let whole = way.against(plain, |own, plain| plain.end / own.end);
        println!("ratio channel.whole.{name} {whole:.3}");
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
