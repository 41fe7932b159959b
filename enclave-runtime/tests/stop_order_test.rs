//! Orders that stop a runtime or a tenant, and those that let them start again.

use crate::support::{
    NOW, Opened, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request,
    http::{Answer, Outer, begin},
    json_request, open,
    published::{chip, inventory, measurement, placed, publisher},
    tenant::{Forger, Tenant},
    tenants,
};
use attestation::UnixTime;
use http_body_util::BodyExt;
use hyper::{Response, body::Incoming};
use policy::{Action, HardwareId, Target};
use protocol::{Opener, Outcome, TenantSigner, client::ClientRequest};
use std::time::Duration;
use tee_sim::Publisher;
use tokio::time::timeout;

const CHAT: &str = "/v1/chat/completions";
const SEALED: &str = "/narthex/v1/sealed";
const PATIENCE: Duration = Duration::from_secs(20);

/// Every target that names the runtime of these tests.
fn own_targets() -> [Target; 6] {
    [
        Target::Everything,
        Target::Node("node-1".to_owned()),
        Target::Model([1; 32]),
        Target::Measurement(measurement()),
        Target::Hardware(chip()),
        Target::Site("cellar".to_owned()),
    ]
}

/// The same kinds, none of which is it.
fn others() -> [Target; 6] {
    [
        Target::Node("node-2".to_owned()),
        Target::Model([2; 32]),
        Target::Measurement([9; 48]),
        Target::Hardware(HardwareId::SnpChip([9; 64])),
        Target::Hardware(HardwareId::NvidiaDevice([9; 8])),
        Target::Site("attic".to_owned()),
    ]
}

/// A team whose inventory places the machine in the cellar.
fn team() -> Publisher {
    let mut team = publisher("");
    team.publish_inventory(&inventory(1, [(chip(), placed("cellar", "FR"))]));
    team
}

async fn every_route(stack: &Stack, envelope: &[u8]) -> Vec<Answer> {
    vec![
        stack.post(envelope).await,
        stack
            .send(Outer::post("/narthex/v1/challenge", &[7; 32]))
            .await,
        stack.send(Outer::get("/narthex/v1/keys")).await,
        stack.send(Outer::get("/readyz")).await,
    ]
}

async fn assert_halted(stack: &Stack, envelope: &[u8], code: &str) {
    for answer in every_route(stack, envelope).await {
        assert_eq!(answer.problem(), (503, code.to_owned()));
        assert!(!answer.headers.contains_key("retry-after"));
    }
    assert_eq!(stack.send(Outer::get("/healthz")).await.status, 200);
}

/// R9.9
#[tokio::test]
async fn what_names_the_runtime_stops_it_until_it_may_start() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    for target in own_targets() {
        let target = [target];
        let (envelope, _) = sealed(&stack).await;
        assert_eq!(stack.send(Outer::get("/readyz")).await.status, 200);
        stack.stop(&mut team, &target);
        assert_halted(&stack, &envelope, "stopped").await;
        stack.start_again(&mut team, &target);
        let late = stack.post(&envelope).await.problem();
        assert_eq!(late, (400, "runtime.key".to_owned()), "{target:?}: wiped");
        let served = stack.exchange(&get_request("/v1/models")).await;
        assert_eq!(served.status, 200, "{target:?}");
    }
}

/// R9.9
#[tokio::test]
async fn a_start_begins_the_next_epoch() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let epoch = async || {
        let opened = stack.exchange(&get_request("/v1/models")).await;
        opened.receipt.unwrap().epoch
    };
    let first = epoch().await;
    stack.stop(&mut team, &[Target::Everything]);
    stack.stop(&mut team, &[Target::Node("node-1".to_owned())]);
    stack.start_again(&mut team, &[Target::Everything]);
    let answer = stack.send(Outer::get("/readyz")).await;
    assert_eq!(answer.status, 503, "its name is still stopped");
    stack.start_again(&mut team, &[Target::Node("node-1".to_owned())]);
    assert_eq!(epoch().await, first + 1);
}

