//! Clients that go away, and a runtime that is told to stop.

use crate::support::{
    Stack, chat,
    engine::{Script, ScriptedEngine},
    http::{Outer, begin},
    json_request, open,
};
use http_body_util::BodyExt;
use hyper::{Response, body::Incoming};
use protocol::Opener;
use std::time::Duration;
use tokio::time::timeout;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

async fn waiting(stack: &Stack, rest: &str) -> (Response<Incoming>, Opener) {
    let body = chat(rest);
    let request = json_request("/v1/chat/completions", &body);
    let (sealed, opener) = stack.sealer().await.seal(&request, stack.now()).unwrap();
    let outer = Outer::post("/narthex/v1/sealed", &sealed.envelope)
        .media_type(protocol::REQUEST_MEDIA_TYPE);
    (begin(stack.address, outer).await, opener)
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_job() {
    for rest in [r#","stream":true"#, ""] {
        let stack = Stack::with(ScriptedEngine::new(Script::Wait), |_| ()).await;
        let (response, _) = waiting(&stack, rest).await;
        drop(response);
        timeout(PATIENCE, stack.engine.cancelled())
            .await
            .expect("the job is cancelled");
    }
}

#[tokio::test]
async fn what_is_under_way_is_finished() {
    let mut stack = Stack::with(ScriptedEngine::new(Script::Wait), |_| ()).await;
    let (response, opener) = waiting(&stack, r#","stream":true"#).await;
    stack.tell_to_stop();
    timeout(PATIENCE, async {
        while tokio::net::TcpStream::connect(stack.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("no new connection is accepted");
    stack.engine.release();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let opened = open(opener, &body);
    assert_eq!(opened.events().len(), 5);
    assert!(opened.receipt.is_ok());
    assert_eq!(timeout(PATIENCE, stack.stopped()).await.unwrap().cut, 0);
}

#[tokio::test]
async fn what_does_not_finish_is_cut() {
    let mut stack = Stack::with(ScriptedEngine::new(Script::Wait), |parts| {
        parts.limits.drain_timeout = Duration::from_millis(50);
    })
    .await;
    let (response, mut opener) = waiting(&stack, r#","stream":true"#).await;
    stack.tell_to_stop();
    assert_eq!(timeout(PATIENCE, stack.stopped()).await.unwrap().cut, 1);
    let mut body = response.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        opener.push(frame.data_ref().unwrap()).unwrap();
    }
    assert!(
        opener.finish().is_err(),
        "a stream that was cut is never complete"
    );
}
