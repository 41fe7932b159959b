//! What the wire shows of an answer under each padding profile: sizes, and times on a clock that stands still between two events.

use crate::support::{
    self, MODEL, Opened, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request, json_request,
};
use attestation::Nonce;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use listener::Accept;
use protocol::{PaddingProfile, client::ClientRequest, padding::SEALED_RECORD_LEN};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::DuplexStream,
    sync::{Mutex, mpsc},
    time::Instant,
};

const CHAT: &str = "/v1/chat/completions";
const PADDED: [PaddingProfile; 2] = [PaddingProfile::Default, PaddingProfile::Strict];
/// max(Nn, Nk) of AES-256-GCM: the response nonce.
const NONCE: usize = 32;
const TICK: Duration = Duration::from_millis(60);

/// One answer as the wire showed it, and what was in it.
struct Seen {
    /// Bytes of each chunk, and when its last byte came.
    chunks: Vec<(usize, Duration)>,
    opened: Opened,
}

/// Connections without a network: on a paused clock nothing happens between two timers.
struct InMemory(Mutex<mpsc::Receiver<DuplexStream>>);

impl Accept for InMemory {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        match self.0.lock().await.recv().await {
            Some(stream) => Ok((stream, self.local_addr()?)),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(([127, 0, 0, 1], 0).into())
    }
}

/// Asks a runtime with this script and profile.
async fn ask(script: Script, padding: PaddingProfile, rest: &str) -> Seen {
    let prepared = support::prepare(ScriptedEngine::new(script), |parts| {
        parts.padding = padding;
    });
    let (connections, accepted) = mpsc::channel(4);
    let socket = InMemory(Mutex::new(accepted));
    tokio::spawn(prepared.runtime.serve(socket, std::future::pending()));
    let nonce = Nonce([0x42; 32]);
    let bundle = post(&connections, "/narthex/v1/challenge", &nonce.0).await;
    let bundle = bundle.into_body().collect().await.unwrap().to_bytes();
    let sealer = support::sealer(&prepared.appraiser, &bundle, nonce);
    let body = chat(rest);
    let (sealed, opener) = sealer
        .seal(&json_request(CHAT, &body), support::NOW)
        .unwrap();
    let start = Instant::now();
    let mut answer = post(&connections, "/narthex/v1/sealed", &sealed.envelope)
        .await
        .into_body();
    let (mut outer, mut chunks, mut at) = (Vec::new(), Vec::new(), NONCE);
    while let Some(frame) = answer.frame().await {
        outer.extend_from_slice(frame.unwrap().data_ref().unwrap());
        while let Some(length) = whole_chunk(&outer[at.min(outer.len())..]) {
            chunks.push((length, start.elapsed()));
            at += length;
        }
    }
    chunks.push((outer.len() - at, start.elapsed()));
    Seen {
        chunks,
        opened: support::open(opener, &outer),
    }
}

async fn post(
    connections: &mpsc::Sender<DuplexStream>,
    path: &str,
    body: &[u8],
) -> hyper::Response<hyper::body::Incoming> {
    let (near, far) = tokio::io::duplex(1 << 20);
    connections.send(far).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(path)
        .header("host", "node")
        .header("content-type", protocol::REQUEST_MEDIA_TYPE);
    let request = request.body(Full::new(Bytes::copy_from_slice(body)));
    sender.send_request(request.unwrap()).await.unwrap()
}

/// Length of the chunk at the front, prefix included, if it is whole and not the last. Ours have prefixes of two bytes at most.
fn whole_chunk(bytes: &[u8]) -> Option<usize> {
    let (prefix, length) = match *bytes {
        [] | [0, ..] => return None,
        [first @ 1..=0x3f, ..] => (1, usize::from(first)),
        [first, second, ..] => (2, usize::from(first & 0x3f) << 8 | usize::from(second)),
        [_] => return None,
    };
    (bytes.len() >= prefix + length).then_some(prefix + length)
}

/// The text of a stream, by the rules of server-sent events: comments and empty blocks are no events.
fn text(opened: &Opened) -> String {
    let lines = opened.text().lines();
    let events = lines.filter_map(|line| line.strip_prefix("data: "));
    events
        .filter(|event| *event != "[DONE]")
        .map(|event| serde_json::from_str::<serde_json::Value>(event).unwrap())
        .filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect()
}

fn assert_one_size(chunks: &[(usize, Duration)]) {
    let (last, rest) = chunks.split_last().unwrap();
    assert!(rest.iter().all(|(size, _)| *size == SEALED_RECORD_LEN));
    // The last has no length, one byte that says so instead.
    assert_eq!(last.0, SEALED_RECORD_LEN - 1);
}

fn paced(tokens: u32, gap_ms: u64) -> Script {
    Script::Paced { tokens, gap_ms }
}

/// R10.5.
#[tokio::test(start_paused = true)]
async fn a_strict_stream_shows_the_same_whatever_is_said() {
    for (tokens, gap_ms, expected) in [
        (0, 1, 16),
        (5, 3, 16),
        (5, 40, 16),
        (40, 23, 32),
        (50, 70, 64),
    ] {
        let seen = ask(
            paced(tokens, gap_ms),
            PaddingProfile::Strict,
            r#","stream":true"#,
        )
        .await;
        assert_one_size(&seen.chunks);
        assert_eq!(
            seen.chunks.len(),
            expected,
            "{tokens} tokens, one in {gap_ms} ms"
        );
        let gaps = seen.chunks.windows(2).map(|pair| pair[1].1 - pair[0].1);
        assert!(gaps.into_iter().all(|gap| gap == TICK), "{:?}", seen.chunks);
        assert_eq!(text(&seen.opened), "word ".repeat(tokens as usize));
        assert_eq!(seen.opened.receipt.unwrap().padding, PaddingProfile::Strict);
    }
}

