//! One sealed exchange from the opened request to the signed receipt that ends its answer.

use crate::{
    node::Node,
    openai::{ApiError, Sampling},
    outgoing::{Gone, Outgoing},
    telemetry,
};
use attestation::UnixTime;
use bytes::Bytes;
use protocol::{Outcome, Plaintext, Receipt, Responder, SealedHeaders, SignedReceipt, Usage};
use std::sync::Arc;
use tokio::sync::mpsc;

/// An exchange under way.
pub(crate) struct Exchange {
    pub(crate) node: Arc<Node>,
    pub(crate) headers: SealedHeaders,
    pub(crate) account: Account,
    pub(crate) outgoing: Outgoing,
    received_at: UnixTime,
    status: u16,
}

/// What the receipt will say about the answer, as it becomes known. No Debug: tokens are the answer.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) usage: Usage,
    pub(crate) sampling: Sampling,
    pub(crate) tokens: Vec<u32>,
}

impl Exchange {
    pub(crate) fn new(
        node: Arc<Node>,
        request: &Plaintext,
        responder: Responder,
        out: mpsc::Sender<Bytes>,
    ) -> Self {
        Self {
            received_at: node.clock.now(),
            headers: request.headers.clone(),
            account: Account::default(),
            status: 0,
            outgoing: Outgoing::new(responder, out, node.padding, node.limits.flush_interval),
            node,
        }
    }

    /// Whether the sealed headers are meant for this runtime as it is now.
    pub(crate) fn check_headers(&self) -> Result<(), ApiError> {
        self.node.check_headers(&self.headers, self.received_at)
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
        self.head(200, &[("content-type", b"application/json")])
            .await?;
        self.outgoing.body(json).await
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
    pub(crate) async fn finish(self) -> Result<(), Gone> {
        let receipt = self.receipt();
        telemetry::answered(self.status);
        self.outgoing.finish(&receipt).await
    }

    fn receipt(&self) -> SignedReceipt {
        let node = &self.node;
        let card = node.engine.card();
        let Account {
            usage,
            sampling,
            tokens,
        } = &self.account;
        let receipt = Receipt {
            request_id: self.headers.request_id,
            digests: self.outgoing.responder.digests(tokens),
            binding_id: self.headers.binding_id,
            manifest: node.manifest_digest,
            policy_version: node.policy.version,
            policy_digest: node.policy.digest,
            client_policy: self.headers.client_policy,
            model: card.name.clone(),
            model_digest: card.model_digest,
            tokenizer_digest: card.tokenizer_digest,
            template_digest: card.template_digest,
            aibom_digest: None,
            node: node.name.clone(),
            epoch: self.outgoing.responder.epoch(),
            cache_scope: "request".to_owned(),
            tenant: self.headers.tenant.map(|tenant| tenant.key),
            residency: node.residency.clone(),
            padding: node.padding,
            outcome: Outcome::Complete,
            status: self.status,
            usage: *usage,
            received_at: self.received_at,
            finished_at: node.clock.now(),
            temperature_milli: sampling.temperature_milli,
            top_p_milli: sampling.top_p_milli,
            seed: sampling.seed,
            isa: card.isa.to_owned(),
            engine: card.mode.to_owned(),
            kernels_digest: card.kernels_digest,
        };
        receipt.sign(&node.identity)
    }
}
