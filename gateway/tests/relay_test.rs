//! The relay path: opaque, streaming, bounded, and silent about the client.

use crate::support::{
    self, Stack,
    client::{Version, envelope, fed, get, relay_path, request, whole},
    node::{FakeNode, answer, sealed, sealed_stream},
    streams::{fed_by_hand, next_part, within},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use listener::{Body, body};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, mpsc};

const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

/// A node that answers with what it was sent.
async fn echo() -> FakeNode {
    FakeNode::serving("node-1", |request: Request<Incoming>| async move {
        let content = request.into_body().collect().await.unwrap().to_bytes();
        sealed_stream(body::streaming(Full::new(content)))
    })
    .await
}

#[tokio::test]
async fn an_envelope_arrives_and_its_answer_comes_back_byte_for_byte() {
    let node = echo().await;
    let stack = Stack::start(&[&node], "").await;
    let content: Bytes = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
    for version in VERSIONS {
        let sent = stack
            .send(version, envelope("node-1", body::full(content.clone())))
            .await;
        let answer = whole(sent.unwrap()).await;
        assert_eq!(
            (answer.status, answer.body.len()),
            (StatusCode::OK, content.len())
        );
        assert!(answer.body == content, "{version:?}");
    }
}

#[tokio::test]
async fn an_answer_s_first_part_arrives_before_its_last_is_made() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "").await;
    for version in VERSIONS {
        let mut response = stack
            .send(version, envelope("node-1", body::full("envelope")))
            .await
            .unwrap();
        let feed = feeds.recv().await.unwrap();
        for part in ["first", "second"] {
            feed.send(Ok(Bytes::from_static(part.as_bytes())))
                .await
                .unwrap();
            assert_eq!(
                next_part(&mut response).await.unwrap().unwrap(),
                part,
                "{version:?}"
            );
        }
        drop(feed);
        assert!(next_part(&mut response).await.is_none());
    }
}

#[tokio::test]
async fn an_envelope_s_first_part_arrives_before_its_last_is_sent() {
    let (parts, mut arrived) = mpsc::channel(8);
    let node = FakeNode::serving("node-1", move |mut request: Request<Incoming>| {
        let parts = parts.clone();
        async move {
            while let Some(frame) = request.body_mut().frame().await {
                parts
                    .send(frame.unwrap().into_data().unwrap())
                    .await
                    .unwrap();
            }
            sealed("done")
        }
    })
    .await;
    let stack = Stack::start(&[&node], "").await;
    let (feed, stream) = fed();
    let feeding = async {
        for part in ["first", "second"] {
            feed.send(Ok(Bytes::from_static(part.as_bytes())))
                .await
                .unwrap();
            assert_eq!(within(arrived.recv()).await.unwrap(), part);
        }
        drop(feed);
    };
    let (answer, ()) = tokio::join!(stack.ask(envelope("node-1", stream)), feeding);
    assert_eq!(answer.body, "done");
}

#[tokio::test]
async fn back_pressure_of_the_client_reaches_the_node() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "").await;
    let response = stack
        .send(Version::Http2, envelope("node-1", body::full("envelope")))
        .await
        .unwrap();
    let feed = feeds.recv().await.unwrap();
    let part = Bytes::from(vec![7; 1 << 16]);
    // Nobody reads: whatever buffers there are fill up, and the node's stream is no longer taken.
    let (mut sent, mut waiting) = (0usize, false);
    while !waiting && sent < 64 << 20 {
        let pause = std::time::Duration::from_millis(500);
        match tokio::time::timeout(pause, feed.send(Ok(part.clone()))).await {
            Ok(taken) => {
                taken.unwrap();
                sent += part.len();
            }
            Err(_) => waiting = true,
        }
    }
    assert!(waiting, "{sent} bytes were taken that nobody read");
    drop(response);
    within(feed.closed()).await;
}

/// R8.4.
#[tokio::test]
async fn a_truncated_answer_stays_truncated() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "").await;
    for version in VERSIONS {
        let mut response = stack
            .send(version, envelope("node-1", body::full("envelope")))
            .await
            .unwrap();
        let feed = feeds.recv().await.unwrap();
        feed.send(Ok(Bytes::from_static(b"first"))).await.unwrap();
        assert_eq!(next_part(&mut response).await.unwrap().unwrap(), "first");
        feed.send(Err("the node dies".into())).await.unwrap();
        assert!(
            next_part(&mut response).await.unwrap().is_err(),
            "{version:?}"
        );
    }
    assert_eq!(ends(&stack, "truncated").await, "2");
}

