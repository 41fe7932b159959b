//! The thread that encodes, and the places before it.
//!
//! Batches have places as jobs do: so many in all, of one tenant no more than its part. Tenants take turns, a few texts each time, and so do the
//! batches of one tenant: neither a long batch nor a tenant with many holds up another.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{
    places::{CloseOnDrop, Place, Places},
    queue::Queue,
};
use crate::{
    encoder::{Encoder, EncoderError},
    job::{Embeddings, EngineError, TenantId},
};

/// Texts of a batch that are encoded before the next batch has its turn.
pub(super) const TEXTS_PER_TURN: usize = 16;

/// What the thread needs of an encoder; tests put a small one in its place.
pub(super) trait Embed: Send + 'static {
    /// One vector for each text.
    fn embed(&mut self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EncoderError>;
}

impl Embed for Encoder {
    fn embed(&mut self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EncoderError> {
        Self::embed(self, texts)
    }
}

/// Batches under way. When dropped it stops at the next turn and closes the channels of those that are not finished.
pub(super) struct Batches {
    places: Arc<Places>,
    stopping: Arc<AtomicBool>,
    inbox: Option<mpsc::Sender<Batch>>,
    thread: Option<JoinHandle<()>>,
}

/// Texts on their way.
struct Batch {
    texts: Vec<Zeroizing<Vec<u32>>>,
    made: Embeddings,
    reply: oneshot::Sender<Embeddings>,
    tenant: TenantId,
    place: Place,
}

impl Batches {
    /// Starts the thread. So many batches run or wait, of one tenant no more than `most_per_tenant`.
    pub(super) fn start(
        encoder: impl Embed,
        places: usize,
        most_per_tenant: usize,
    ) -> io::Result<Self> {
        let places = Arc::new(Places::new(places, most_per_tenant));
        let stopping = Arc::new(AtomicBool::new(false));
        let (inbox, batches) = mpsc::channel();
        let (open, stop) = (Arc::clone(&places), Arc::clone(&stopping));
        let thread = thread::Builder::new().name("engine".to_owned());
        let thread = thread.spawn(move || {
            let _closing = CloseOnDrop(open);
            run(encoder, &batches, &stop);
        })?;
        Ok(Self {
            places,
            stopping,
            inbox: Some(inbox),
            thread: Some(thread),
        })
    }

    /// A place for a batch of `tenant`: taken before anything is tokenized for it, so that whoever has no place costs nothing.
    pub(super) fn place(&self, tenant: TenantId) -> Result<Place, EngineError> {
        self.places.take(tenant)
    }

    /// Lets texts that can be encoded wait for their turn.
    pub(super) fn submit(
        &self,
        texts: Vec<Zeroizing<Vec<u32>>>,
        tenant: TenantId,
        place: Place,
    ) -> Result<oneshot::Receiver<Embeddings>, EngineError> {
        let (reply, receiver) = oneshot::channel();
        let batch = Batch {
            made: Embeddings::of(&texts),
            texts,
            reply,
            tenant,
            place,
        };
        let inbox = self.inbox.as_ref().ok_or(EngineError::Stopped)?;
        inbox.send(batch).map_err(|_| EngineError::Stopped)?;
        Ok(receiver)
    }

    /// How many more batches would be taken now.
    pub(super) fn capacity(&self) -> usize {
        self.places.free()
    }

    /// Why no more batches are taken, if so.
    pub(super) fn failure(&self) -> Option<&'static str> {
        self.places.failure()
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.inbox.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed its channels already.
            let _ = thread.join();
        }
    }
}

impl Embeddings {
    /// No vectors yet, of these texts.
    fn of(texts: &[Zeroizing<Vec<u32>>]) -> Self {
        let tokens: usize = texts.iter().map(|ids| ids.len()).sum();
        Self {
            vectors: Vec::with_capacity(texts.len()),
            prompt_tokens: u32::try_from(tokens).unwrap_or(u32::MAX),
        }
    }
}

/// Encodes until `stop` is set or nobody can submit any more.
fn run(mut encoder: impl Embed, inbox: &mpsc::Receiver<Batch>, stop: &AtomicBool) {
    let mut waiting: Queue<Batch> = Queue::new();
    while !stop.load(Ordering::Relaxed) {
        if waiting.is_empty() {
            let Ok(batch) = inbox.recv() else { return };
            waiting.push(batch.tenant, batch);
            take_in(inbox, &mut waiting);
        }
        waiting.retain(|batch| !batch.reply.is_closed());
        let turn = waiting.pop();
        let unfinished = turn.and_then(|batch| batch.turn(&mut encoder));
        // Who came meanwhile is before who had a turn.
        take_in(inbox, &mut waiting);
        if let Some(batch) = unfinished {
            waiting.push(batch.tenant, batch);
        }
    }
}

fn take_in(inbox: &mpsc::Receiver<Batch>, waiting: &mut Queue<Batch>) {
    inbox
        .try_iter()
        .for_each(|batch| waiting.push(batch.tenant, batch));
}

impl Batch {
    /// Encodes a few texts; gives the batch back while there are more.
    fn turn(mut self, encoder: &mut impl Embed) -> Option<Self> {
        let left = self.texts.iter().skip(self.made.vectors.len());
        let now = left.take(TEXTS_PER_TURN).map(|ids| ids.as_slice());
        let now: Vec<&[u32]> = now.collect();
        // Texts were checked when they were taken: what is refused here closes the channel, and so does what is no vector.
        let made = encoder.embed(&now).ok();
        let made = made.filter(|made| made.iter().flatten().all(|x| x.is_finite()));
        self.made.vectors.extend(made?);
        if self.made.vectors.len() < self.texts.len() {
            return Some(self);
        }
        // The place is free before anybody hears of the end.
        drop(self.place);
        // A receiver that went away does not hear it.
        let _ = self.reply.send(self.made);
        None
    }
}

#[cfg(test)]
mod tests;
