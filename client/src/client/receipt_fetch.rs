//! Receipts that did not come with their answer: asked of the nodes afterwards, under the seal (R7.6).

use super::Client;
use crate::{AdmittedNode, Answer, ClientError, Exchange, Request, RequestId};
use protocol::{OpenError, Receipt, ReceiptError, SignedReceipt};

/// A receipt that a node had kept, signed by that node's attested identity and about the request that was asked for.
pub struct FetchedReceipt {
    /// As signed.
    pub signed: SignedReceipt,
    /// What it says.
    pub receipt: Receipt,
    exchange: Exchange,
}

impl FetchedReceipt {
    /// The node that had kept it.
    #[must_use]
    pub fn node(&self) -> &AdmittedNode {
        self.exchange.node()
    }
}

impl Client {
    /// The receipt of request `id`, from the first node on offer that has kept it. `None`: no node has it, or not for this client's tenant.
    ///
    /// Nodes that are not admitted yet are admitted first. If one of them could not be asked and no other has the receipt, that is the
    /// error. Whether the receipt holds the answer that was received is for whoever has that answer; an `abandoned` one need not.
    pub async fn fetch_receipt(
        &self,
        id: &RequestId,
    ) -> Result<Option<FetchedReceipt>, ClientError> {
        let mut last = None;
        for name in self.admissions.on_offer() {
            match self.fetch_receipt_from(&name, id).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => last = Some(error),
            }
        }
        last.map_or(Ok(None), Err)
    }

    /// The same, from the node of this name alone.
    pub async fn fetch_receipt_from(
        &self,
        node: &str,
        id: &RequestId,
    ) -> Result<Option<FetchedReceipt>, ClientError> {
        let request = Request::get(format!("/narthex/receipts/{id}"));
        let mut exchange = self.send_to(node, &request).await?;
        let answer = exchange.collect().await?;
        match answer.status {
            200 => fetched(answer, exchange, id).map(Some),
            404 => Ok(None),
            status => Err(ClientError::EnvelopeRefused(status)),
        }
    }
}

fn fetched(
    answer: Answer,
    exchange: Exchange,
    id: &RequestId,
) -> Result<FetchedReceipt, ClientError> {
    let signed = SignedReceipt::from_bytes(answer.body);
    let receipt = check(&signed, &exchange, id).map_err(OpenError::Receipt)?;
    Ok(FetchedReceipt {
        signed,
        receipt,
        exchange,
    })
}

/// Signature, request, node and manifest. The attestation and the key epoch may be earlier ones of the same identity.
fn check(
    signed: &SignedReceipt,
    exchange: &Exchange,
    id: &RequestId,
) -> Result<Receipt, ReceiptError> {
    let node = exchange.node();
    let claims = node.admitted().claims();
    let receipt = signed.verify(&claims.identity)?;
    let checks = [
        ("request-id", receipt.request_id == id.0),
        ("node", receipt.node == node.name()),
        ("manifest", receipt.manifest == claims.manifest_digest),
    ];
    match checks.iter().find(|(_, holds)| !holds) {
        Some((name, _)) => Err(ReceiptError::Mismatch(name)),
        None => Ok(receipt),
    }
}
