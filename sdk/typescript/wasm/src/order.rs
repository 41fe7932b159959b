//! What JavaScript may ask for. Unknown, doubled and missing members make it no order.

use attestation::UnixTime;
use serde::Deserialize;

/// One order; the frame's bytes are named in each.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Order {
    /// Names the memory of policy versions.
    Root { settings: Settings },
    /// Opens a session.
    Open {
        settings: Settings,
        remembered: Option<String>,
    },
    /// The memory of policy versions, and whether it has changed since the last time.
    Memory { session: u32 },
    /// Takes in what another context has kept.
    Recall { session: u32, text: String },
    /// Begins a request; bytes: its body.
    Start {
        session: u32,
        method: String,
        path: String,
        content_type: Option<String>,
    },
    /// The first call.
    Begin { flow: u32, now: u64 },
    /// The head of an answer.
    Head {
        flow: u32,
        status: u16,
        content_type: Option<String>,
    },
    /// Bytes: the body of an answer.
    Body { flow: u32, now: u64 },
    /// No answer.
    Failed {
        flow: u32,
        kind: Kind,
        why: String,
        now: u64,
    },
    /// What happened since the last time.
    Notices { flow: u32 },
    /// The sealed answer; the flow is used up.
    Exchange { flow: u32 },
    /// Bytes: the next ones of the outer body.
    Push { exchange: u32 },
    /// The outer body has ended.
    Finish { exchange: u32 },
    /// The outer body broke off: gives the error.
    Interrupted { exchange: u32, why: String },
    /// Forgets values.
    Close {
        session: Option<u32>,
        flow: Option<u32>,
        exchange: Option<u32>,
    },
}

/// What the user gives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// A DSSE envelope in JSON.
    policy: String,
    #[serde(default)]
    beside: Beside,
    /// A DSSE envelope in JSON.
    policy_root: Option<String>,
    /// PEM.
    policy_keys: Vec<String>,
    threshold: Option<usize>,
    residency: Option<String>,
    /// 32 bytes.
    cache_secret: Option<Vec<u8>>,
    /// Seconds since 1970.
    now: u64,
}

/// What is published beside the policy.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    roots: Option<String>,
    inventory: Option<String>,
    orders: Option<String>,
    timestamp: Option<String>,
}

/// How a call failed.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Connect,
    Broken,
    TimedOut,
}

impl Settings {
    pub(crate) fn lend<T>(&self, use_it: impl FnOnce(&session::Settings<'_>) -> T) -> T {
        let keys: Vec<&[u8]> = self.policy_keys.iter().map(String::as_bytes).collect();
        use_it(&session::Settings {
            policy: self.policy.as_bytes(),
            beside: session::Beside {
                roots: bytes(&self.beside.roots),
                inventory: bytes(&self.beside.inventory),
                orders: bytes(&self.beside.orders),
                timestamp: bytes(&self.beside.timestamp),
            },
            policy_root: bytes(&self.policy_root),
            policy_keys: &keys,
            threshold: self.threshold,
            residency: self.residency.as_deref(),
            cache_secret: self.cache_secret.as_deref(),
            now: UnixTime(self.now),
        })
    }
}

fn bytes(text: &Option<String>) -> Option<&[u8]> {
    text.as_ref().map(String::as_bytes)
}
