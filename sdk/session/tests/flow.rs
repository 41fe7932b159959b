//! A request from its first call to its receipt, against nodes that seal real answers on simulated evidence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod fake;

use fake::{Fault, Gateway, MODEL, chat, said};
use session::{Event, Head, Notice, Request, Served, Session, SessionError};
use std::sync::atomic::Ordering;
use zeroize::Zeroizing;

fn gateway() -> (Gateway, Session) {
    let gateway = Gateway::new(&["node-1"]);
    let session = gateway.session(|_| {}).unwrap();
    (gateway, session)
}

/// Head, body and receipt of a complete answer.
fn whole(events: Vec<Event>) -> (Head, Vec<u8>, Box<Served>) {
    let (mut head, mut body, mut end) = (None, Vec::new(), None);
    for event in events {
        match event {
            Event::Head(found) => head = Some(found),
            Event::Body(part) => body.extend(part),
            Event::End(served) => end = Some(served),
        }
    }
    (head.unwrap(), body, end.unwrap())
}

fn refused(gateway: &Gateway, session: &mut Session, fault: Fault) -> SessionError {
    gateway.fault.set(Some(fault));
    let error = gateway.ask(session, chat(false)).unwrap_err();
    gateway.fault.set(None);
    error
}

#[test]
fn a_node_is_challenged_once_and_sealed_to_often() {
    let (gateway, mut session) = gateway();
    let (head, body, served) = whole(gateway.ask(&mut session, chat(false)).unwrap());
    assert_eq!(gateway.calls(), ["offers", "challenge", "relay"]);
    assert_eq!((head.status, head.is_stream), (200, false));
    assert!(String::from_utf8_lossy(&body).contains("Hello, world"));
    let id = ("narthex-request-id", served.request_id());
    assert!(head.headers.contains(&id), "{:?}", head.headers);
    let models = Request::new("GET", "/v1/models", None, Zeroizing::default());
    gateway.ask(&mut session, models.unwrap()).unwrap();
    assert_eq!(gateway.calls(), ["relay"]);
    let notices = gateway.notices.take();
    let [Notice::Admitted(admission)] = notices.as_slice() else {
        panic!("{notices:?}");
    };
    for told in ["snp.signature", "freshness.nonce", "\"node\":\"node-1\""] {
        assert!(admission.to_json().contains(told), "{told}");
    }
    assert_eq!(session.nodes().count(), 1);
}

#[test]
fn done_comes_with_the_receipt_and_not_before() {
    let (gateway, mut session) = gateway();
    let (mut exchange, sealed) = gateway.send(&mut session, chat(true)).unwrap();
    let mut before = Vec::new();
    for byte in &sealed {
        for event in exchange.push(&[*byte]).unwrap() {
            match event {
                Event::Body(part) => before.extend(part),
                Event::Head(head) => assert!(head.is_stream),
                Event::End(_) => panic!("the end is known when the outer body has ended"),
            }
        }
    }
    let before = String::from_utf8(before).unwrap();
    assert!(before.contains(", world") && before.contains(": padding"));
    assert!(!before.contains("DONE"), "{before}");
    let rest = exchange.finish().unwrap();
    let [Event::Body(done), Event::End(served)] = rest.as_slice() else {
        panic!("{rest:?}");
    };
    assert_eq!(done, b"data: [DONE]\n\n");
    assert_eq!(served.receipt().usage.completion_tokens, 2);
    assert_eq!(served.opening_text().len(), 65);
}

#[test]
fn a_cut_answer_shows_no_end_wherever_it_is_cut() {
    let (gateway, mut session) = gateway();
    for is_stream in [false, true] {
        let (_, sealed) = gateway.send(&mut session, chat(is_stream)).unwrap();
        for cut in [0, 1, 40, sealed.len() / 2, sealed.len() - 1] {
            let (mut exchange, sealed) = gateway.send(&mut session, chat(is_stream)).unwrap();
            let mut shown = exchange.push(&sealed[..cut]).unwrap();
            let error = exchange.finish().unwrap_err();
            let codes = ["channel.truncated", "response.authentication"];
            assert!(codes.contains(&error.code()), "{cut}: {}", error.code());
            assert!(error.is_retryable());
            shown.extend(exchange.push(b"").unwrap_or_default());
            assert!(exchange.finish().is_err(), "an error is final");
            for event in shown {
                match event {
                    Event::Body(part) => {
                        assert!(is_stream, "a whole answer is shown whole or not at all");
                        assert!(!String::from_utf8_lossy(&part).contains("DONE"));
                    }
                    Event::Head(_) => {}
                    Event::End(_) => panic!("cut at {cut}"),
                }
            }
        }
    }
}

