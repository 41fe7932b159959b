//! One sealed exchange from the opened request to the signed receipt that ends its answer.

use crate::{
    account::{Account, CacheScope},
    leash::Leash,
    node::Node,
    obeyed::{Obeyed, StatedPolicy},
    outgoing::{Gone, Outgoing},
    receipts::{RequestId, TenantKey},
    telemetry,
};
use attestation::UnixTime;
use bytes::Bytes;
use engine::{CacheSecret, TenantId};
use openai::{ApiError, Client, Heading, Route};
use protocol::{Outcome, Plaintext, Receipt, Responder, SealedHeaders, SignedReceipt, Usage};
use std::sync::Arc;
use tokio::{sync::mpsc, time::Instant};

/// An exchange under way.
pub(crate) struct Exchange {
    pub(crate) node: Arc<Node>,
    pub(crate) headers: SealedHeaders,
    pub(crate) account: Account,
    pub(crate) outgoing: Outgoing,
    pub(crate) leash: Leash,
    received_at: UnixTime,
    /// What this runtime obeyed when the exchange began: all of it is judged by that. What stops it later, it hears from its leash.
    obeyed: Arc<Obeyed>,
    /// The policy that it is answered under.
    policy: StatedPolicy,
    status: u16,
    /// Who signed the request, if that is verified.
    tenant: Option<TenantKey>,
    keeps_receipt: bool,
}

impl Exchange {
    pub(crate) fn new(
        node: Arc<Node>,
        request: &Plaintext,
        responder: Responder,
        out: mpsc::Sender<Bytes>,
    ) -> Self {
        let tenant = signer(request);
        let obeyed = node.standing.obeyed();
        Self {
            received_at: node.clock.now(),
            policy: obeyed.stated(),
            obeyed,
            leash: node.standing.leash(tenant),
            headers: request.headers.clone(),
            account: Account::default(),
            status: 0,
            outgoing: Outgoing::new(responder, out, node.padding, node.limits.flush_interval),
            tenant,
            keeps_receipt: false,
            node,
        }
    }

    /// Whether the request comes from a tenant that is served, is meant for this runtime as it is now, and is stopped by nothing. From here
    /// on its receipt will be kept: nobody else can push out those of others.
    pub(crate) fn admit(&mut self) -> Result<(), ApiError> {
        let (node, tenant) = (&self.node, self.tenant.as_ref());
        node.check_tenant(&self.obeyed, &self.headers, tenant)?;
        self.policy = node.check_headers(&self.obeyed, &self.headers, self.received_at)?;
        self.keeps_receipt = true;
        self.leash.check()
    }

    /// Whether the tenant that signed may use `route`.
    pub(crate) fn check_role(&self, route: &Route) -> Result<(), ApiError> {
        let tenant = self.tenant.as_ref();
        self.node.check_role(&self.obeyed, tenant, route.roles())
    }

    /// For whom the engine works, once `admit` has let them in. State is shared as the request asks and the policy allows: the receipt
    /// says so, and the secret stays here no longer.
    pub(crate) fn client(&mut self) -> Client {
        let scope = CacheScope::CacheSecret;
        let policy = self.obeyed.in_force.policy();
        let refused = policy.judge_cache_scope(scope.as_str());
        let secret = self.headers.cache_secret.take();
        let secret = secret.filter(|_| refused.is_none());
        if secret.is_some() {
            self.account.cache_scope = scope;
        }
        Client {
            tenant: self.tenant.map(TenantId).unwrap_or_default(),
            cache_secret: secret.map(|secret| CacheSecret(*secret.as_bytes())),
        }
    }

    /// What every part of the answer repeats.
    pub(crate) fn heading(&self) -> Heading {
        Heading {
            request_id: self.headers.request_id,
            created: self.node.clock.now(),
            model: self.node.engine.card().name.clone(),
            fingerprint: self.node.fingerprint.clone(),
        }
    }

    /// The receipt that is kept of request `id`, for this exchange's tenant. This exchange's own receipt is not kept: it would take the
    /// place of others.
    pub(crate) fn kept_receipt(&mut self, id: Option<RequestId>) -> Option<SignedReceipt> {
        self.keeps_receipt = false;
        self.node.receipts.find(&id?, self.tenant, Instant::now())
    }

