//! The dead man's switch at the runtime: what happens when nobody signs timestamps any more.

use crate::support::{
    NOW, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request,
    http::{Outer, begin},
    json_request, open,
    published::publisher,
};
use attestation::UnixTime;
use http_body_util::BodyExt;
use protocol::Outcome;
use std::time::Duration;
use tee_sim::Publisher;
use tokio::time::timeout;

/// `lease.max_age_seconds` of these tests.
const LEASE_SECONDS: u64 = 600;
const PATIENCE: Duration = Duration::from_secs(20);

/// A team with a lease, which has just signed a timestamp.
fn team(when_absent: &str) -> Publisher {
    let lease =
        format!("[lease]\nmax_age_seconds = {LEASE_SECONDS}\nwhen_absent = \"{when_absent}\"\n");
    let mut team = publisher(&lease);
    stamp(&mut team, NOW);
    team
}

fn stamp(team: &mut Publisher, issued: UnixTime) {
    team.stamp(issued, issued.plus(100 * LEASE_SECONDS));
}

async fn readiness(stack: &Stack) -> (u16, Option<String>) {
    let answer = stack.send(Outer::get("/readyz")).await;
    let code = (answer.status != 200).then(|| answer.problem().1);
    (answer.status, code)
}

fn ended() -> (u16, Option<String>) {
    (503, Some("lease_ended".to_owned()))
}

const READY: (u16, Option<String>) = (200, None);

/// R9.10
#[tokio::test]
async fn a_lease_ends_and_another_timestamp_begins_one() {
    let mut team = team("stop");
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let sealer = stack.sealer().await;
    let (sealed, _) = sealer.seal(&get_request("/v1/models"), NOW).unwrap();
    stack.turn_clock(NOW.plus(LEASE_SECONDS));
    assert_eq!(readiness(&stack).await, READY);
    stack.turn_clock(NOW.plus(LEASE_SECONDS + 1));
    assert_eq!(readiness(&stack).await, ended());
    let refused = (503, "lease_ended".to_owned());
    assert_eq!(stack.post(&sealed.envelope).await.problem(), refused);
    let challenge = Outer::post("/narthex/v1/challenge", &[7; 32]);
    assert_eq!(stack.send(challenge).await.problem(), refused);
    stamp(&mut team, NOW.plus(LEASE_SECONDS));
    stack.look(&team);
    assert_eq!(readiness(&stack).await, READY);
    let late = stack.post(&sealed.envelope).await.problem();
    assert_eq!(late, (400, "runtime.key".to_owned()), "wiped");
}

/// R9.10
#[tokio::test]
async fn a_wall_clock_that_stands_still_or_goes_back_prolongs_no_lease() {
    let stack = Stack::obeying(&team("stop"), ScriptedEngine::default()).await;
    stack.pass(LEASE_SECONDS);
    assert_eq!(readiness(&stack).await, READY);
    stack.pass(1);
    assert_eq!(readiness(&stack).await, ended());
    stack.turn_clock(UnixTime(NOW.0 - 1000));
    assert_eq!(readiness(&stack).await, ended());
}

/// R9.10
#[tokio::test]
async fn it_is_never_before_the_timestamp_was_signed() {
    let mut team = team("stop");
    let ahead = NOW.plus(5000);
    stamp(&mut team, ahead);
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    stack.pass(LEASE_SECONDS);
    assert_eq!(readiness(&stack).await, READY);
    stack.pass(1);
    assert_eq!(
        readiness(&stack).await,
        ended(),
        "the host's clock is behind"
    );
}

/// R9.10
#[tokio::test]
async fn without_any_timestamp_nothing_is_served() {
    let mut team = team("stop");
    team.timestamp = None;
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    assert_eq!(readiness(&stack).await, ended());
}

/// R9.10
#[tokio::test]
async fn nobody_has_to_ask_for_a_lease_to_end() {
    let stack = Stack::obeying(&team("stop"), ScriptedEngine::new(Script::Wait)).await;
    let body = chat(r#","stream":true"#);
    let request = json_request("/v1/chat/completions", &body);
    let (sealed, opener) = stack.sealer().await.seal(&request, NOW).unwrap();
    let outer = Outer::post("/narthex/v1/sealed", &sealed.envelope)
        .media_type(protocol::REQUEST_MEDIA_TYPE);
    let response = begin(stack.address, outer).await;
    stack.pass(LEASE_SECONDS + 1);
    let body = timeout(PATIENCE, response.into_body().collect()).await;
    let opened = open(opener, &body.unwrap().unwrap().to_bytes());
    assert!(opened.text().contains(r#""code":"lease_ended""#));
    assert_eq!(opened.unfinished.unwrap().outcome, Outcome::Failed);
}

#[tokio::test]
async fn one_that_continues_goes_on() {
    let mut team = team("continue");
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    stack.turn_clock(NOW.plus(LEASE_SECONDS + 1));
    assert_eq!(readiness(&stack).await, READY);
    team.timestamp = None;
    let without = Stack::obeying(&team, ScriptedEngine::default()).await;
    assert_eq!(readiness(&without).await, READY);
}

#[tokio::test]
async fn an_order_is_told_before_a_lease() {
    let mut team = team("stop");
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    stack.turn_clock(NOW.plus(LEASE_SECONDS + 1));
    assert_eq!(readiness(&stack).await, ended());
    stack.stop(&mut team, &[policy::Target::Everything]);
    let stopped = (503, Some("stopped".to_owned()));
    assert_eq!(readiness(&stack).await, stopped);
}
