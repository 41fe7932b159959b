//! Key epochs over HTTP: rotation while envelopes are under way, duplicates, and a host that turns the wall clock.

use crate::support::{self, NOW, Stack, get_request, http::Outer, open};
use attestation::UnixTime;
use protocol::Sealer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const HALF: u64 = 600;
const GRACE: u64 = 60;

fn seal(sealer: &Sealer, stack: &Stack) -> (Vec<u8>, protocol::Opener) {
    let (sealed, opener) = sealer
        .seal(&get_request("/v1/models"), stack.now())
        .unwrap();
    (sealed.envelope, opener)
}

fn key_problem() -> (u16, String) {
    (400, "runtime.key".to_owned())
}

fn refused() -> (u16, String) {
    (400, "runtime.envelope".to_owned())
}

/// Lets `seconds` pass on both clocks.
fn pass(stack: &Stack, seconds: u64) {
    stack.pass(seconds);
    stack.turn_clock(stack.now().plus(seconds));
}

/// R9.5, R9.6: the old epoch answers beside the new one until its list and the grace are over.
#[tokio::test]
async fn old_and_new_keys_overlap() {
    let stack = Stack::start().await;
    let old = stack.sealer().await;
    pass(&stack, HALF);
    let fresh = stack.exchange(&get_request("/v1/models")).await;
    assert_eq!(fresh.receipt.unwrap().epoch, NOW.0 + 1);
    stack.pass(HALF + GRACE - 1);
    let (envelope, opener) = seal(&old, &stack);
    let opened = open(opener, &stack.post(&envelope).await.body);
    assert_eq!(opened.receipt.unwrap().epoch, NOW.0);
    stack.pass(1);
    let (envelope, _) = seal(&old, &stack);
    assert_eq!(stack.post(&envelope).await.problem(), key_problem());
}

/// R6.8: across a rotation, with the wall clock set back and forth.
#[tokio::test]
async fn a_duplicate_is_refused_for_as_long_as_its_epoch_opens_any() {
    let stack = Stack::start().await;
    let (envelope, _) = seal(&stack.sealer().await, &stack);
    assert_eq!(stack.post(&envelope).await.status, 200);
    let hands = [NOW, UnixTime(0), NOW.plus(HALF), UnixTime(NOW.0 - 86_400)];
    for (seconds, wall) in [0, 1, HALF, HALF + GRACE - 2].into_iter().zip(hands) {
        stack.pass(seconds);
        stack.turn_clock(wall);
        assert_eq!(stack.post(&envelope).await.problem(), refused());
    }
    stack.pass(1);
    assert_eq!(stack.post(&envelope).await.problem(), key_problem());
}

/// R9.6: a year on and back again; the keys are gone when their time is over.
#[tokio::test]
async fn a_wall_clock_set_on_and_back_revives_no_key() {
    let stack = Stack::start().await;
    let (envelope, _) = seal(&stack.sealer().await, &stack);
    stack.turn_clock(NOW.plus(365 * 86_400));
    assert_eq!(stack.send(Outer::get("/narthex/v1/keys")).await.status, 200);
    stack.turn_clock(NOW);
    stack.pass(2 * HALF + GRACE);
    assert_eq!(stack.post(&envelope).await.problem(), key_problem());
}

/// R6.8
#[tokio::test]
async fn of_concurrent_duplicates_one_is_answered() {
    let stack = Stack::start().await;
    let (envelope, _) = seal(&stack.sealer().await, &stack);
    let posts: Vec<_> = (0..8)
        .map(|_| {
            let (address, envelope) = (stack.address, envelope.clone());
            tokio::spawn(async move {
                let outer = Outer::post("/narthex/v1/sealed", &envelope)
                    .media_type(protocol::REQUEST_MEDIA_TYPE);
                support::http::send(address, outer).await.status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for post in posts {
        statuses.push(post.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
}

/// The head of a request for an envelope of `length` bytes, and its first bytes.
async fn begin(stack: &Stack, length: usize, first: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(stack.address).await.unwrap();
    let media_type = protocol::REQUEST_MEDIA_TYPE;
    let head = format!(
        "POST /narthex/v1/sealed HTTP/1.1\r\nhost: node\r\nconnection: close\r\ncontent-length: {length}\r\ncontent-type: {media_type}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(first).await.unwrap();
    stream
}

async fn finish(mut stream: TcpStream, rest: &[u8]) -> String {
    // The answer may come before the rest is read.
    let _ = stream.write_all(rest).await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// An envelope whose encapsulation has not come when its epoch ends: the key problem, and again the next time.
#[tokio::test]
async fn an_envelope_under_way_while_its_epoch_ends_is_refused_cleanly() {
    let stack = Stack::start().await;
    let (envelope, _) = seal(&stack.sealer().await, &stack);
    let (first, rest) = envelope.split_at(100);
    let stream = begin(&stack, envelope.len(), first).await;
    stack.pass(2 * HALF + GRACE);
    assert_eq!(stack.send(Outer::get("/narthex/v1/keys")).await.status, 200);
    let answer = finish(stream, rest).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("runtime.key"), "{answer}");
    assert_eq!(stack.post(&envelope).await.problem(), key_problem());
}
