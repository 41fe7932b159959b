//! Opens one envelope: header, encapsulation, chunks.

use super::{
    KeyEpoch, Plaintext, ReceiverError, Responder, Terms, intake::Intake, responder::RespondTo,
};
use crate::{
    chunk::ChunkOpener,
    crypto::exactly,
    envelope::{HEADER_LEN, Header},
    hpke::{self, Exporter},
};
use std::sync::Arc;

/// Opens one envelope, chunk by chunk.
pub struct RequestOpener {
    epochs: Vec<Arc<KeyEpoch>>,
    preamble: Vec<u8>,
    channel: Option<Channel>,
    intake: Intake,
    failed: Option<ReceiverError>,
}

/// What the preamble opened.
struct Channel {
    epoch: Arc<KeyEpoch>,
    header: Header,
    enc: Vec<u8>,
    chunks: ChunkOpener,
    exporter: Exporter,
    reserved: bool,
}

impl RequestOpener {
    pub(super) fn new(epochs: Vec<Arc<KeyEpoch>>, terms: Terms) -> Self {
        Self {
            epochs,
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
        channel
            .epoch
            .reserve_once(&channel.enc, &mut channel.reserved)?;
        self.intake.accept(text)?;
        let plaintext = self.intake.finish()?;
        let responder = Responder::new(&channel.respond_to(), &plaintext);
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
            channel
                .epoch
                .reserve_once(&channel.enc, &mut channel.reserved)?;
            self.intake.accept(text)?;
        }
        Ok(())
    }

    fn read_preamble(&mut self, input: &mut &[u8]) -> Result<Option<Channel>, ReceiverError> {
        let Some(header) = gather(&mut self.preamble, HEADER_LEN, input) else {
            return Ok(None);
        };
        let header = exactly(header).ok_or(ReceiverError::Header)?;
        let (epoch, header) = self.accept(header)?;
        let length = HEADER_LEN + header.suite.kem.enc_len();
        let Some(preamble) = gather(&mut self.preamble, length, input) else {
            return Ok(None);
        };
        let enc = preamble.get(HEADER_LEN..).unwrap_or_default();
        KeyEpoch::channel(&epoch, header, enc).map(Some)
    }

    /// The epoch that the header's key id names, and the header.
    fn accept(&self, header: [u8; HEADER_LEN]) -> Result<(Arc<KeyEpoch>, Header), ReceiverError> {
        let [key_id, ..] = header;
        let named = self.epochs.iter().find(|epoch| epoch.key_id == key_id);
        let epoch = named.ok_or(ReceiverError::UnknownKey)?;
        Ok((Arc::clone(epoch), epoch.accept(header)?))
    }
}

impl KeyEpoch {
    /// The header, if it names a suite that this epoch offers.
    fn accept(&self, header: [u8; HEADER_LEN]) -> Result<Header, ReceiverError> {
        let header = Header::parse(header).ok_or(ReceiverError::Header)?;
        let offered = self.secret(&header).is_some();
        offered.then_some(header).ok_or(ReceiverError::Header)
    }

    fn channel(epoch: &Arc<Self>, header: Header, enc: &[u8]) -> Result<Channel, ReceiverError> {
        let secret = epoch.secret(&header).ok_or(ReceiverError::Header)?;
        let context = hpke::setup_receiver(header.suite, secret, enc, &header.info())
            .map_err(|_| ReceiverError::Header)?;
        Ok(Channel {
            epoch: Arc::clone(epoch),
            header,
            enc: enc.to_vec(),
            chunks: ChunkOpener::new(context.aead),
            exporter: context.exporter,
            reserved: false,
        })
    }

    /// Reserves the encapsulation in the replay set, once per envelope.
    fn reserve_once(&self, enc: &[u8], reserved: &mut bool) -> Result<(), ReceiverError> {
        if !*reserved {
            self.reserve(enc)?;
            *reserved = true;
        }
        Ok(())
    }
}

impl Channel {
    fn respond_to(&self) -> RespondTo<'_> {
        RespondTo {
            exporter: &self.exporter,
            aead: self.header.suite.aead,
            enc: self.enc.as_slice(),
            epoch: self.epoch.number(),
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
