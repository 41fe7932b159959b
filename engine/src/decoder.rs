//! The forward pass: tokens and a sequence's cache in, logits out.

mod block;
mod cache;
mod crew;
mod error;
mod heads;
mod scratch;

use std::{num::NonZeroUsize, sync::Arc, thread};

use kernels::{Isa, Pool, lanes::LANES, quantize::BLOCK, rope::Frequencies};

pub use cache::KvCache;
pub use error::DecoderError;

use crate::model::Model;
use block::Pass;
use crew::Crew;
use scratch::Scratch;

/// Most tokens that go through the blocks at once: their activations stay in a core's second-level cache.
const CHUNK_TOKENS: usize = 256;

/// Worker threads and their scratch memory. The logits are the same bits for any number of threads, any way of cutting a
/// sequence into calls of [`Decoder::forward`], and every instruction-set path.
pub struct Decoder {
    model: Arc<Model>,
    crew: Crew,
    frequencies: Frequencies,
    scratch: Scratch,
}

impl Decoder {
    /// Starts `threads` threads (the caller's counts as one; 0 means as many as there are cores).
    pub fn new(model: Arc<Model>, threads: usize) -> Self {
        Self::with_isa(model, threads, Isa::detect())
    }

    /// As [`Decoder::new`], on a given path.
    pub fn with_isa(model: Arc<Model>, threads: usize, isa: Isa) -> Self {
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = NonZeroUsize::new(threads).unwrap_or_else(cores);
        let config = model.config();
        Self {
            crew: Crew {
                isa,
                pool: Pool::new(threads),
            },
            frequencies: Frequencies::new(config.rope_base, config.head_width),
            scratch: Scratch::new(config, CHUNK_TOKENS),
            model,
        }
    }

    /// Appends `tokens` to the sequence; gives the logits after the last of them, one for each token of the vocabulary.
    pub fn forward(&mut self, tokens: &[u32], cache: &mut KvCache) -> Result<&[f32], DecoderError> {
        self.check(tokens, cache)?;
        let mut last_chunk = 0;
        for chunk in tokens.chunks(CHUNK_TOKENS) {
            self.chunk(chunk, cache);
            last_chunk = chunk.len();
        }
        self.output(last_chunk);
        Ok(&self.scratch.logits)
    }

    /// Instruction-set path in use.
    pub fn isa(&self) -> &'static str {
        self.crew.isa.name()
    }

    fn check(&self, tokens: &[u32], cache: &KvCache) -> Result<(), DecoderError> {
        let vocabulary = self.model.config().vocabulary;
        if tokens.is_empty() {
            return Err(DecoderError::Empty);
        }
        if tokens.iter().any(|token| *token as usize >= vocabulary) {
            return Err(DecoderError::UnknownToken);
        }
        cache.check(self.model.config(), tokens.len())
    }

    /// Sends tokens through all blocks.
    fn chunk(&mut self, tokens: &[u32], cache: &mut KvCache) {
        let first = cache.len();
        self.embed(tokens);
        self.turn(first, tokens.len());
        let mut pass = Pass {
            config: self.model.config(),
            crew: &mut self.crew,
            buffers: self.scratch.buffers(tokens.len()),
            first,
            tokens: tokens.len(),
        };
        for (index, layer) in self.model.weights().layers.iter().enumerate() {
            pass.block(layer, cache.layer(index));
        }
        cache.extend(tokens.len());
    }

    /// Rows of the embedding to the residual stream, `[panel][token][16]`.
    fn embed(&mut self, tokens: &[u32]) {
        let embedding = &self.model.weights().embedding;
        let buffers = self.scratch.buffers(tokens.len());
        let row = &mut *buffers.row;
        for (at, token) in tokens.iter().enumerate() {
            embedding.row(*token as usize, row);
            let places = buffers.stream.as_chunks_mut::<LANES>().0;
            let places = places.iter_mut().skip(at).step_by(tokens.len());
            for (place, values) in places.zip(row.as_chunks::<LANES>().0) {
                *place = *values;
            }
        }
    }

    /// Cosines and sines of the chunk's positions.
    fn turn(&mut self, first: usize, tokens: usize) {
        let turns = self.scratch.buffers(tokens).turns;
        let rows = turns.chunks_exact_mut(self.model.config().head_width);
        rows.enumerate()
            .for_each(|(at, row)| self.frequencies.turn(first + at, row));
    }

    /// Logits after the last of the chunk's tokens.
    fn output(&mut self, tokens: usize) {
        let (weights, config) = (self.model.weights(), self.model.config());
        let (buffers, logits) = self.scratch.with_logits(tokens);
        let pass = Pass {
            config,
            crew: &mut self.crew,
            buffers,
            first: 0,
            tokens,
        };
        pass.logits(weights, logits);
    }
}

/// Blocks of a token's activations.
fn blocks(columns: usize) -> usize {
    columns / BLOCK
}