async fn ends(stack: &Stack, end: &str) -> String {
    let metrics = String::from_utf8(stack.admin("/metrics").await.body.to_vec()).unwrap();
    let prefix = format!("narthex_gateway_relay_ends_total{{end=\"{end}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap_or("0").to_owned()
}

/// R8.2.
#[tokio::test]
async fn nothing_about_the_client_reaches_the_node_and_nothing_about_the_node_the_client() {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let sink = Arc::clone(&seen);
    let node = FakeNode::serving("node-1", move |request: Request<Incoming>| {
        *sink.lock().unwrap() = request.headers().clone();
        async {
            let mut answer = sealed("sealed");
            for name in ["server", "set-cookie", "x-powered-by", "via", "location"] {
                answer
                    .headers_mut()
                    .insert(name, HeaderValue::from_static("the node's"));
            }
            answer
        }
    })
    .await;
    let stack = Stack::start(&[&node], "").await;
    for version in VERSIONS {
        let mut request = envelope("node-1", body::full("envelope"));
        let telling = [
            "cookie",
            "user-agent",
            "x-forwarded-for",
            "forwarded",
            "referer",
            "accept-language",
            "te",
        ];
        for name in telling {
            request
                .headers_mut()
                .insert(name, HeaderValue::from_static("trailers"));
        }
        let answer = whole(stack.send(version, request).await.unwrap()).await;
        let crossed = seen.lock().unwrap().clone();
        assert_eq!(
            names(&crossed),
            ["content-length", "content-type", "host"],
            "{version:?}"
        );
        assert_eq!(crossed["host"], node.address().to_string().as_str());
        assert_eq!(crossed[CONTENT_TYPE], protocol::REQUEST_MEDIA_TYPE);
        let expected = ["cache-control", "content-length", "content-type", "date"];
        assert_eq!(names(&answer.headers), expected, "{version:?}");
    }
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = headers
        .keys()
        .map(hyper::header::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn an_envelope_over_the_cap_is_refused_declared_or_not() {
    let node = echo().await;
    let stack = Stack::start(&[&node], "[relay]\nmax_request_bytes = 1000").await;
    let fits = stack
        .ask(envelope("node-1", body::full(vec![1; 1000])))
        .await;
    assert_eq!(fits.body.len(), 1000);
    let declared = stack
        .ask(envelope("node-1", body::full(vec![1; 1001])))
        .await;
    assert_eq!(
        (declared.status, declared.code().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "gateway.too_large")
    );
    let (feed, stream) = fed();
    let feeding = async {
        for _ in 0..2 {
            // The second may find the stream refused already.
            let _ = feed.send(Ok(Bytes::from(vec![1; 600]))).await;
        }
    };
    let (streamed, ()) = tokio::join!(stack.ask(envelope("node-1", stream)), feeding);
    assert_eq!(
        (streamed.status, streamed.code().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "gateway.too_large")
    );
}

#[tokio::test]
async fn an_answer_that_declares_more_than_the_cap_is_refused() {
    let node = echo().await;
    let stack = Stack::start(&[&node], "[relay]\nmax_response_bytes = 1000").await;
    let fits = stack
        .ask(envelope("node-1", body::full(vec![1; 1000])))
        .await;
    assert_eq!(fits.body.len(), 1000);
    let over = stack
        .ask(envelope("node-1", body::full(vec![1; 1001])))
        .await;
    assert_eq!(over.code(), "gateway.upstream_answer");
}

#[tokio::test]
async fn an_answer_that_streams_more_than_the_cap_is_cut() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "[relay]\nmax_response_bytes = 1000").await;
    for version in VERSIONS {
        let mut response = stack
            .send(version, envelope("node-1", body::full("envelope")))
            .await
            .unwrap();
        let feed = feeds.recv().await.unwrap();
        feed.send(Ok(Bytes::from(vec![1; 1000]))).await.unwrap();
        assert_eq!(next_part(&mut response).await.unwrap().unwrap().len(), 1000);
        feed.send(Ok(Bytes::from_static(b"1"))).await.unwrap();
        assert!(
            next_part(&mut response).await.unwrap().is_err(),
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn an_envelope_that_does_not_arrive_in_time_is_refused() {
    let node = echo().await;
    let stack = Stack::start(&[&node], "[relay]\nrequest_timeout_ms = 200").await;
    let (feed, stream) = fed();
    feed.send(Ok(Bytes::from_static(b"half"))).await.unwrap();
    let answer = stack.ask(envelope("node-1", stream)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::REQUEST_TIMEOUT, "gateway.body_timed_out")
    );
    drop(feed);
}

#[tokio::test]
async fn over_a_limit_is_503_until_a_slot_is_free() {
    for limit in ["max_in_flight = 1", "max_in_flight_per_node = 1"] {
        let (node, mut feeds) = fed_by_hand().await;
        let stack = Stack::start(&[&node], &format!("[relay]\n{limit}")).await;
        let first = stack
            .send(Version::Http2, envelope("node-1", body::full("envelope")))
            .await
            .unwrap();
        let feed = feeds.recv().await.unwrap();
        let refused = stack.ask(envelope("node-1", body::full("envelope"))).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{limit}");
        assert_eq!(refused.headers[RETRY_AFTER], "1");
        assert_eq!(refused.code(), "gateway.overloaded");
        drop(feed);
        whole(first).await;
        let again = async {
            loop {
                let next = stack
                    .send(Version::Http2, envelope("node-1", body::full("envelope")))
                    .await
                    .unwrap();
                if next.status() == StatusCode::OK {
                    return next;
                }
            }
        };
        within(again).await;
    }
}

#[tokio::test]
async fn the_node_with_less_to_do_is_offered_first() {
    let (busy, mut feeds) = fed_by_hand().await;
    let idle = FakeNode::start("node-2").await;
    let stack = Stack::start(&[&busy, &idle], "").await;
    assert_eq!(stack.offered().await, ["node-1", "node-2"]);
    let _response = stack
        .send(Version::Http2, envelope("node-1", body::full("envelope")))
        .await
        .unwrap();
    let _feed = feeds.recv().await.unwrap();
    assert_eq!(stack.offered().await, ["node-2", "node-1"]);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_stream_of_its_answer() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "").await;
    for version in VERSIONS {
        let response = stack
            .send(version, envelope("node-1", body::full("envelope")))
            .await
            .unwrap();
        let feed = feeds.recv().await.unwrap();
        drop(response);
        within(feed.closed()).await;
    }
}

/// Tells when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels_the_request() {
    let (entered, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, leave) = (Arc::clone(&entered), Arc::clone(&left));
    let node = FakeNode::serving("node-1", move |_| {
        let (enter, leaving) = (Arc::clone(&enter), Dropped(Arc::clone(&leave)));
        async move {
            let _leaving = leaving;
            enter.notify_one();
            std::future::pending::<Response<Body>>().await
        }
    })
    .await;
    let stack = Stack::start(&[&node], "").await;
    for version in VERSIONS {
        tokio::select! {
            _ = stack.send(version, envelope("node-1", body::full("envelope"))) => unreachable!("there is no answer"),
            () = entered.notified() => {}
        }
        within(left.notified()).await;
    }
}

#[tokio::test]
async fn what_is_not_an_envelope_is_refused_unseen() {
    let node = FakeNode::serving("node-1", |_| async { unreachable!("nothing may cross") }).await;
    let stack = Stack::start(&[&node], "").await;
    let media_types = [
        "application/json",
        "message/ohttp-res",
        "message/ohttp-req; x=1",
        "message/ohttp-chunked-req; x=1",
        "",
    ];
    for media_type in media_types {
        let plain = request(Method::POST, &relay_path("node-1"))
            .header(CONTENT_TYPE, media_type)
            .body(body::full("{}"))
            .unwrap();
        assert_eq!(
            stack.ask(plain).await.code(),
            "gateway.media_type",
            "{media_type}"
        );
    }
    let mut encoded = envelope("node-1", body::full("envelope"));
    encoded
        .headers_mut()
        .insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(stack.ask(encoded).await.code(), "gateway.media_type");
}

#[tokio::test]
async fn an_answer_crosses_in_the_form_of_its_request_alone() {
    let forms = [
        ("message/ohttp-req", "message/ohttp-res"),
        ("message/ohttp-chunked-req", "message/ohttp-chunked-res"),
    ];
    let answers = forms.map(|(_, answer)| answer);
    for ((asked, expected), given) in forms
        .into_iter()
        .flat_map(|form| answers.map(|a| (form, a)))
    {
        let node = FakeNode::serving("node-1", move |request: Request<Incoming>| async move {
            assert_eq!(request.headers()[CONTENT_TYPE], asked);
            answer(StatusCode::OK, given, body::full("sealed"))
        })
        .await;
        let stack = Stack::start(&[&node], "").await;
        let envelope = request(Method::POST, &relay_path("node-1"))
            .header(CONTENT_TYPE, asked)
            .body(body::full("envelope"))
            .unwrap();
        let crossed = stack.ask(envelope).await;
        if given == expected {
            assert_eq!(crossed.headers[CONTENT_TYPE], expected);
            assert_eq!(crossed.body, "sealed");
        } else {
            assert_eq!(crossed.code(), "gateway.upstream_answer", "{asked} {given}");
        }
    }
}

#[tokio::test]
async fn a_problem_of_the_node_crosses_with_its_status() {
    let node = FakeNode::serving("node-1", |_| async {
        let problem = body::full(r#"{"code":"runtime.overloaded"}"#);
        let mut answer = answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "application/problem+json",
            problem,
        );
        answer
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("3"));
        answer
    })
    .await;
    let stack = Stack::start(&[&node], "").await;
    let answer = stack.ask(envelope("node-1", body::full("envelope"))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[RETRY_AFTER], "3");
    assert_eq!(answer.body, r#"{"code":"runtime.overloaded"}"#);
}

/// R8.3.
#[tokio::test]
async fn any_other_answer_of_the_node_does_not_cross() {
    let wrong = [
        (StatusCode::OK, "text/plain"),
        (StatusCode::OK, "application/problem+json"),
        (StatusCode::CREATED, "message/ohttp-chunked-res"),
        (StatusCode::FOUND, "message/ohttp-chunked-res"),
        (StatusCode::BAD_REQUEST, "text/html"),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "message/ohttp-chunked-res",
        ),
    ];
    for (status, media_type) in wrong {
        let node = FakeNode::serving("node-1", move |_| async move {
            answer(status, media_type, body::full("in the clear"))
        })
        .await;
        let stack = Stack::start(&[&node], "").await;
        let refused = stack.ask(envelope("node-1", body::full("envelope"))).await;
        assert_eq!(
            refused.status,
            StatusCode::BAD_GATEWAY,
            "{status} {media_type}"
        );
        assert_eq!(refused.code(), "gateway.upstream_answer");
    }
}

