//! A file that is read piece by piece, from its first byte to its last: each piece into memory of its own, all of them into one digest.

use std::{
    fs::File,
    io::{Cursor, ErrorKind, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::FileError;

/// How much is read at once: small enough to be digested out of the cache.
const CHUNK_BYTES: usize = 256 << 10;

/// What is left of a file. Every byte is read once, so that what was digested is what is used.
pub(crate) struct Pieces<R> {
    source: R,
    /// Read and digested, then given back.
    ahead: Cursor<Vec<u8>>,
    hasher: Sha256,
    length: usize,
    left: usize,
}

impl Pieces<File> {
    /// The file at `path`, if it has at most `most_bytes`. What is added to it from now on is not read.
    pub(crate) fn open(path: &Path, most_bytes: u64) -> Result<Self, FileError> {
        let file = File::open(path)?;
        let announced = file.metadata()?.len();
        let length = usize::try_from(announced).ok();
        let length = length.filter(|_| announced <= most_bytes);
        let length = length.ok_or(FileError::TooLarge(announced))?;
        Ok(Self::new(file, length))
    }
}

impl Pieces<Cursor<Vec<u8>>> {
    /// A file in memory.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        Self::new(Cursor::new(bytes), length)
    }
}

impl<R: Read> Pieces<R> {
    fn new(source: R, length: usize) -> Self {
        Self {
            source,
            ahead: Cursor::default(),
            hasher: Sha256::new(),
            length,
            left: length,
        }
    }

    /// Bytes of the whole file.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Bytes that were not read yet.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The next bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<u8>, FileError> {
        let mut piece = Vec::new();
        self.append(&mut piece, count)?;
        Ok(piece)
    }

    /// Puts the next bytes behind others.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<(), FileError> {
        let left = self.left.checked_sub(count).ok_or(ENDS_EARLY)?;
        let too_large = FileError::TooLarge(self.length as u64);
        bytes.try_reserve_exact(count).map_err(|_| too_large)?;
        let mut missing = count - self.again(bytes, count)?;
        while missing > 0 {
            missing -= self.chunk(bytes, missing.min(CHUNK_BYTES))?;
        }
        self.left = left;
        Ok(())
    }

    /// Gives back the bytes that were read last: they are what is read next.
    pub(crate) fn give_back(&mut self, bytes: Vec<u8>) {
        self.left += bytes.len();
        self.ahead = Cursor::new(bytes);
    }

    /// Passes over what lies before byte `at`; it is digested and not kept.
    pub(crate) fn skip_to(&mut self, at: usize) -> Result<(), FileError> {
        let mut passed = Vec::new();
        while self.position() < at {
            passed.clear();
            let count = (at - self.position()).min(CHUNK_BYTES);
            self.append(&mut passed, count)?;
        }
        Ok(())
    }

    /// SHA-256 of the whole file, whose rest is not kept.
    pub(crate) fn finish(mut self) -> Result<[u8; 32], FileError> {
        self.skip_to(self.length)?;
        Ok(self.hasher.finalize().into())
    }

    fn position(&self) -> usize {
        self.length - self.left
    }

    /// Takes from what was given back; gives how much that was.
    fn again(&mut self, bytes: &mut Vec<u8>, most: usize) -> Result<usize, FileError> {
        let ahead = self.ahead.by_ref();
        Ok(ahead.take(most as u64).read_to_end(bytes)?)
    }

    /// Reads and digests at most so much; gives how much that was.
    fn chunk(&mut self, bytes: &mut Vec<u8>, most: usize) -> Result<usize, FileError> {
        let before = bytes.len();
        let source = self.source.by_ref();
        let read = source.take(most as u64).read_to_end(bytes)?;
        self.hasher.update(bytes.get(before..).unwrap_or_default());
        match read {
            0 => Err(ENDS_EARLY),
            read => Ok(read),
        }
    }
}

/// The file became shorter, or is asked for more than it has.
const ENDS_EARLY: FileError = FileError::Io(ErrorKind::UnexpectedEof);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file;

    #[test]
    fn bytes_are_digested_once_and_in_order() {
        let bytes: Vec<u8> = (0..600_000_u32).map(|at| (at % 251) as u8).collect();
        let mut pieces = Pieces::of(bytes.clone());
        let mut head = pieces.take(1000).unwrap();
        pieces.give_back(head.split_off(10));
        assert_eq!((pieces.left(), pieces.length()), (599_990, 600_000));
        assert_eq!(pieces.take(90).unwrap(), bytes[10..100]);
        pieces.skip_to(500).unwrap();
        assert_eq!(pieces.take(300_000).unwrap(), bytes[500..300_500]);
        assert_eq!(pieces.finish().unwrap(), file::digest(&bytes));
    }

    #[test]
    fn what_is_not_there_is_not_given() {
        let mut pieces = Pieces::of(b"abc".to_vec());
        assert_eq!(pieces.take(4), Err(ENDS_EARLY));
        assert_eq!(pieces.take(2).unwrap(), b"ab");
        assert_eq!(pieces.take(usize::MAX), Err(ENDS_EARLY));
        let shorter = Pieces::new(&b"abc"[..], 5);
        assert_eq!(shorter.finish(), Err(ENDS_EARLY));
    }
}
