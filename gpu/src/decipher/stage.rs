//! Where tensors pass through a device's memory: ciphertext goes up, is deciphered in place, and packed into panels elsewhere.

use std::{ops::Range, sync::Arc};

use engine::model::ModelError;
use kernels::matmul::PackError;

use super::{BLOCK_BYTES, DecipherError, SealedSource, VerifiedSegment, jobs::Job};
use crate::{
    Device, DeviceError, Memory,
    arena::Arena,
    operations::{CipherSegment, Decipher, ExpandKey, KEY_BYTES, PLANES_BYTES, SEGMENT_BYTES},
};

/// Room for the largest tensor and for the key; wiped when dropped.
pub(super) struct Stage<D: Device> {
    arena: Arena<D>,
    text: Memory,
    /// One [`CipherSegment`].
    segment: Memory,
    /// The expanded key.
    planes: Memory,
    /// `u32` for each tensor: 1 where a number is not finite.
    not_finite: Memory,
}

impl<D: Device> Stage<D> {
    /// Takes the key up, where it is expanded; as it was lent it is wiped at once.
    pub(super) fn new(
        device: &Arc<D>,
        jobs: &[Job],
        source: &mut dyn SealedSource,
    ) -> Result<Self, DecipherError> {
        let mut arena = Arena::new(device);
        let largest = jobs.iter().map(Job::bytes).max().unwrap_or(0);
        let stage = Self {
            text: arena.bytes(largest)?,
            segment: arena.bytes(SEGMENT_BYTES)?,
            planes: arena.bytes(PLANES_BYTES)?,
            not_finite: arena.words(jobs.len())?,
            arena,
        };
        stage.expand_key(source)?;
        Ok(stage)
    }

    fn expand_key(&self, source: &mut dyn SealedSource) -> Result<(), DecipherError> {
        let (device, planes) = (self.arena.device(), self.planes);
        let mut scratch = Arena::new(device);
        let key = scratch.bytes(KEY_BYTES)?;
        let mut lent = Err(DeviceError::Plan);
        source.lend_key(&mut |bytes| lent = device.upload(key, bytes))?;
        lent?;
        Ok(device.launch(&ExpandKey { key, planes }.launch())?)
    }

    /// Deciphers and packs all tensors, which follow each other in the file as the jobs do.
    pub(super) fn run(
        &self,
        jobs: &[Job],
        source: &mut dyn SealedSource,
    ) -> Result<(), DecipherError> {
        let mut next = 0;
        while let Some(segment) = source.next_verified()? {
            let end = segment.offset + segment.bytes.len() as u64;
            let begins = |job: &&Job| (job.start() as u64) < end;
            while let Some(job) = jobs.get(next).filter(begins) {
                self.decipher(job, &segment)?;
                if job.range().end as u64 > end {
                    // The next segment has more of it.
                    break;
                }
                self.pack(next, job)?;
                next += 1;
            }
        }
        match next == jobs.len() {
            true => Ok(source.finish()?),
            false => Err(DecipherError::Ended),
        }
    }

    /// Deciphers what a segment has of a tensor.
    fn decipher(&self, job: &Job, segment: &VerifiedSegment<'_>) -> Result<(), DecipherError> {
        let range = job.range();
        let offset = usize::try_from(segment.offset).map_err(|_| DecipherError::Layout)?;
        let common = range.start.max(offset)..range.end.min(offset + segment.bytes.len());
        let (from, to) = (common.start.checked_sub(offset), common.start - range.start);
        let from = from.filter(|from| from.is_multiple_of(BLOCK_BYTES));
        let from = from.ok_or(DecipherError::Layout)?;
        let bytes = segment.bytes.get(from..from + common.len());
        let bytes = bytes.ok_or(DecipherError::Ended)?;
        let blocks = u32::try_from(from / BLOCK_BYTES).map_err(|_| DecipherError::Layout)?;
        let piece = CipherSegment {
            offset: to,
            bytes: bytes.len(),
            counter: segment.first_counter.wrapping_add(blocks),
            nonce: segment.nonce,
        };
        Ok(self.launch(piece, bytes)?)
    }

    fn launch(&self, piece: CipherSegment, bytes: &[u8]) -> Result<(), DeviceError> {
        let device = self.arena.device();
        device.upload(self.text.part(piece.offset, piece.bytes), bytes)?;
        device.upload(self.segment, &piece.to_bytes())?;
        let decipher = Decipher {
            text: self.text,
            segments: self.segment,
            planes: self.planes,
            count: 1,
            longest: piece.bytes,
        };
        device.launch(&decipher.launch())
    }

    fn pack(&self, index: usize, job: &Job) -> Result<(), DeviceError> {
        let not_finite = self.flag(index..index + 1);
        let mut packs = job.packs(self.text, not_finite);
        packs.try_for_each(|pack| self.arena.device().launch(&pack.launch()))
    }

    fn flag(&self, jobs: Range<usize>) -> Memory {
        self.not_finite.part(4 * jobs.start, 4 * jobs.len())
    }

    /// Refuses what a CPU refuses.
    pub(super) fn check_finite(&self, jobs: &[Job]) -> Result<(), DecipherError> {
        let mut flags = vec![0; 4 * jobs.len()];
        self.arena.device().download(self.not_finite, &mut flags)?;
        let mut flagged = jobs.iter().zip(flags.as_chunks::<4>().0);
        match flagged.find(|(_, flag)| **flag != [0; 4]) {
            None => Ok(()),
            Some((job, _)) => Err(DecipherError::Model(ModelError::Pack {
                name: job.part.name.clone(),
                reason: PackError::NotFinite,
            })),
        }
    }
}