#[test]
fn a_flipped_bit_is_refused() {
    let (gateway, mut session) = gateway();
    for offset in [0, 31, 40, 60] {
        let (mut exchange, mut sealed) = gateway.send(&mut session, chat(true)).unwrap();
        sealed[offset] ^= 1;
        let opened = exchange.push(&sealed).and_then(|_| exchange.finish());
        assert!(opened.is_err(), "{offset}");
    }
}

#[test]
fn an_error_of_the_api_is_an_answer_with_a_receipt() {
    let (gateway, mut session) = gateway();
    let request = said(&format!(
        r#"{{"model":"{MODEL}","messages":["refuse me"]}}"#
    ));
    let (head, body, served) = whole(gateway.ask(&mut session, request).unwrap());
    assert_eq!(head.status, 400);
    assert!(String::from_utf8_lossy(&body).contains("refused"));
    assert_eq!(served.receipt().status, 400);
}

#[test]
fn a_node_that_forgot_the_attestation_is_challenged_again() {
    let (gateway, mut session) = gateway();
    gateway.ask(&mut session, chat(false)).unwrap();
    gateway.nodes[0].forget();
    let (head, ..) = whole(gateway.ask(&mut session, chat(false)).unwrap());
    assert_eq!(head.status, 421);
    let retry = ("x-should-retry", "true".to_owned());
    assert!(head.headers.contains(&retry));
    gateway.calls();
    gateway.ask(&mut session, chat(false)).unwrap();
    assert_eq!(gateway.calls(), ["offers", "challenge", "relay"]);
}

#[test]
fn after_an_epoch_the_keys_are_fetched_once_under_the_same_admission() {
    let (gateway, mut session) = gateway();
    gateway.ask(&mut session, chat(false)).unwrap();
    gateway.calls();
    gateway.nodes[0].rotate();
    gateway.ask(&mut session, chat(false)).unwrap();
    assert_eq!(gateway.calls(), ["relay", "keys", "relay"]);
    let opened = gateway.nodes[0].opened.lock().unwrap().clone();
    assert_ne!(opened[0], opened[1], "each request has its own id");

    let error = refused(&gateway, &mut session, Fault::KeyProblem);
    assert_eq!(error.code(), "channel.key");
    assert_eq!(gateway.calls(), ["relay", "keys", "relay"]);
}

#[test]
fn an_expired_admission_is_not_sealed_to() {
    let (gateway, mut session) = gateway();
    gateway.ask(&mut session, chat(false)).unwrap();
    gateway.calls();
    // The keys are over, the admission is not: new keys.
    gateway.now.set(gateway.now.get() + 700);
    gateway.nodes[0].ahead_s.store(700, Ordering::Relaxed);
    gateway.ask(&mut session, chat(false)).unwrap();
    assert_eq!(gateway.calls(), ["offers", "keys", "relay"]);
    // The evidence is too old for the policy: a new challenge, and no word about keys before it.
    gateway.now.set(gateway.now.get() + 3600);
    gateway.nodes[0].ahead_s.store(4300, Ordering::Relaxed);
    gateway.ask(&mut session, chat(false)).unwrap();
    assert_eq!(gateway.calls(), ["offers", "challenge", "relay"]);
}

#[test]
fn a_clock_set_back_lengthens_no_admission() {
    let (gateway, mut session) = gateway();
    gateway.ask(&mut session, chat(false)).unwrap();
    gateway.now.set(gateway.now.get() + 700);
    gateway.nodes[0].ahead_s.store(700, Ordering::Relaxed);
    gateway.ask(&mut session, chat(false)).unwrap();
    gateway.calls();
    gateway.now.set(gateway.now.get() - 700);
    gateway.ask(&mut session, chat(false)).unwrap();
    assert_eq!(gateway.calls(), ["relay"], "still at the later time");
}

#[test]
fn the_next_node_is_tried_at_most_twice_with_the_same_id() {
    for refusal in [Fault::Unavailable, Fault::Refused, Fault::Absent] {
        let gateway = Gateway::new(&["node-1", "node-2", "node-3", "node-4"]);
        let mut session = gateway.session(|_| {}).unwrap();
        gateway.fault.set(Some(refusal(2)));
        let (head, ..) = whole(gateway.ask(&mut session, chat(false)).unwrap());
        assert!(
            head.headers
                .contains(&("narthex-node", "node-3".to_owned()))
        );
        let passed_over = gateway.notices.take().into_iter();
        let passed_over = passed_over.filter(|notice| matches!(notice, Notice::PassedOver(_)));
        assert_eq!(passed_over.count(), 2, "the user is told");

        gateway.fault.set(Some(refusal(4)));
        gateway.calls();
        let error = gateway.ask(&mut session, chat(false)).unwrap_err();
        assert_eq!(error.code(), "gateway.unavailable");
        let relays = gateway.calls().into_iter();
        assert_eq!(relays.filter(|call| call == "relay").count(), 3);
    }
}

