//! The receipts of this proxy: the last ones in memory for `GET /narthex/receipts/{request-id}`, which asks the nodes for others; all of them
//! in a directory if one is named.

use super::{Proxy, openai_error::OpenAiError};
use crate::{Exchange, RequestId, archive};
use http::{Response, StatusCode};
use listener::Body;
use protocol::SignedReceipt;
use session::receipt_json;
use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// Receipts kept in memory.
const MAX_KEPT: usize = 1024;

pub(super) struct Receipts {
    directory: Option<PathBuf>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    order: VecDeque<String>,
    receipts: HashMap<String, serde_json::Value>,
}

impl Receipts {
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            kept: Mutex::default(),
        }
    }

    fn find(&self, id: &str) -> Option<serde_json::Value> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.receipts.get(id).cloned()
    }

    fn keep(&self, id: String, receipt: serde_json::Value) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.order.push_back(id.clone());
        kept.receipts.insert(id, receipt);
        if kept.order.len() > MAX_KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.receipts.remove(&oldest);
        }
    }
}

impl Proxy {
    /// The receipt of request `id`: from memory, or from the node that kept it because the local program went away or the end was lost.
    pub(super) async fn receipt(&self, id: &str) -> Result<Response<Body>, OpenAiError> {
        let receipt = match (self.receipts.find(id), RequestId::parse(id)) {
            (Some(receipt), _) => Some(receipt),
            (None, Some(id)) => self.fetched(&id).await?,
            (None, None) => None,
        };
        let receipt = receipt.ok_or_else(|| absent(id))?;
        Ok(super::json(StatusCode::OK, &receipt))
    }

    async fn fetched(&self, id: &RequestId) -> Result<Option<serde_json::Value>, OpenAiError> {
        let found = self.client.fetch_receipt(id).await?;
        Ok(found.map(|found| receipt_json::document(&found.receipt, &found.signed)))
    }

    /// Keeps the receipt of an answer that the node itself did not finish: it says so.
    pub(super) fn keep_unfinished(&self, exchange: &Exchange) {
        if let Some(receipt) = exchange.unfinished() {
            self.keep_receipt(exchange, receipt);
        }
    }

    /// Keeps a verified receipt. A directory that cannot be written is told, and does not undo a complete answer.
    pub(super) fn keep_receipt(&self, exchange: &Exchange, receipt: &SignedReceipt) {
        let id = exchange.id().to_string();
        let identity = &exchange.node().admitted().claims().identity;
        if let Ok(parsed) = receipt.verify(identity) {
            self.receipts
                .keep(id.clone(), receipt_json::document(&parsed, receipt));
        }
        let Some(directory) = &self.receipts.directory else {
            return;
        };
        if let Err(error) = archive::save_exchange(directory, exchange, receipt) {
            self.notice(format!("the receipt of {id} was not saved: {error}"));
        }
    }
}

fn absent(id: &str) -> OpenAiError {
    let message = format!(
        "no receipt of request {id}: the last {MAX_KEPT} of complete answers are kept here, others for an hour by the node that gave the answer"
    );
    OpenAiError::request(StatusCode::NOT_FOUND, "receipt.absent", message)
}