#[tokio::test(start_paused = true)]
async fn a_default_stream_leaves_on_ticks_alone() {
    for (tokens, gap_ms) in [(0, 1), (5, 3), (40, 23), (10, 200)] {
        let seen = ask(
            paced(tokens, gap_ms),
            PaddingProfile::Default,
            r#","stream":true"#,
        )
        .await;
        assert_one_size(&seen.chunks);
        let first = seen.chunks[0].1;
        let off_beat =
            |(_, at): &&(usize, Duration)| (*at - first).as_micros() % TICK.as_micros() != 0;
        assert_eq!(seen.chunks.iter().find(off_beat), None);
        assert_eq!(text(&seen.opened), "word ".repeat(tokens as usize));
        assert!(seen.opened.receipt.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_one_tick_are_one_event() {
    let seen = ask(paced(50, 5), PaddingProfile::Default, r#","stream":true"#).await;
    let events = seen
        .opened
        .text()
        .matches("\"delta\":{\"content\":\"word")
        .count();
    // 50 tokens in 250 ms: 5 ticks.
    assert_eq!(events, 5);
    let unpadded = ask(paced(50, 5), PaddingProfile::Off, r#","stream":true"#).await;
    assert_eq!(
        unpadded
            .opened
            .text()
            .matches("\"delta\":{\"content\":\"word")
            .count(),
        50
    );
    assert_eq!(text(&unpadded.opened), text(&seen.opened));
}

#[tokio::test(start_paused = true)]
async fn text_that_does_not_fit_waits_and_is_not_lost() {
    // 50 tokens of 200 bytes at once, then none: far more than one record holds.
    let script = Script::Burst {
        tokens: 50,
        repeat: 40,
    };
    let seen = ask(script, PaddingProfile::Strict, r#","stream":true"#).await;
    assert_eq!(text(&seen.opened), "word ".repeat(50 * 40));
    assert_one_size(&seen.chunks);
    assert!(seen.chunks.len().is_power_of_two());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_says_what_was_said_before() {
    for padding in PADDED {
        let seen = ask(Script::BreakOff, padding, r#","stream":true"#).await;
        assert_one_size(&seen.chunks);
        assert_eq!(text(&seen.opened), "Hel");
        assert!(seen.opened.text().contains("engine_failed"));
    }
}

#[tokio::test]
async fn short_answers_and_refusals_have_one_size() {
    for (padding, records) in [(PaddingProfile::Default, 8), (PaddingProfile::Strict, 16)] {
        let stack = Stack::with(ScriptedEngine::default(), |parts| parts.padding = padding).await;
        let whole = chat("");
        let other = chat("").replace(MODEL, "other");
        let requests = [
            json_request(CHAT, &whole),
            json_request(CHAT, &whole),
            json_request(CHAT, &other),
            json_request(CHAT, "{"),
            json_request("/v1/nothing", "{}"),
            get_request("/v1/models"),
            get_request("/v1/models/other"),
        ];
        for (number, request) in requests.into_iter().enumerate() {
            let (sealed, opener) = stack.sealer().await.seal(&request, stack.now()).unwrap();
            if number == 0 {
                // What was sealed too long ago is misdirected.
                stack.turn_clock(support::NOW.plus(301));
            }
            let answer = stack.post(&sealed.envelope).await;
            let expected = NONCE + records * SEALED_RECORD_LEN - 1;
            assert_eq!(answer.body.len(), expected, "{request:?}");
            let opened = support::open(opener, &answer.body);
            assert!(serde_json::from_slice::<serde_json::Value>(&opened.body).is_ok());
            assert_eq!(opened.status == 421, number == 0);
            assert_eq!(opened.receipt.unwrap().status, opened.status);
        }
    }
}

#[tokio::test]
async fn the_largest_request_fits_into_its_bucket() {
    for padding in PaddingProfile::ALL {
        let limit = 40_000;
        let stack = Stack::with(ScriptedEngine::default(), |parts| {
            parts.padding = padding;
            parts.limits.max_request_bytes = limit;
        })
        .await;
        let of_length = |length: u32| " ".repeat(length as usize - 1) + "{";
        let opened = stack.ask(CHAT, &of_length(limit)).await;
        assert_eq!(
            opened.error(),
            (400, "invalid_json".to_owned()),
            "{padding:?}"
        );
        let too_long = of_length(limit + 1);
        let request = json_request(CHAT, &too_long);
        let (sealed, _) = stack.sealer().await.seal(&request, stack.now()).unwrap();
        assert_eq!(stack.post(&sealed.envelope).await.status, 400);
    }
}

#[tokio::test]
async fn requests_show_their_bucket_alone() {
    for padding in PADDED {
        let stack = Stack::with(ScriptedEngine::default(), |parts| parts.padding = padding).await;
        let sealer = stack.sealer().await;
        let sealed = |request: &ClientRequest<'_>| {
            sealer.seal(request, stack.now()).unwrap().0.envelope.len()
        };
        let (short, longer) = (chat(""), chat(r#","temperature":0.5,"max_tokens":3"#));
        let lengths = [
            sealed(&json_request(CHAT, &short)),
            sealed(&json_request(CHAT, &longer)),
            sealed(&get_request("/v1/models")),
        ];
        assert!(
            lengths.iter().all(|length| *length == lengths[0]),
            "{padding:?}: {lengths:?}"
        );
    }
}
