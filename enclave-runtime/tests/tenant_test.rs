//! Whom the runtime serves: the tenants of its policy, by their signature of each request (R6.7).

use crate::support::{
    self, NOW, Opened, Stack, chat,
    engine::ScriptedEngine,
    get_request, json_request, policy_text, signed,
    tenant::{Forger, SIGNED_FIELDS, Tenant},
};
use protocol::{Receipt, TenantSigner, client::ClientRequest};

const CHAT: &str = "/v1/chat/completions";

/// A runtime whose policy lists `tenants`.
async fn serving(tenants: &[&Tenant]) -> Stack {
    let keys: Vec<_> = tenants.iter().map(|tenant| tenant.key()).collect();
    let policy = policy_text().to_toml() + &support::tenants(&keys);
    Stack::under(signed(&policy), ScriptedEngine::default()).await
}

async fn ask(stack: &Stack, tenant: Option<&dyn TenantSigner>) -> Opened {
    let body = chat("");
    let request = ClientRequest {
        tenant,
        ..json_request(CHAT, &body)
    };
    stack.exchange(&request).await
}

/// One coarse answer, and the engine has seen nothing.
fn assert_refused(stack: &Stack, opened: &Opened) {
    assert_eq!(opened.error(), (421, "sealed_header_mismatch".to_owned()));
    assert!(!stack.engine.was_asked());
}

/// The same, and no receipt says that the tenant had signed.
fn assert_forged(stack: &Stack, opened: &Opened) {
    assert_refused(stack, opened);
    let names_tenant = |receipt: &Receipt| receipt.tenant.is_some();
    assert!(!opened.receipt.as_ref().is_ok_and(names_tenant));
}

#[tokio::test]
async fn the_receipt_names_the_tenant_that_signed() {
    let (one, other) = (Tenant::new(), Tenant::new());
    let stack = serving(&[&one, &other]).await;
    for tenant in [&one, &other] {
        let opened = ask(&stack, Some(tenant)).await;
        assert_eq!(opened.status, 200);
        assert_eq!(opened.receipt.unwrap().tenant, Some(tenant.key()));
    }
}

#[tokio::test]
async fn who_is_no_tenant_is_refused() {
    let tenant = Tenant::new();
    let stack = serving(&[&tenant]).await;
    assert_refused(&stack, &ask(&stack, None).await);
    let stranger = Tenant::new();
    let opened = ask(&stack, Some(&stranger)).await;
    assert_refused(&stack, &opened);
    assert_eq!(
        opened.receipt.unwrap().tenant,
        Some(stranger.key()),
        "it did sign"
    );
    let models = stack.exchange(&get_request("/v1/models")).await;
    assert_refused(&stack, &models);
}

/// A runtime whose policy gives `tenant` these fields beside its key.
async fn serving_with(tenant: &Tenant, fields: &str) -> Stack {
    let policy = policy_text().to_toml() + &support::tenants(&[tenant.key()]) + fields;
    Stack::under(signed(&policy), ScriptedEngine::default()).await
}

async fn get(stack: &Stack, tenant: &Tenant, path: &str) -> Opened {
    let request = get_request(path);
    let model = request.model.filter(|_| path.starts_with("/v1/"));
    let request = ClientRequest {
        tenant: Some(tenant),
        model,
        ..request
    };
    stack.exchange(&request).await
}

#[tokio::test]
async fn a_role_opens_its_routes_and_no_other() {
    let tenant = Tenant::new();
    let receipt = format!("/narthex/receipts/{}", "0".repeat(32));
    for (roles, asks, receipts) in [
        ("infer", 200, 404),
        ("audit", 421, 404),
        ("operate", 421, 421),
    ] {
        let stack = serving_with(&tenant, &format!("roles = [\"{roles}\"]\n")).await;
        assert_eq!(ask(&stack, Some(&tenant)).await.status, asks, "{roles}");
        assert_eq!(get(&stack, &tenant, &receipt).await.status, receipts);
        assert_eq!(get(&stack, &tenant, "/v1/models").await.status, 200);
        let model = get(&stack, &tenant, "/v1/models/other").await;
        assert_eq!(model.error(), (404, "model_not_found".to_owned()));
    }
}

#[tokio::test]
async fn a_tenant_is_one_in_its_time() {
    let tenant = Tenant::new();
    let until = NOW.plus(9).to_rfc3339();
    let stack = serving_with(&tenant, &format!("until = {until}\n")).await;
    assert_eq!(get(&stack, &tenant, "/v1/models").await.status, 200);
    stack.turn_clock(NOW.plus(10));
    assert_refused(&stack, &get(&stack, &tenant, "/v1/models").await);
    let from = NOW.plus(1).to_rfc3339();
    let stack = serving_with(&tenant, &format!("from = {from}\n")).await;
    assert_refused(&stack, &get(&stack, &tenant, "/v1/models").await);
}

#[tokio::test]
async fn a_signature_is_of_every_field() {
    let tenant = Tenant::new();
    let stack = serving(&[&tenant]).await;
    for field in 0..SIGNED_FIELDS {
        let forger = Forger {
            tenant: &tenant,
            field,
        };
        assert_forged(&stack, &ask(&stack, Some(&forger)).await);
    }
    assert_eq!(ask(&stack, Some(&tenant)).await.status, 200);
}

#[tokio::test]
async fn a_credential_must_verify_where_none_is_demanded() {
    let stack = Stack::start().await;
    let tenant = Tenant::new();
    let forger = Forger {
        tenant: &tenant,
        field: 1,
    };
    assert_forged(&stack, &ask(&stack, Some(&forger)).await);
    let named = ask(&stack, Some(&tenant)).await;
    assert_eq!(named.receipt.unwrap().tenant, Some(tenant.key()));
    assert_eq!(ask(&stack, None).await.receipt.unwrap().tenant, None);
}