    /// Begins the answer.
    pub(crate) async fn head(
        &mut self,
        status: u16,
        headers: &[(&str, &[u8])],
    ) -> Result<(), Gone> {
        self.status = status;
        self.outgoing.head(status, headers).await
    }

    /// A whole answer of JSON.
    pub(crate) async fn document(&mut self, json: &[u8]) -> Result<(), Gone> {
        self.whole("application/json", json).await
    }

    /// A whole answer.
    pub(crate) async fn whole(&mut self, media_type: &str, content: &[u8]) -> Result<(), Gone> {
        self.head(200, &[("content-type", media_type.as_bytes())])
            .await?;
        self.outgoing.body(content).await
    }

    /// A whole answer that is an error.
    pub(crate) async fn refuse(&mut self, error: &ApiError) -> Result<(), Gone> {
        let mut headers: Vec<(&str, &[u8])> = vec![("content-type", b"application/json")];
        if error.is_temporary() {
            headers.push(("retry-after", b"1"));
        }
        self.head(error.status, &headers).await?;
        self.outgoing.body(&error.to_json()).await
    }

    /// Ends the answer: the receipt, then the authenticated end.
    pub(crate) async fn finish(self) {
        let outcome = match self.account.failed || self.outgoing.responder.is_broken() {
            true => Outcome::Failed,
            false => Outcome::Complete,
        };
        let receipt = self.sign(outcome);
        telemetry::answered(self.status);
        if self.outgoing.finish(&receipt).await.is_err() {
            telemetry::cancelled();
        }
    }

    /// Ends without an end: the client has gone. It may ask later for the receipt of what was sealed for it.
    pub(crate) fn abandon(self) {
        self.sign(Outcome::Abandoned);
        telemetry::cancelled();
    }

    /// Signs the receipt, and keeps it for a client that does not get it with the answer.
    fn sign(&self, outcome: Outcome) -> SignedReceipt {
        let receipt = self.receipt(outcome).sign(&self.node.identity);
        if self.keeps_receipt {
            let (id, kept) = (self.headers.request_id, receipt.clone());
            self.node
                .receipts
                .keep(id, kept, self.tenant, Instant::now());
        }
        receipt
    }

    fn receipt(&self, outcome: Outcome) -> Receipt {
        let node = &self.node;
        let card = node.engine.card();
        let (sampling, usage) = (&self.account.sampling, self.account.usage());
        let tokens = self.account.digested_tokens();
        Receipt {
            request_id: self.headers.request_id,
            digests: match outcome {
                Outcome::Abandoned => self.outgoing.responder.sealed_digests(&tokens),
                _ => self.outgoing.responder.digests(&tokens),
            },
            binding_id: self.headers.binding_id,
            manifest: node.manifest_digest,
            policy_version: self.policy.version,
            policy_digest: self.policy.digest,
            client_policy: self.headers.client_policy,
            model: card.name.clone(),
            model_digest: card.model_digest,
            tokenizer_digest: card.tokenizer_digest,
            template_digest: card.template_digest,
            aibom_digest: node.aibom_digest,
            node: node.name.clone(),
            epoch: self.outgoing.responder.epoch(),
            cache_scope: self.account.cache_scope.as_str().to_owned(),
            tenant: self.tenant,
            residency: node.country_under(&self.obeyed),
            padding: node.padding,
            outcome,
            status: self.status,
            usage: Usage {
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
            },
            received_at: self.received_at,
            finished_at: node.clock.now(),
            temperature_milli: sampling.temperature_milli,
            top_p_milli: sampling.top_p_milli,
            seed: sampling.seed,
            isa: card.isa.to_owned(),
            engine: card.mode.clone().into_owned(),
            kernels_digest: card.kernels_digest,
            gpu: node.gpu(),
        }
    }
}

/// The tenant that signed `request`; none if it names one that did not.
fn signer(request: &Plaintext) -> Option<TenantKey> {
    let credential = request.headers.tenant.as_ref();
    let credential = credential.filter(|_| request.tenant_verifies());
    credential.map(|credential| credential.key)
}