#[tokio::test]
async fn what_names_another_stops_nothing() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let sealer = stack.sealer().await;
    stack.stop(&mut team, &others());
    let (sealed, opener) = sealer.seal(&get_request("/v1/models"), NOW).unwrap();
    let opened = open(opener, &stack.post(&sealed.envelope).await.body);
    assert_eq!(opened.status, 200);
}

#[tokio::test]
async fn a_site_is_where_the_inventory_says_now() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    stack.stop(&mut team, &[Target::Site("cellar".to_owned())]);
    assert_eq!(stack.send(Outer::get("/readyz")).await.status, 503);
    team.publish_inventory(&inventory(2, [(chip(), placed("attic", "FR"))]));
    stack.look(&team);
    assert_eq!(stack.send(Outer::get("/readyz")).await.status, 200);
}

/// R9.9
#[tokio::test]
async fn a_stopped_site_is_not_left_by_an_entry_that_ends() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    stack.stop(&mut team, &[Target::Site("cellar".to_owned())]);
    let mut ended = placed("cellar", "FR");
    ended.valid_until = Some(UnixTime(NOW.0 - 1));
    team.publish_inventory(&inventory(2, [(chip(), ended)]));
    stack.look(&team);
    assert_eq!(stack.send(Outer::get("/readyz")).await.status, 503);
}

/// R9.9
#[tokio::test]
async fn one_that_starts_while_it_is_stopped_waits() {
    let mut team = team();
    team.order(NOW, Action::Stop, &[Target::Everything]);
    let mut stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    assert_halted(&stack, b"", "stopped").await;
    stack.start_again(&mut team, &[Target::Everything]);
    stack.client_looks(&team);
    let served = stack.exchange(&get_request("/v1/models")).await;
    assert_eq!(served.status, 200);
}

