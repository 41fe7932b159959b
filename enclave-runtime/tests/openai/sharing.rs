//! With whom computed state may be shared: the request says, the policy allows, the engine is told, the receipt states.

use crate::support::{
    Stack, chat, engine::ScriptedEngine, get_request, json_request, policy_text, signed,
    tenant::Tenant,
};
use engine::TenantId;
use protocol::{CacheSecret, client::ClientRequest};

const CHAT: &str = "/v1/chat/completions";

/// What the receipt says and what the engine gets of a request that names a secret.
async fn shared(stack: &Stack) -> (String, Option<[u8; 32]>) {
    let (body, secret) = (chat(""), CacheSecret::from_bytes([7; 32]));
    let request = ClientRequest {
        cache_secret: Some(&secret),
        ..json_request(CHAT, &body)
    };
    let receipt = stack.exchange(&request).await.receipt.unwrap();
    (receipt.cache_scope, stack.engine.last().cache_secret)
}

#[tokio::test]
async fn state_is_shared_with_those_who_know_the_secret() {
    let stack = Stack::start().await;
    let told = shared(&stack).await;
    assert_eq!(told, ("cache-secret".to_owned(), Some([7; 32])));
    let receipt = stack.ask(CHAT, &chat("")).await.receipt.unwrap();
    assert_eq!(receipt.cache_scope, "request");
    assert_eq!(stack.engine.last().cache_secret, None);
}

#[tokio::test]
async fn a_policy_that_lists_the_request_alone_keeps_state_apart() {
    for (scopes, expected) in [
        (r#"["request"]"#, ("request", None)),
        (
            r#"["request", "cache-secret"]"#,
            ("cache-secret", Some([7; 32])),
        ),
    ] {
        let toml = format!(
            "{}\n[channel]\ncache_scopes = {scopes}\n",
            policy_text().to_toml()
        );
        let stack = Stack::with(ScriptedEngine::default(), |parts| {
            parts.in_force = signed(&toml);
        })
        .await;
        let (scope, secret) = shared(&stack).await;
        assert_eq!((scope.as_str(), secret), expected);
    }
}

#[tokio::test]
async fn what_shares_nothing_says_so() {
    let stack = Stack::start().await;
    let secret = CacheSecret::from_bytes([7; 32]);
    let request = ClientRequest {
        cache_secret: Some(&secret),
        ..get_request("/v1/models")
    };
    let receipt = stack.exchange(&request).await.receipt.unwrap();
    assert_eq!(receipt.cache_scope, "request");
}

#[tokio::test]
async fn the_engine_knows_whose_turn_a_job_takes() {
    let (stack, tenant, body) = (Stack::start().await, Tenant::new(), chat(""));
    let request = ClientRequest {
        tenant: Some(&tenant),
        ..json_request(CHAT, &body)
    };
    let receipt = stack.exchange(&request).await.receipt.unwrap();
    assert_eq!(Some(stack.engine.last().tenant.0), receipt.tenant);
    stack.ask(CHAT, &body).await;
    assert_eq!(stack.engine.last().tenant, TenantId::default());
}
