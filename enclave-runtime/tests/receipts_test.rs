//! Receipts that outlive their exchange: how it ended, and who may ask for them (R7.5, R7.6).

use crate::support::{
    Opened, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request,
    http::{Outer, begin},
    json_request, policy_text, signed,
    tenant::Tenant,
    tenants,
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use protocol::{
    Opener, Outcome, Receipt, ResponseEvent, SignedReceipt, TenantSigner, client::ClientRequest,
};
use std::time::Duration;
use tokio::time::timeout;

const CHAT: &str = "/v1/chat/completions";
const ID: [u8; 16] = [7; 16];
/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// `request` under [`ID`].
fn named(request: ClientRequest<'_>) -> ClientRequest<'_> {
    ClientRequest {
        request_id: ID,
        ..request
    }
}

async fn fetch(stack: &Stack, id: &str, tenant: Option<&dyn TenantSigner>) -> Opened {
    let path = format!("/narthex/receipts/{id}");
    let request = ClientRequest {
        model: None,
        tenant,
        ..get_request(&path)
    };
    stack.exchange(&request).await
}

/// The kept receipt of [`ID`], verified.
async fn kept(stack: &Stack) -> Receipt {
    let opened = fetch(stack, &hex::encode(ID), None).await;
    assert_eq!(opened.header("content-type"), Some("application/cose"));
    assert!(opened.receipt.is_ok());
    verified(stack, opened.body).await
}

async fn verified(stack: &Stack, receipt: Vec<u8>) -> Receipt {
    let (admitted, _) = stack.admit().await;
    let signed = SignedReceipt::from_bytes(receipt);
    signed.verify(&admitted.claims().identity).unwrap()
}

fn assert_not_found(opened: &Opened) {
    assert_eq!(opened.error(), (404, "receipt_not_found".to_owned()));
    assert_eq!(opened.receipt.as_ref().unwrap().status, 404);
}

/// Reads the sealed answer until its body says `text`, as a client that then goes away; gives the status and the body.
async fn read_until(body: &mut Incoming, opener: &mut Opener, text: &str) -> (u16, Vec<u8>) {
    let (mut seen, mut status) = (Vec::new(), 0);
    while !String::from_utf8_lossy(&seen).contains(text) {
        let frame = body.frame().await.expect("there is more").unwrap();
        for event in opener.push(frame.data_ref().unwrap()).unwrap() {
            match event {
                ResponseEvent::Head { status: head, .. } => status = head,
                ResponseEvent::Body(part) => seen.extend(part),
                ResponseEvent::End { .. } => panic!("the engine waits"),
            }
        }
    }
    (status, seen)
}

async fn begin_chat(stack: &Stack, rest: &str) -> (Incoming, Opener) {
    let body = chat(rest);
    let request = named(json_request(CHAT, &body));
    let (sealed, opener) = stack.sealer().await.seal(&request, stack.now()).unwrap();
    let outer = Outer::post("/narthex/v1/sealed", &sealed.envelope)
        .media_type(protocol::REQUEST_MEDIA_TYPE);
    (begin(stack.address, outer).await.into_body(), opener)
}

/// Waits until the runtime has noticed that the client of [`ID`] went away.
async fn kept_at_last(stack: &Stack) -> Receipt {
    let found = async {
        while fetch(stack, &hex::encode(ID), None).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, found).await.expect("a receipt is kept");
    kept(stack).await
}

#[tokio::test]
async fn a_whole_answers_receipt_is_kept_as_it_was_sent() {
    let stack = Stack::start().await;
    let body = chat("");
    let sent = stack.exchange(&named(json_request(CHAT, &body))).await;
    let sent = sent.receipt.unwrap();
    assert_eq!(sent.outcome, Outcome::Complete);
    assert_eq!(kept(&stack).await, sent);
    assert_eq!(kept(&stack).await, sent, "asking takes nothing away");
}

#[tokio::test]
async fn errors_have_receipts_that_are_kept() {
    let stack = Stack::start().await;
    let body = chat(r#","surprise":1"#);
    let sent = stack.exchange(&named(json_request(CHAT, &body))).await;
    let sent = sent.receipt.unwrap();
    assert_eq!((sent.outcome, sent.status), (Outcome::Complete, 400));
    assert_eq!(kept(&stack).await, sent);
}

#[tokio::test]
async fn an_engine_that_breaks_off_in_mid_stream_has_failed() {
    let stack = Stack::with(ScriptedEngine::new(Script::BreakOff), |_| ()).await;
    let whole = stack.ask(CHAT, &chat("")).await.receipt.unwrap();
    assert_eq!((whole.outcome, whole.status), (Outcome::Complete, 500));
    let body = chat(r#","stream":true"#);
    stack.exchange(&named(json_request(CHAT, &body))).await;
    let receipt = kept(&stack).await;
    assert_eq!((receipt.outcome, receipt.status), (Outcome::Failed, 200));
    assert_eq!(receipt.usage.completion_tokens, 2);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_has_failed() {
    let stack = Stack::with(ScriptedEngine::new(Script::Wait), |parts| {
        parts.limits.answer_timeout = Duration::from_millis(50);
    })
    .await;
    let body = chat(r#","stream":true"#);
    stack.exchange(&named(json_request(CHAT, &body))).await;
    assert_eq!(kept(&stack).await.outcome, Outcome::Failed);
}

#[tokio::test]
async fn the_receipt_of_an_abandoned_stream_is_about_what_was_sent() {
    let stack = Stack::with(ScriptedEngine::new(Script::Wait), |_| ()).await;
    let (mut body, mut opener) = begin_chat(&stack, r#","stream":true"#).await;
    let (status, seen) = read_until(&mut body, &mut opener, "Hel").await;
    let opening = opener.opening();
    drop(body);
    let receipt = kept_at_last(&stack).await;
    assert_eq!(
        (receipt.outcome, receipt.status),
        (Outcome::Abandoned, status)
    );
    assert_eq!(receipt.request_id, ID);
    assert_eq!(
        receipt.digests.response,
        opening.response_digest(status, &seen)
    );
    assert_eq!(receipt.digests.tokens, opening.tokens_digest(&[11]));
    assert_eq!(receipt.usage.completion_tokens, 1);
}

#[tokio::test]
async fn who_leaves_before_the_head_was_sent_nothing() {
    let stack = Stack::with(ScriptedEngine::new(Script::Wait), |_| ()).await;
    let (body, _opener) = begin_chat(&stack, "").await;
    drop(body);
    let receipt = kept_at_last(&stack).await;
    assert_eq!((receipt.outcome, receipt.status), (Outcome::Abandoned, 0));
    assert_eq!(receipt.digests.response, [0; 32]);
}

#[tokio::test]
async fn nobody_finds_what_is_not_there() {
    let stack = Stack::start().await;
    let other = hex::encode([8; 16]);
    for id in [
        "",
        "00",
        &other,
        &other.to_uppercase(),
        &format!("{other}0"),
    ] {
        assert_not_found(&fetch(&stack, id, None).await);
    }
    let path = format!("/narthex/receipts/{other}");
    let posted = stack.ask(&path, "{}").await;
    assert_eq!(posted.error(), (405, "method_not_allowed".to_owned()));
}

#[tokio::test]
async fn a_receipt_of_a_receipt_takes_nobodys_place() {
    let stack = Stack::with(ScriptedEngine::default(), |parts| {
        parts.limits.kept_receipts = 1;
    })
    .await;
    let body = chat("");
    stack.exchange(&named(json_request(CHAT, &body))).await;
    for _ in 0..3 {
        assert_not_found(&fetch(&stack, &hex::encode([8; 16]), None).await);
        kept(&stack).await;
    }
    stack.ask(CHAT, &body).await;
    assert_not_found(&fetch(&stack, &hex::encode(ID), None).await);
}

#[tokio::test]
async fn what_was_meant_for_another_takes_nobodys_place() {
    let stack = Stack::with(ScriptedEngine::default(), |parts| {
        parts.limits.kept_receipts = 1;
    })
    .await;
    let body = chat("");
    stack.exchange(&named(json_request(CHAT, &body))).await;
    let elsewhere = ClientRequest {
        residency: Some("DE"),
        ..json_request(CHAT, &body)
    };
    assert_eq!(stack.exchange(&elsewhere).await.status, 421);
    kept(&stack).await;
}

#[tokio::test]
async fn a_tenants_receipt_is_for_that_tenant() {
    let (tenant, other) = (Tenant::new(), Tenant::new());
    let policy = policy_text().to_toml() + &tenants(&[tenant.key(), other.key()]);
    let stack = Stack::under(signed(&policy), ScriptedEngine::default()).await;
    let body = chat("");
    let request = ClientRequest {
        tenant: Some(&tenant),
        ..named(json_request(CHAT, &body))
    };
    let sent = stack.exchange(&request).await.receipt.unwrap();
    let id = hex::encode(ID);
    assert_not_found(&fetch(&stack, &id, Some(&other)).await);
    let found = fetch(&stack, &id, Some(&tenant)).await;
    assert_eq!(found.status, 200);
    assert_eq!(verified(&stack, found.body).await, sent);
}