#[tokio::test]
async fn a_node_that_breaks_off_before_its_answer_is_502() {
    let node = FakeNode::serving("node-1", |_| async { panic!("as the test wants") }).await;
    let stack = Stack::start(&[&node], "").await;
    let refused = stack.ask(envelope("node-1", body::full("envelope"))).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::BAD_GATEWAY, "gateway.upstream_unreachable")
    );
}

#[tokio::test]
async fn a_node_that_does_not_answer_in_time_is_504() {
    let node = FakeNode::serving("node-1", |_| std::future::pending()).await;
    let stack = Stack::start(&[&node], "[relay]\nanswer_timeout_ms = 200").await;
    let refused = stack.ask(envelope("node-1", body::full("envelope"))).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::GATEWAY_TIMEOUT, "gateway.upstream_timed_out")
    );
}

#[tokio::test]
async fn an_answer_that_stalls_is_cut() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "[relay]\nstall_timeout_ms = 2000").await;
    let mut response = stack
        .send(Version::Http2, envelope("node-1", body::full("envelope")))
        .await
        .unwrap();
    let feed = feeds.recv().await.unwrap();
    feed.send(Ok(Bytes::from_static(b"first"))).await.unwrap();
    assert_eq!(next_part(&mut response).await.unwrap().unwrap(), "first");
    assert!(next_part(&mut response).await.unwrap().is_err());
    within(feed.closed()).await;
}

