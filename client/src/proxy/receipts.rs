//! The receipts of this proxy: the last ones in memory for `GET /narthex/receipts/{request-id}`, all of them in a directory if one is named.

use super::{Proxy, openai_error::OpenAiError};
use crate::{Exchange, archive, receipt_json};
use http::{Response, StatusCode};
use listener::Body;
use protocol::SignedReceipt;
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

    pub(super) fn show(&self, id: &str) -> Result<Response<Body>, OpenAiError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let receipt = kept.receipts.get(id).ok_or_else(|| {
            OpenAiError::request(
                StatusCode::NOT_FOUND,
                "receipt.absent",
                format!("no receipt of request {id} in memory: the last {MAX_KEPT} are kept, and only of complete answers"),
            )
        })?;
        Ok(super::json(StatusCode::OK, receipt))
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
