//! Documents that come while the runtime serves.

use crate::support::{
    NOW, Opened, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request,
    http::{Outer, begin},
    json_request, open, policy_text,
    published::publisher,
    signed,
    tenant::Tenant,
    tenants,
};
use attestation::UnixTime;
use http_body_util::BodyExt;
use protocol::{KeyConfigs, Sealer, TenantSigner, client::ClientRequest};
use tee_sim::PolicyText;

const CHAT: &str = "/v1/chat/completions";
const GRACE_SECONDS: u64 = 60;

/// The policy of these tests as its `version`, with `more` behind it.
fn policy(version: u64, more: &str) -> String {
    let text = PolicyText {
        version,
        ..policy_text()
    };
    text.to_toml() + more
}

async fn key_list(stack: &Stack) -> KeyConfigs {
    let (admitted, keys) = stack.admit().await;
    let claims = admitted.claims();
    let manifest = &claims.manifest_digest;
    keys.verify(&claims.identity, manifest, stack.now())
        .unwrap()
}

async fn ask(stack: &Stack, sealer: &Sealer) -> Opened {
    let (sealed, opener) = sealer.seal(&get_request("/v1/models"), NOW).unwrap();
    open(opener, &stack.post(&sealed.envelope).await.body)
}

/// R9.8
#[tokio::test]
async fn lists_state_another_policy_at_once_over_the_same_keys() {
    let mut team = publisher("");
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let first = key_list(&stack).await;
    team.publish_policy(&policy(2, ""));
    stack.look(&team);
    let second = key_list(&stack).await;
    assert_eq!((first.policy_version, second.policy_version), (1, 2));
    assert_ne!(first.policy_digest, second.policy_digest);
    assert_eq!((first.epoch, first.configs), (second.epoch, second.configs));
}

/// R9.8
#[tokio::test]
async fn what_was_sealed_under_the_policy_before_is_served_for_the_grace() {
    let mut team = publisher("");
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let before = stack.sealer().await;
    team.publish_policy(&policy(2, ""));
    stack.look(&team);
    let version = |opened: Opened| opened.receipt.unwrap().policy_version;
    assert_eq!(version(ask(&stack, &before).await), 1);
    assert_eq!(version(ask(&stack, &stack.sealer().await).await), 2);
    stack.pass(GRACE_SECONDS - 1);
    assert_eq!(version(ask(&stack, &before).await), 1);
    stack.pass(1);
    let late = ask(&stack, &before).await;
    assert_eq!(late.error(), (421, "sealed_header_mismatch".to_owned()));
    assert_eq!(version(late), 2, "a refusal states the runtime's own");
    assert_eq!(version(ask(&stack, &stack.sealer().await).await), 2);
}

/// R9.8
#[tokio::test]
async fn other_documents_beside_the_policy_do_not_end_its_predecessors_grace() {
    let mut team = publisher("");
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let before = stack.sealer().await;
    team.publish_policy(&policy(2, ""));
    stack.look(&team);
    team.stamp(NOW, NOW.plus(1000));
    stack.look(&team);
    assert_eq!(ask(&stack, &before).await.status, 200);
}

#[tokio::test]
async fn what_is_under_way_is_finished_under_its_policy() {
    let mut team = publisher("");
    let stack = Stack::obeying(&team, ScriptedEngine::new(Script::Wait)).await;
    let body = chat(r#","stream":true"#);
    let request = json_request(CHAT, &body);
    let (sealed, opener) = stack.sealer().await.seal(&request, NOW).unwrap();
    let outer = Outer::post("/narthex/v1/sealed", &sealed.envelope)
        .media_type(protocol::REQUEST_MEDIA_TYPE);
    let response = begin(stack.address, outer).await;
    team.publish_policy(&policy(2, ""));
    stack.look(&team);
    stack.engine.release();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let opened = open(opener, &body);
    assert_eq!(opened.events().len(), 5);
    assert_eq!(opened.receipt.unwrap().policy_version, 1);
}

#[tokio::test]
async fn what_is_older_or_anothers_changes_nothing() {
    let mut team = publisher("");
    team.publish_policy(&policy(5, ""));
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let refused = |in_force| stack.obedience.obey(in_force).unwrap_err().code();
    team.publish_policy(&policy(4, ""));
    assert_eq!(refused(team.in_force(NOW)), "policy.rollback");
    team.publish_policy(&policy(5, "\n# changed\n"));
    assert_eq!(refused(team.in_force(NOW)), "policy.equivocation");
    let another = publisher("").in_force(NOW);
    assert_eq!(refused(another), "policy.root.other");
    assert_eq!(refused(signed(&policy(6, ""))), "policy.root.other");
    assert_eq!(key_list(&stack).await.policy_version, 5);
    team.publish_policy(&policy(6, ""));
    stack.look(&team);
    assert_eq!(key_list(&stack).await.policy_version, 6);
}

#[tokio::test]
async fn who_is_a_tenant_is_the_new_policys_matter_at_once() {
    let (one, other) = (Tenant::new(), Tenant::new());
    let mut team = publisher(&tenants(&[one.key()]));
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let sealer = stack.sealer().await;
    let ask = async |tenant: &Tenant| {
        let request = ClientRequest {
            tenant: Some(tenant),
            ..get_request("/v1/models")
        };
        let (sealed, opener) = sealer.seal(&request, NOW).unwrap();
        open(opener, &stack.post(&sealed.envelope).await.body).status
    };
    assert_eq!((ask(&one).await, ask(&other).await), (200, 421));
    team.publish_policy(&policy(2, &tenants(&[other.key()])));
    stack.look(&team);
    assert_eq!((ask(&one).await, ask(&other).await), (421, 200));
}

#[tokio::test]
async fn the_age_of_attestations_is_the_new_policys_matter() {
    let mut team = publisher("");
    let stack = Stack::obeying(&team, ScriptedEngine::default()).await;
    let sealer = stack.sealer().await;
    let later = NOW.plus(361);
    let ask = async |at: UnixTime| {
        stack.turn_clock(at);
        let (sealed, opener) = sealer.seal(&get_request("/v1/models"), at).unwrap();
        open(opener, &stack.post(&sealed.envelope).await.body).status
    };
    assert_eq!(ask(later).await, 200);
    let shorter = PolicyText {
        version: 2,
        max_age_seconds: 60,
        ..policy_text()
    };
    team.publish_policy(&shorter.to_toml());
    stack.look(&team);
    assert_eq!(ask(later).await, 421);
}