#[tokio::test]
async fn the_end_is_not_ready_and_waits_for_answers_under_way() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "").await;
    let mut response = stack
        .send(Version::Http2, envelope("node-1", body::full("envelope")))
        .await
        .unwrap();
    let feed = feeds.recv().await.unwrap();
    let (public, admin) = (stack.public, stack.admin);
    let ended = stack.stop();
    within(async { while tokio::net::TcpStream::connect(public).await.is_ok() {} }).await;
    assert_eq!(
        support::client::admin_get(admin, "/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    feed.send(Ok(Bytes::from_static(b"last"))).await.unwrap();
    assert_eq!(next_part(&mut response).await.unwrap().unwrap(), "last");
    drop(feed);
    assert!(next_part(&mut response).await.is_none());
    assert_eq!(within(ended).await.unwrap().cut, 0);
}

#[tokio::test]
async fn a_get_of_the_offers_is_not_held_up_by_relays() {
    let (node, mut feeds) = fed_by_hand().await;
    let stack = Stack::start(&[&node], "[relay]\nmax_in_flight = 1").await;
    let _response = stack
        .send(Version::Http2, envelope("node-1", body::full("envelope")))
        .await
        .unwrap();
    let _feed = feeds.recv().await.unwrap();
    assert_eq!(
        stack.ask(get("/narthex/v1/offers")).await.status,
        StatusCode::OK
    );
}
