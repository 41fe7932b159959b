//! A sealed model's matrices, deciphered where they are computed with (docs/sealed-models.md, "On a device").
//!
//! Ciphertext that somebody else verified goes up segment by segment; the device deciphers a tensor, and packs its rows into panels. No row of a
//! matrix leaves the device, but for the few that are held against the CPU's in the end.

mod check;
mod error;
mod jobs;
mod stage;

use engine::{
    gguf::{Gguf, ModelBytes, Unreadable},
    local::{Backend, Capacity, LoadError},
    model::{Model, PlacedMatrix},
};
use std::sync::Arc;

pub use error::DecipherError;

use crate::{
    Arithmetic, Device, GpuBackend, GpuDecoder, arena::Arena, operations::DeviceMatrix,
    weights::DeviceWeights,
};
use jobs::Job;
use stage::Stage;

/// The cipher works on blocks of so many bytes.
const BLOCK_BYTES: usize = 16;

/// A sealed model file whose segments are verified before they are given out.
pub trait SealedSource: ModelBytes {
    /// Lends the key of the segments, and wipes it.
    fn lend_key(&mut self, usage: &mut dyn FnMut(&[u8; 32])) -> Result<(), Unreadable>;

    /// The next segment, in the order of the file; None after the last.
    fn next_verified(&mut self) -> Result<Option<VerifiedSegment<'_>>, Unreadable>;

    /// Whether all that was given out is the file that its owner signed.
    fn finish(&mut self) -> Result<(), Unreadable>;
}

/// Ciphertext that is genuine: AES-256 in counter mode.
pub struct VerifiedSegment<'a> {
    /// Where in the file it begins, a multiple of 16.
    pub offset: u64,
    /// The same for all of it.
    pub nonce: [u8; 12],
    /// Of its first sixteen bytes.
    pub first_counter: u32,
    /// As long as its plaintext.
    pub bytes: &'a [u8],
}

/// A device that passed its self-test and deciphers the model that `source` holds.
pub struct DecipheringBackend<'a, D: Device> {
    backend: &'a GpuBackend<D>,
    source: &'a mut dyn SealedSource,
}

impl<D: Device> GpuBackend<D> {
    /// Whether the device deciphers a file of this header: in the exact arithmetic, if tensors begin with a block of the cipher and none lies in
    /// another. What others wrote does.
    pub fn deciphers(&self, gguf: &Gguf) -> bool {
        let places = gguf.tensor_names().map(|name| gguf.place(name));
        let ranges = places.map(|place| place.map(|place| place.range));
        let ranges = ranges.collect::<Result<Vec<_>, _>>();
        self.arithmetic() == Arithmetic::Exact && ranges.is_ok_and(jobs::follow_each_other)
    }

    /// The same device, deciphering what `source` holds.
    pub fn deciphering<'a>(
        &'a self,
        source: &'a mut dyn SealedSource,
    ) -> DecipheringBackend<'a, D> {
        DecipheringBackend {
            backend: self,
            source,
        }
    }
}

impl<D: Device> Backend<PlacedMatrix> for DecipheringBackend<'_, D> {
    type Forward = GpuDecoder<D>;

    fn start(
        self,
        model: &Arc<Model<PlacedMatrix>>,
        capacity: Capacity,
    ) -> Result<GpuDecoder<D>, LoadError> {
        if self.backend.arithmetic() != Arithmetic::Exact {
            return Err(DecipherError::Arithmetic.into());
        }
        let mut arena = Arena::new(self.backend.device());
        let on_device = decipher(&mut arena, model, self.source)?;
        let (config, context_tokens) = (model.config(), capacity.context_tokens);
        let weights = DeviceWeights::upload(&mut arena, &on_device, context_tokens);
        let decoder =
            weights.and_then(|weights| GpuDecoder::exact_with(arena, &weights, config, capacity));
        Ok(decoder.map_err(DecipherError::Device)?)
    }

    fn mode(&self) -> &'static str {
        self.backend.mode()
    }

    fn isa(&self) -> &'static str {
        self.backend.isa()
    }
}

/// Brings all matrices up; what passes through the device's memory on the way is wiped in any case.
fn decipher<D: Device>(
    arena: &mut Arena<D>,
    model: &Model<PlacedMatrix>,
    source: &mut dyn SealedSource,
) -> Result<Model<DeviceMatrix>, DecipherError> {
    let mut jobs = Vec::new();
    let on_device = model.with_matrices(|placed| {
        let formats = placed.formats();
        let matrix = DeviceMatrix::room(arena, formats, placed.blocks_per_row())?;
        jobs.extend(jobs::of(placed, &matrix)?);
        Ok::<_, DecipherError>(matrix)
    })?;
    jobs.sort_unstable_by_key(Job::start);
    if !jobs::follow_each_other(jobs.iter().map(Job::range).collect()) {
        return Err(DecipherError::Layout);
    }
    let stage = Stage::new(arena.device(), &jobs, source)?;
    stage.run(&jobs, source)?;
    // A fault of the device's is told before one of the model's, which it may be the cause of.
    check::check(&**arena.device(), &jobs, source)?;
    stage.check_finite(&jobs)?;
    Ok(on_device)
}
