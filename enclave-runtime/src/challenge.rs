//! Answers challenges: while the platform makes one quote, the nonces that arrive wait; the next quote is over all of them at once
//! (docs/protocol.md section 1), and each peer gets its own path (R1.2, R9.3).

#[cfg(test)]
mod tests;

use crate::{node::Node, problem::Problem, telemetry};
use attestation::{
    EvidenceBundle, EvidenceError, Freshness, Nonce, NoncePath, bundle::MAX_STAPLED_BYTES,
};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// The challenges that wait for the next quote.
pub(crate) struct Challenges {
    capacity: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// In the order of arrival, which is that of the tree's leaves.
    waiting: Vec<Waiting>,
    /// Whether a task is there that will take what waits.
    served: bool,
}

/// One peer's nonce and where its answer goes; a closed way out is a peer that has left.
struct Waiting {
    nonce: Nonce,
    answer: oneshot::Sender<Answer>,
}

/// The bundle that one quote gave to all, with one peer's own path; or why there is none.
type Answer = Result<(Arc<EvidenceBundle>, NoncePath), EvidenceError>;

/// Too many wait already.
#[derive(Debug)]
struct Full;

/// What the queue did with a nonce.
struct Taken {
    answer: oneshot::Receiver<Answer>,
    /// Nobody serves the queue: whoever enqueued must see to it.
    first: bool,
}

/// The evidence bundle for `nonce`. A quote that has begun is finished even if its peers have gone: there is never more than one.
pub(crate) async fn answer(node: Arc<Node>, nonce: Nonce) -> Result<Vec<u8>, Problem> {
    let taken = node
        .challenges
        .enqueue(nonce)
        .map_err(|Full| Problem::Busy)?;
    if taken.first {
        tokio::spawn(serve(Arc::clone(&node)));
    }
    match taken.answer.await {
        Ok(Ok((bundle, path))) => {
            // A quote takes its time: what has stopped meanwhile is not vouched for.
            node.check_serving()?;
            telemetry::challenge_answered();
            Ok(addressed(&bundle, path))
        }
        Ok(Err(error)) => {
            telemetry::challenge_failed(code(&error));
            Err(Problem::Evidence)
        }
        Err(_panicked) => Err(Problem::Evidence),
    }
}

/// The bundle as it goes to the peer whose nonce `path` leads from.
fn addressed(bundle: &EvidenceBundle, path: NoncePath) -> Vec<u8> {
    let bundle = EvidenceBundle {
        nonce_path: Some(path),
        ..bundle.clone()
    };
    bundle.to_cbor()
}

const fn code(error: &EvidenceError) -> &'static str {
    match error {
        EvidenceError::Unavailable(_) => "evidence.unavailable",
        EvidenceError::Mismatch => "evidence.mismatch",
    }
}

/// Quotes for all who wait, again and again until nobody does. A quote that panics fails its own peers only.
async fn serve(node: Arc<Node>) {
    while let Some(batch) = node.challenges.take() {
        let node = Arc::clone(&node);
        let quoted = tokio::task::spawn_blocking(move || quote(&node, batch));
        let _panicked = quoted.await;
    }
}

/// One quote over the nonces of `batch`, in their order.
fn quote(node: &Node, batch: Vec<Waiting>) {
    let nonces: Vec<Nonce> = batch.iter().map(|waiting| waiting.nonce).collect();
    let Some((freshness, paths)) = Freshness::of_many(&nonces) else {
        return;
    };
    let bundle = bundle(node, freshness).map(Arc::new);
    for (waiting, path) in batch.into_iter().zip(paths) {
        let answer = bundle.clone().map(|bundle| (bundle, path));
        // Whoever has left meanwhile gets nothing, and nobody else notices.
        let _left = waiting.answer.send(answer);
    }
}

fn bundle(node: &Node, freshness: Freshness) -> Result<EvidenceBundle, EvidenceError> {
    let attestation = node.attest(freshness)?;
    node.issued.insert(attestation.id, node.clock.now());
    Ok(EvidenceBundle {
        cpu: attestation.cpu,
        devices: attestation.devices,
        collateral: collateral(node),
        manifest: node.manifest.clone(),
        identity: node.identity.public(),
        freshness,
        nonce_path: None,
        key_configs: node.key_list().ok().map(|list| list.as_bytes().to_vec()),
    })
}

/// The operator's collateral as it is now, so that it can be renewed without a restart. It proves itself to whoever uses it; without
/// it, verifiers need their own.
fn collateral(node: &Node) -> Option<Vec<u8>> {
    let path = node.collateral.as_ref()?;
    let read = provision::file::read(path, MAX_STAPLED_BYTES);
    read.inspect_err(|error| telemetry::no_collateral(error.code()))
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| bytes.to_vec())
}

impl Challenges {
    /// Lets at most `capacity` nonces wait.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            queue: Mutex::default(),
        }
    }

    fn enqueue(&self, nonce: Nonce) -> Result<Taken, Full> {
        let mut queue = self.lock();
        if queue.waiting.len() >= self.capacity {
            queue.forget_who_left();
        }
        if queue.waiting.len() >= self.capacity {
            return Err(Full);
        }
        let (sender, answer) = oneshot::channel();
        queue.waiting.push(Waiting {
            nonce,
            answer: sender,
        });
        Ok(Taken {
            answer,
            first: !mem::replace(&mut queue.served, true),
        })
    }

    /// All who wait and are still there. `None`: nobody, and the queue is left to the next who comes.
    fn take(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.lock();
        queue.forget_who_left();
        queue.served = !queue.waiting.is_empty();
        queue.served.then(|| mem::take(&mut queue.waiting))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn forget_who_left(&mut self) {
        self.waiting.retain(|waiting| !waiting.answer.is_closed());
    }
}
