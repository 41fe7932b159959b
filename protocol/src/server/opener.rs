//! Opens one envelope: header, encapsulation, chunks.

use super::{
    Plaintext, ReceiverError, Responder, Terms,
    epoch::{KeyEpoch, OpenEpochs, Reservation},
    intake::Intake,
    responder::RespondTo,
};
use crate::{
    Form, PaddingProfile,
    chunk::ChunkOpener,
    crypto::exactly,
    envelope::{HEADER_LEN, Header},
    hpke::Exporter,
};
use std::sync::Arc;

/// Opens one envelope, chunk by chunk.
pub struct RequestOpener {
    form: Form,
    epochs: Arc<OpenEpochs>,
    padding: PaddingProfile,
    preamble: Vec<u8>,
    channel: Option<Channel>,
    intake: Intake,
    failed: Option<ReceiverError>,
}

/// What the preamble opened.
struct Channel {
    form: Form,
    header: Header,
    enc: Vec<u8>,
    chunks: ChunkOpener,
    exporter: Exporter,
    reservation: Reservation,
}

impl RequestOpener {
    pub(super) fn new(form: Form, epochs: Arc<OpenEpochs>, terms: Terms) -> Self {
        Self {
            form,
            epochs,
            padding: terms.padding,
            preamble: Vec::new(),
            channel: None,
            intake: Intake::new(terms),
            failed: None,
        }
    }

    /// Takes the next bytes of the envelope, cut anywhere. Replay is reserved once the first chunk has authenticated.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ReceiverError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.read(bytes);
        self.failed = result.err();
        result
    }

    /// The envelope has ended: the whole request, and what seals its answer.
    pub fn finish(mut self) -> Result<(Plaintext, Responder), ReceiverError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut channel = self.channel.ok_or(ReceiverError::Truncated)?;
        let text = channel.chunks.finish()?;
        channel.reservation.hold(&channel.enc)?;
        self.intake.accept(text)?;
        let plaintext = self.intake.finish()?;
        let responder = Responder::new(&channel.respond_to(self.padding), &plaintext);
        Ok((plaintext, responder))
    }

    fn read(&mut self, mut input: &[u8]) -> Result<(), ReceiverError> {
        if self.channel.is_none() {
            self.channel = self.read_preamble(&mut input)?;
        }
        let Some(channel) = &mut self.channel else {
            return Ok(());
        };
        while let Some(text) = channel.chunks.next(&mut input)? {
            channel.reservation.hold(&channel.enc)?;
            self.intake.accept(text)?;
        }
        Ok(())
    }

    fn read_preamble(&mut self, input: &mut &[u8]) -> Result<Option<Channel>, ReceiverError> {
        let Some(header) = gather(&mut self.preamble, HEADER_LEN, input) else {
            return Ok(None);
        };
        let header: [u8; HEADER_LEN] = exactly(header).ok_or(ReceiverError::Header)?;
        let [key_id, ..] = header;
        // Asked for anew with every piece: the epoch may end while the encapsulation comes in.
        let epoch = self.epochs.named(key_id)?;
        let header = epoch.accept(header)?;
        let length = HEADER_LEN + header.suite.kem.enc_len();
        let Some(preamble) = gather(&mut self.preamble, length, input) else {
            return Ok(None);
        };
        let enc = preamble.get(HEADER_LEN..).unwrap_or_default();
        Channel::open(&epoch, self.form, header, enc).map(Some)
    }
}

impl Channel {
    fn open(
        epoch: &KeyEpoch,
        form: Form,
        header: Header,
        enc: &[u8],
    ) -> Result<Self, ReceiverError> {
        let context = epoch.context(form, &header, enc)?;
        Ok(Self {
            form,
            header,
            enc: enc.to_vec(),
            chunks: ChunkOpener::in_form(form, context.aead),
            exporter: context.exporter,
            reservation: epoch.reservation(),
        })
    }

    fn respond_to(&self, padding: PaddingProfile) -> RespondTo<'_> {
        RespondTo {
            form: self.form,
            exporter: &self.exporter,
            aead: self.header.suite.aead,
            enc: self.enc.as_slice(),
            epoch: self.reservation.epoch(),
            padding,
        }
    }
}

/// Moves bytes from `input` until `buffer` holds at least `length`; its first `length` bytes once it does.
fn gather<'a>(buffer: &'a mut Vec<u8>, length: usize, input: &mut &[u8]) -> Option<&'a [u8]> {
    let missing = length.saturating_sub(buffer.len()).min(input.len());
    let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
    buffer.extend_from_slice(taken);
    *input = rest;
    buffer.get(..length)
}
