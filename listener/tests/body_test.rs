//! The body collector's refusals.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use listener::{BodyError, BoxError, body, read_body};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn parts(
    parts: Vec<Result<&'static str, BoxError>>,
) -> impl hyper::body::Body<Data = Bytes, Error = BoxError> {
    StreamBody::new(futures_util::stream::iter(parts.into_iter().map(|part| {
        part.map(|text| Frame::data(Bytes::from_static(text.as_bytes())))
    })))
}

#[tokio::test]
async fn a_body_up_to_the_cap_is_read() {
    let read = read_body(parts(vec![Ok("ab"), Ok("c")]), 3, LONG).await;
    assert_eq!(read.unwrap(), "abc");
}

#[tokio::test]
async fn a_declared_length_over_the_cap_is_refused() {
    let read = read_body(Full::new(Bytes::from_static(b"abcd")), 3, LONG).await;
    assert_eq!(read.unwrap_err().code(), "body.too_large");
}

#[tokio::test]
async fn a_sent_length_over_the_cap_is_refused() {
    let read = read_body(parts(vec![Ok("ab"), Ok("cd")]), 3, LONG).await;
    assert!(matches!(read, Err(BodyError::TooLarge { max_bytes: 3 })));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_is_refused() {
    let stalled = StreamBody::new(futures_util::stream::pending::<
        Result<Frame<Bytes>, BoxError>,
    >());
    let read = read_body(stalled, 3, LONG).await;
    assert_eq!(read.unwrap_err().code(), "body.timed_out");
}

#[tokio::test]
async fn a_broken_body_is_refused() {
    let read = read_body(parts(vec![Ok("ab"), Err("reset".into())]), 3, LONG).await;
    assert_eq!(read.unwrap_err().code(), "body.truncated");
}

#[tokio::test]
async fn response_bodies_hold_what_they_were_given() {
    let full = body::full("abc").collect().await.unwrap().to_bytes();
    assert_eq!(full, "abc");
    assert!(body::empty().collect().await.unwrap().to_bytes().is_empty());
    let streamed = body::streaming(parts(vec![Ok("a"), Ok("b")]))
        .collect()
        .await;
    assert_eq!(streamed.unwrap().to_bytes(), "ab");
}