/// R9.9
#[tokio::test]
async fn a_stream_under_way_is_cut_with_a_code() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::new(Script::Wait)).await;
    let (response, opener) = waiting(&stack, r#","stream":true"#, None).await;
    stack.stop(&mut team, &[Target::Everything]);
    timeout(PATIENCE, stack.engine.cancelled()).await.unwrap();
    let opened = finished(response, opener).await;
    assert!(opened.text().contains(r#""code":"stopped""#));
    assert!(!opened.text().contains("[DONE]"));
    assert_eq!(opened.unfinished.unwrap().outcome, Outcome::Failed);
}

/// R9.9
#[tokio::test]
async fn an_answer_that_has_not_begun_is_refused_inside_the_seal() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::new(Script::Wait)).await;
    let (envelope, opener) = sealed_chat(&stack, "", None).await;
    let address = stack.address;
    let asked = tokio::spawn(async move {
        let outer = Outer::post(SEALED, &envelope).media_type(protocol::REQUEST_MEDIA_TYPE);
        begin(address, outer).await
    });
    timeout(PATIENCE, async {
        while !stack.engine.was_asked() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    stack.stop(&mut team, &[Target::Everything]);
    let opened = finished(asked.await.unwrap(), opener).await;
    assert_eq!(opened.error(), (503, "stopped".to_owned()));
    assert_eq!(opened.header("retry-after"), None);
    assert!(opened.receipt.is_ok());
}

/// R9.9
#[tokio::test]
async fn a_client_that_does_not_read_gets_no_end() {
    let mut team = team();
    let engine = ScriptedEngine::new(Script::Burst {
        tokens: 4000,
        repeat: 4000,
    });
    let stack = Stack::obeying(&team, engine).await;
    let (response, mut opener) = waiting(&stack, r#","stream":true"#, None).await;
    stack.stop(&mut team, &[Target::Everything]);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut body = response.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        opener.push(frame.data_ref().unwrap()).unwrap();
    }
    assert!(opener.finish().is_err());
}

/// R9.9
#[tokio::test]
async fn kept_receipts_outlive_a_stop() {
    let mut team = team();
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let sent = stack.ask(CHAT, &chat("")).await.receipt.unwrap();
    stack.stop(&mut team, &[Target::Everything]);
    stack.start_again(&mut team, &[Target::Everything]);
    let path = format!("/narthex/receipts/{}", hex::encode(sent.request_id));
    let request = ClientRequest {
        model: None,
        request_id: [1; 16],
        ..get_request(&path)
    };
    assert_eq!(stack.exchange(&request).await.status, 200);
}

/// A policy that lists `tenants`.
async fn serving(listed: &[&Tenant], script: Script) -> (Publisher, Stack) {
    let keys: Vec<_> = listed.iter().map(|tenant| tenant.key()).collect();
    let team = publisher(&tenants(&keys));
    let stack = Stack::obeying(&team, ScriptedEngine::new(script)).await;
    (team, stack)
}

async fn ask(stack: &Stack, tenant: &dyn TenantSigner) -> Opened {
    let (envelope, opener) = sealed_chat(stack, "", Some(tenant)).await;
    open(opener, &stack.post(&envelope).await.body)
}

/// R9.11
#[tokio::test]
async fn a_stopped_tenant_is_told_and_nobody_else() {
    let (one, other) = (Tenant::new(), Tenant::new());
    let (mut team, stack) = serving(&[&one, &other], Script::Answer).await;
    stack.stop(&mut team, &[Target::Tenant(one.key())]);
    let refused = ask(&stack, &one).await;
    assert_eq!(refused.error(), (403, "tenant_stopped".to_owned()));
    assert_eq!(refused.receipt.unwrap().tenant, Some(one.key()));
    assert!(!stack.engine.was_asked());
    let forger = Forger {
        tenant: &one,
        field: 1,
    };
    assert_eq!(ask(&stack, &forger).await.status, 421, "cannot sign");
    assert_eq!(ask(&stack, &other).await.status, 200);
    stack.start_again(&mut team, &[Target::Tenant(one.key())]);
    assert_eq!(ask(&stack, &one).await.status, 200);
}

/// R9.11
#[tokio::test]
async fn what_is_under_way_for_a_stopped_tenant_is_cut() {
    let (one, other) = (Tenant::new(), Tenant::new());
    let (mut team, stack) = serving(&[&one, &other], Script::Wait).await;
    let (response, opener) = waiting(&stack, r#","stream":true"#, Some(&one)).await;
    stack.stop(&mut team, &[Target::Tenant(other.key())]);
    stack.stop(&mut team, &[Target::Tenant(one.key())]);
    let opened = finished(response, opener).await;
    assert!(opened.text().contains(r#""code":"tenant_stopped""#));
    assert_eq!(opened.unfinished.unwrap().outcome, Outcome::Failed);
}

async fn sealed(stack: &Stack) -> (Vec<u8>, Opener) {
    let request = get_request("/v1/models");
    let (sealed, opener) = stack.sealer().await.seal(&request, NOW).unwrap();
    (sealed.envelope, opener)
}

async fn sealed_chat(
    stack: &Stack,
    rest: &str,
    tenant: Option<&dyn TenantSigner>,
) -> (Vec<u8>, Opener) {
    let body = chat(rest);
    let request = ClientRequest {
        tenant,
        ..json_request(CHAT, &body)
    };
    let (sealed, opener) = stack.sealer().await.seal(&request, NOW).unwrap();
    (sealed.envelope, opener)
}

async fn waiting(
    stack: &Stack,
    rest: &str,
    tenant: Option<&dyn TenantSigner>,
) -> (Response<Incoming>, Opener) {
    let (envelope, opener) = sealed_chat(stack, rest, tenant).await;
    let outer = Outer::post(SEALED, &envelope).media_type(protocol::REQUEST_MEDIA_TYPE);
    (begin(stack.address, outer).await, opener)
}

async fn finished(response: Response<Incoming>, opener: Opener) -> Opened {
    let body = timeout(PATIENCE, response.into_body().collect()).await;
    open(opener, &body.unwrap().unwrap().to_bytes())
}
