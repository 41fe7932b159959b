//! A sealed answer on its way out, and when what of it leaves: at once without padding, on a beat with it.

use crate::beat::Beat;
use bytes::Bytes;
use protocol::{
    Form, PaddingProfile, Responder, SignedReceipt,
    padding::{RECORD_LEN, SEALED_RECORD_LEN},
};
use std::time::Duration;
use tokio::sync::mpsc;

/// The client went away, or the form of its request cannot hold the answer: there is nothing more to send.
pub(crate) struct Gone;

/// What ended a wait.
pub(crate) enum Woken<T> {
    /// What was waited for.
    Event(T),
    /// A flush is due.
    Tick,
}

/// Seals an answer and sends it.
pub(crate) struct Outgoing {
    pub(crate) responder: Responder,
    chunks: mpsc::Sender<Bytes>,
    padding: PaddingProfile,
    flush_interval: Duration,
    beat: Beat,
}

impl Outgoing {
    pub(crate) fn new(
        responder: Responder,
        chunks: mpsc::Sender<Bytes>,
        padding: PaddingProfile,
        flush_interval: Duration,
    ) -> Self {
        Self {
            responder,
            chunks,
            padding,
            flush_interval,
            beat: Beat::default(),
        }
    }

    /// Sends the sealed head; with padding it waits for the first record.
    pub(crate) async fn head(
        &mut self,
        status: u16,
        headers: &[(&str, &[u8])],
    ) -> Result<(), Gone> {
        let sealed = self.responder.head(status, headers);
        self.send(sealed).await
    }

    /// Seals and sends a part of the body; with padding it waits for a flush or the end.
    pub(crate) async fn body(&mut self, part: &[u8]) -> Result<(), Gone> {
        let sealed = self.responder.body(part);
        self.send(sealed).await
    }

    /// Sends the records of a padded stream that are due; the first flush starts its beat.
    pub(crate) async fn flush(&mut self) -> Result<(), Gone> {
        let mut sealed = Vec::new();
        self.responder.flush_into(&mut sealed);
        if self.padding != PaddingProfile::Off && !self.beat.is_started() {
            self.beat.start(self.flush_interval);
        }
        self.send(sealed).await
    }

    /// Whether there is a beat, between whose ticks nothing is sent.
    pub(crate) const fn keeps_beat(&self) -> bool {
        self.beat.is_started()
    }

    /// Whether what waits fills the next record already.
    pub(crate) fn is_behind(&self) -> bool {
        self.responder.waiting() >= RECORD_LEN
    }

    /// Waits for `event`, for the next tick, or for the client to go.
    pub(crate) async fn wait<T>(
        &mut self,
        event: impl Future<Output = T>,
    ) -> Result<Woken<T>, Gone> {
        tokio::select! {
            biased;
            () = self.chunks.closed() => Err(Gone),
            () = self.beat.tick() => Ok(Woken::Tick),
            event = event => Ok(Woken::Event(event)),
        }
    }

    /// Sends the receipt and the authenticated end: at the next tick where there is a beat, under `strict` a record at each.
    pub(crate) async fn finish(mut self, receipt: &SignedReceipt) -> Result<(), Gone> {
        let chunked = self.responder.form() == Form::Chunked;
        let mut left = Bytes::from(self.responder.finish(receipt));
        let step = match self.padding {
            PaddingProfile::Strict if self.beat.is_started() && chunked => SEALED_RECORD_LEN,
            _ => left.len(),
        };
        while !left.is_empty() {
            if self.beat.is_started() {
                self.beat.tick().await;
            }
            let part = left.split_to(step.min(left.len()));
            self.chunks.send(part).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    async fn send(&self, sealed: Vec<u8>) -> Result<(), Gone> {
        if self.responder.is_broken() {
            return Err(Gone);
        }
        if sealed.is_empty() {
            return Ok(());
        }
        self.chunks.send(sealed.into()).await.map_err(|_| Gone)
    }
}
