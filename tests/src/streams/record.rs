//! What a synthetic stream is made of: records as long as sealed ones, whose reader knows every byte beforehand.

use protocol::padding::RECORD_LEN;

/// Bytes of one record on the wire: a length of two bytes, the padded text, the tag.
pub const RECORD_BYTES: usize = 2 + RECORD_LEN + 16;
/// The length as a varint of two bytes (RFC 9000 section 16).
const PREFIX: [u8; 2] = ((RECORD_LEN as u16 + 16) | 0x4000).to_be_bytes();

/// Whether anything comes after a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Within = 0,
    Last = 1,
}

/// Record `index` of `stream`; all that follows from these is scrambled, so that no two records have much in common.
pub(super) fn record(stream: u64, index: u64, place: Place) -> Vec<u8> {
    let mut bytes = PREFIX.to_vec();
    let mut state = [stream, index, place as u64];
    bytes.extend(state.iter().flat_map(|word| word.to_le_bytes()));
    while bytes.len() < RECORD_BYTES {
        state = [state[1], state[2], scramble(state)];
        bytes.extend(state[2].to_le_bytes());
    }
    bytes.truncate(RECORD_BYTES);
    bytes
}

fn scramble([a, b, c]: [u64; 3]) -> u64 {
    let mixed = a.rotate_left(17) ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ c;
    mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29)
}

/// Why a stream is not the one that was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamFault {
    #[error("a record is changed, lost, doubled or out of its order")]
    Changed,
    #[error("the stream ended before its last record")]
    Truncated,
    #[error("the stream goes on after its last record")]
    AfterEnd,
}

/// Reads one stream that comes in pieces, and holds it against what must come.
#[derive(Default)]
pub(super) struct RecordReader {
    piece: Vec<u8>,
    stream: Option<u64>,
    read: u64,
    ended: bool,
}

impl RecordReader {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), StreamFault> {
        self.piece.extend_from_slice(bytes);
        while self.piece.len() >= RECORD_BYTES {
            let rest = self.piece.split_off(RECORD_BYTES);
            let record = std::mem::replace(&mut self.piece, rest);
            self.accept(&record)?;
        }
        Ok(())
    }

    fn accept(&mut self, got: &[u8]) -> Result<(), StreamFault> {
        if self.ended {
            return Err(StreamFault::AfterEnd);
        }
        let named = got.get(2..10).and_then(|id| id.try_into().ok());
        let named = u64::from_le_bytes(named.ok_or(StreamFault::Changed)?);
        let stream = *self.stream.get_or_insert(named);
        let expected = |place| got == record(stream, self.read, place);
        self.ended = expected(Place::Last);
        if !self.ended && !expected(Place::Within) {
            return Err(StreamFault::Changed);
        }
        self.read += 1;
        Ok(())
    }

    /// Records read so far.
    pub(super) const fn records(&self) -> u64 {
        self.read
    }

    /// The stream has ended: its number and its records.
    pub(super) fn finish(self) -> Result<(u64, u64), StreamFault> {
        match self.stream {
            Some(stream) if self.ended && self.piece.is_empty() => Ok((stream, self.read)),
            _ => Err(StreamFault::Truncated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<(u64, u64), StreamFault> {
        let mut reader = RecordReader::default();
        pieces.iter().try_for_each(|piece| reader.push(piece))?;
        reader.finish()
    }

    #[test]
    fn a_stream_is_read_whole_or_refused() {
        let (first, last) = (record(7, 0, Place::Within), record(7, 1, Place::Last));
        let stream = [first.clone(), last.clone()].concat();
        assert_eq!(stream.len(), 2 * RECORD_BYTES);
        assert_eq!(read(&[&stream[..700], &stream[700..]]).unwrap(), (7, 2));
        for at in 2..stream.len() {
            let mut changed = stream.clone();
            changed[at] ^= 1;
            assert!(read(&[&changed]).is_err(), "byte {at}");
            assert!(read(&[&stream[..at]]).is_err(), "cut at {at}");
        }
        let (twice, swapped) = ([&first, &first, &last], [&last, &first]);
        assert!(read(&twice.map(Vec::as_slice)).is_err());
        assert!(read(&swapped.map(Vec::as_slice)).is_err());
        assert!(read(&[&stream, &first]).is_err());
        assert!(read(&[&record(7, 0, Place::Last), &record(8, 1, Place::Last)]).is_err());
    }
}
