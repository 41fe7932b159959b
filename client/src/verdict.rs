//! Split verification: what this client made of a node beside what its gateway made of it. A difference means that one of them is mistaken,
//! was lied to, or has another policy; it is an alarm, and no more: the client goes by its own verdict.

use crate::{
    AdmittedNode, Check, ClientError, Observer, alarm,
    transport::{Content, Question, Transport},
};
use attestation::Digest;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Of the report and of the answer.
const MEDIA_TYPE: &str = "application/json";
const MAX_VERDICT_BYTES: usize = 4096;
const MAX_CODE_CHARS: usize = 100;

/// What one side made of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    admitted: bool,
    /// Why not.
    code: Option<String>,
    /// SHA-256 of the policy's document, in hexadecimal.
    policy_digest: String,
}

/// Compares verdicts with one gateway's.
pub(crate) struct Comparing {
    transport: Arc<Transport>,
    observer: Arc<dyn Observer>,
    /// The last difference told of each node.
    told: Mutex<HashMap<String, (Verdict, Verdict)>>,
}

impl Verdict {
    /// What was judged; `None` where the outcome says nothing of evidence or policy.
    pub(crate) fn of(outcome: &Result<AdmittedNode, ClientError>, policy: Digest) -> Option<Self> {
        let code = match outcome {
            Ok(_) => None,
            Err(
                error
                @ (ClientError::Bundle(_) | ClientError::Refused(_) | ClientError::Stopped(_)),
            ) => Some(error.code().to_owned()),
            Err(_) => return None,
        };
        Some(Self {
            admitted: code.is_none(),
            code,
            policy_digest: hex::encode(policy),
        })
    }

    /// A gateway that could not look at the node has not judged it.
    fn is_one(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        self.admitted || !code.starts_with("upstream.")
    }

    /// In words; the gateway's may hold anything.
    fn words(&self) -> String {
        let policy: String = self.policy_digest.chars().take(12).collect();
        match (self.admitted, &self.code) {
            (true, _) => format!("admits it under policy {policy}"),
            (false, None) => format!("does not admit it under policy {policy}"),
            (false, Some(code)) => {
                let code: String = code.chars().take(MAX_CODE_CHARS).collect();
                format!("refuses it under policy {policy} ({code})")
            }
        }
    }
}

impl Comparing {
    pub(crate) fn new(transport: Arc<Transport>, observer: Arc<dyn Observer>) -> Self {
        Self {
            transport,
            observer,
            told: Mutex::default(),
        }
    }

    /// Tells the gateway this client's verdict on `node` and takes its own. That it cannot be asked, or does not answer, is no news.
    pub(crate) async fn compare(self: Arc<Self>, node: String, ours: Verdict) {
        if let Some(theirs) = self.ask(&node, &ours).await
            && theirs.admitted != ours.admitted
        {
            self.differ(&node, ours, theirs);
        }
    }

    async fn ask(&self, node: &str, ours: &Verdict) -> Option<Verdict> {
        let path = format!("/narthex/v1/nodes/{node}/verdict");
        let question = Question {
            what: "the verdict",
            path: &path,
            body: Some(Content {
                media_type: MEDIA_TYPE,
                bytes: serde_json::to_vec(ours).ok()?.into(),
            }),
            media_type: MEDIA_TYPE,
            max_bytes: MAX_VERDICT_BYTES,
        };
        let answer = self.transport.ask(question).await.ok()?;
        let theirs: Verdict = serde_json::from_slice(&answer).ok()?;
        theirs.is_one().then_some(theirs)
    }

    /// Each difference is told once, until it is another.
    fn differ(&self, node: &str, ours: Verdict, theirs: Verdict) {
        let detail = format!(
            "node {node}: this client {}, the gateway {}",
            ours.words(),
            theirs.words()
        );
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (ours, theirs);
        if told.get(node) == Some(&pair) {
            return;
        }
        told.insert(node.to_owned(), pair);
        drop(told);
        let check = Check::info(
            alarm::VERDICT,
            "client and gateway judge a node differently",
        );
        alarm::raise(&*self.observer, check.detail(detail));
    }
}