#[test]
fn a_node_that_refuses_the_envelope_is_challenged_anew_once() {
    let (gateway, mut session) = gateway();
    gateway.ask(&mut session, chat(false)).unwrap();
    gateway.calls();
    let error = refused(&gateway, &mut session, Fault::EnvelopeRefused);
    assert_eq!(error.code(), "channel.refused");
    assert_eq!(gateway.calls(), ["relay", "challenge", "relay"]);
}

#[test]
fn evidence_that_does_not_hold_is_refused_before_anything_is_sealed() {
    for (fault, code) in [
        (Fault::OldEvidence, "freshness.nonce"),
        (Fault::TrailingByte, "bundle.encoding"),
        (Fault::NoKeys, "keys.absent"),
        (Fault::OtherName, "keys.node"),
    ] {
        let (gateway, mut session) = gateway();
        let error = refused(&gateway, &mut session, fault);
        assert_eq!(error.code(), code);
        assert!(!error.is_retryable(), "{code}");
        assert_eq!(gateway.calls(), ["offers", "challenge"], "{code}");
    }
}

#[test]
fn the_users_policy_decides() {
    let gateway = Gateway::new(&["node-1"]);
    let mut session = gateway
        .session(|text| text.measurement = [0xaa; 48])
        .unwrap();
    let error = gateway.ask(&mut session, chat(false)).unwrap_err();
    assert_eq!(error.code(), "policy.denied");
    assert!(error.to_string().contains("policy.snp.measurement"));
    assert_eq!(gateway.calls(), ["offers", "challenge"]);
    let mut session = gateway
        .session(|text| text.expires = text.not_before.plus(1))
        .unwrap();
    let error = gateway.ask(&mut session, chat(false)).unwrap_err();
    assert!(error.to_string().contains("policy.expired"), "{error}");
}

#[test]
fn a_runtime_that_obeys_an_older_policy_is_refused() {
    let (gateway, mut session) = gateway();
    gateway.ask(&mut session, chat(false)).unwrap();
    assert!(session.memory().take_changed());
    gateway.nodes[0].policy_version.store(2, Ordering::Relaxed);
    gateway.nodes[0].rotate();
    let error = gateway.ask(&mut session, chat(false)).unwrap_err();
    assert_eq!(error.code(), "policy.rollback");
}

#[test]
fn what_the_gateway_does_is_told_by_its_code() {
    for (fault, code, is_retryable) in [
        (Fault::BadOffers, "gateway.answer", false),
        (Fault::NoOffers, "gateway.no_node", true),
        (Fault::Unreachable, "gateway.unreachable", true),
        (Fault::Unauthorized, "gateway.unauthorized", false),
        (Fault::Status(401), "gateway.unauthorized", false),
        (Fault::Status(400), "channel.refused", false),
        (Fault::Status(413), "gateway.status", false),
        (Fault::Status(502), "gateway.status", true),
        (Fault::MediaType, "gateway.answer", false),
        (Fault::Broken, "channel.interrupted", true),
        (Fault::Silent, "gateway.timed_out", true),
        (Fault::Unavailable(1), "gateway.unavailable", true),
    ] {
        let (gateway, mut session) = gateway();
        let error = refused(&gateway, &mut session, fault);
        assert_eq!(error.code(), code, "{fault:?}");
        assert_eq!(error.is_retryable(), is_retryable, "{fault:?}");
        assert_eq!(error.request_status(), None, "{fault:?}");
        gateway.ask(&mut session, chat(false)).unwrap();
    }
}

#[test]
fn a_model_that_is_not_attested_is_not_asked_for() {
    let (gateway, mut session) = gateway();
    let request = said(r#"{"model":"another","messages":[]}"#);
    let error = gateway.ask(&mut session, request).unwrap_err();
    assert_eq!(
        (error.code(), error.request_status()),
        ("model_not_found", Some(404))
    );
    assert!(
        error
            .to_openai_json()
            .contains(r#""code":"model_not_found""#)
    );
    assert_eq!(gateway.calls(), ["offers", "challenge"]);
}

#[test]
fn calls_out_of_order_are_errors() {
    let (gateway, mut session) = gateway();
    let mut flow = session.start(chat(false)).unwrap();
    let now = fake::now();
    let order = |error: SessionError| assert_eq!(error.code(), "client.order");
    order(flow.head(200, None).unwrap_err());
    order(flow.body(&mut session, Vec::new(), now).unwrap_err());
    flow.begin(&mut session, now).unwrap();
    order(flow.begin(&mut session, now).unwrap_err());
    order(flow.body(&mut session, Vec::new(), now).unwrap_err());
    order(flow.into_exchange().err().unwrap());
    drop(gateway);
}
