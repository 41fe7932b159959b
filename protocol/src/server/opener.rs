//! Opens one envelope: header, encapsulation, chunks.

use super::{KeyEpoch, Plaintext, ReceiverError, Responder, intake::Intake};
use crate::{
    chunk::ChunkOpener,
    crypto::{exactly, sha256},
    envelope::{HEADER_LEN, Header},
    hpke::{self, Exporter},
};
use std::sync::Arc;

/// Opens one envelope, chunk by chunk.
pub struct RequestOpener {
    epoch: Arc<KeyEpoch>,
    preamble: Vec<u8>,
    channel: Option<Channel>,
    intake: Intake,
    failed: Option<ReceiverError>,
}

/// What the preamble opened.
struct Channel {
    header: Header,
    enc: Vec<u8>,
    chunks: ChunkOpener,
    exporter: Exporter,
    reserved: bool,
}

impl RequestOpener {
    pub(super) fn new(epoch: Arc<KeyEpoch>, max_request_bytes: usize) -> Self {
        Self {
            epoch,
            preamble: Vec::new(),
            channel: None,
            intake: Intake::new(max_request_bytes),
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
        reserve(&self.epoch, &channel.enc, &mut channel.reserved)?;
        self.intake.accept(text)?;
        let plaintext = self.intake.finish()?;
        let suite = channel.header.suite;
        let responder = Responder::new(&channel.exporter, suite.aead, &channel.enc, &plaintext);
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
            reserve(&self.epoch, &channel.enc, &mut channel.reserved)?;
            self.intake.accept(text)?;
        }
        Ok(())
    }

    fn read_preamble(&mut self, input: &mut &[u8]) -> Result<Option<Channel>, ReceiverError> {
        let Some(header) = gather(&mut self.preamble, HEADER_LEN, input) else {
            return Ok(None);
        };
        let header = exactly(header).ok_or(ReceiverError::Header)?;
        let header = self.epoch.accept(header)?;
        let length = HEADER_LEN + header.suite.kem.enc_len();
        let Some(preamble) = gather(&mut self.preamble, length, input) else {
            return Ok(None);
        };
        let enc = preamble.get(HEADER_LEN..).unwrap_or_default();
        self.epoch.channel(header, enc).map(Some)
    }
}

impl KeyEpoch {
    /// The header, if it names this epoch's key and a suite that is offered.
    fn accept(&self, header: [u8; HEADER_LEN]) -> Result<Header, ReceiverError> {
        let [key_id, ..] = header;
        if key_id != self.key_id {
            return Err(ReceiverError::UnknownKey);
        }
        let header = Header::parse(header).ok_or(ReceiverError::Header)?;
        let offered = self.secret(&header).is_some();
        offered.then_some(header).ok_or(ReceiverError::Header)
    }

    fn channel(&self, header: Header, enc: &[u8]) -> Result<Channel, ReceiverError> {
        let secret = self.secret(&header).ok_or(ReceiverError::Header)?;
        let context = hpke::setup_receiver(header.suite, secret, enc, &header.info())
            .map_err(|_| ReceiverError::Header)?;
        Ok(Channel {
            header,
            enc: enc.to_vec(),
            chunks: ChunkOpener::new(context.aead),
            exporter: context.exporter,
            reserved: false,
        })
    }
}

/// Reserves the encapsulation in the replay set, once per envelope.
fn reserve(epoch: &KeyEpoch, enc: &[u8], reserved: &mut bool) -> Result<(), ReceiverError> {
    if !*reserved {
        epoch.replay.reserve(sha256(enc))?;
        *reserved = true;
    }
    Ok(())
}

/// Moves bytes from `input` until `buffer` holds at least `length`; its first `length` bytes once it does.
fn gather<'a>(buffer: &'a mut Vec<u8>, length: usize, input: &mut &[u8]) -> Option<&'a [u8]> {
    let missing = length.saturating_sub(buffer.len()).min(input.len());
    let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
    buffer.extend_from_slice(taken);
    *input = rest;
    buffer.get(..length)
}
