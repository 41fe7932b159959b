//! The forward pass: tokens of some sequences and their pages in, logits out.

mod batch;
mod block;
mod cache;
pub(crate) mod crew;
mod error;
mod head;
mod heads;
mod pool;
mod scratch;

use std::{num::NonZeroUsize, slice::ChunksExact, sync::Arc, thread};

use kernels::{Isa, Pool, lanes::LANES, quantize::BLOCK, rope::Frequencies};

pub use batch::{Part, Row};
pub use cache::KvCache;
pub use error::DecoderError;
pub use pool::{HostPages, KvPool, KvTable, NotWiped, PAGE_TOKENS, PageMemory, Pages};

#[cfg(test)]
pub(crate) use pool::Shape;

use crate::model::{Model, ModelConfig};
use batch::Batch;
use block::Pass;
use crew::Crew;
use scratch::{Scratch, part};

/// Most tokens of a step: their activations stay in a core's second-level cache.
pub const MAX_STEP_TOKENS: usize = 256;

/// Worker threads and their scratch memory. The logits of a sequence are the same bits for any number of threads, any way of
/// cutting it into steps, any company in a step, and every instruction-set path.
pub struct Decoder {
    model: Arc<Model>,
    crew: Crew,
    frequencies: Frequencies,
    /// Those of layers with a sliding window, where they have others.
    local_frequencies: Option<Frequencies>,
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
            frequencies: model.frequencies(),
            local_frequencies: model.local_frequencies(),
            scratch: Scratch::new(config, MAX_STEP_TOKENS),
            model,
        }
    }

    /// Appends to each sequence its tokens; gives the logits of those sequences that want them, in their order, one for each
    /// token of the vocabulary.
    pub fn step(
        &mut self,
        pool: &mut KvPool,
        parts: &mut [Part<'_>],
    ) -> Result<ChunksExact<'_, f32>, DecoderError> {
        pool.check(self.model.config())?;
        check_parts(self.model.config(), parts)?;
        let wanted = self.pass(pool, parts);
        for part in parts {
            part.table.extend(part.tokens.len());
        }
        Ok(self.scratch.logits(wanted))
    }

    /// Appends `tokens` to a sequence with a pool of its own, in as many steps as it takes; gives the logits after the last.
    pub fn forward(&mut self, tokens: &[u32], cache: &mut KvCache) -> Result<&[f32], DecoderError> {
        check_tokens(self.model.config(), tokens)?;
        cache.pool.check(self.model.config())?;
        cache.reserve(tokens.len())?;
        let mut left = tokens.len();
        for tokens in tokens.chunks(MAX_STEP_TOKENS) {
            left -= tokens.len();
            let part = Part {
                tokens,
                table: &mut cache.table,
                wants_logits: left == 0,
            };
            self.step(&mut cache.pool, &mut [part]).map(drop)?;
        }
        let logits = self.scratch.logits(1).next();
        logits.ok_or(DecoderError::Empty)
    }

    /// Instruction-set path in use.
    pub fn isa(&self) -> &'static str {
        self.crew.isa.name()
    }

    /// Sends tokens through all blocks; gives how many rows of logits there are.
    fn pass(&mut self, pool: &mut KvPool, parts: &[Part<'_>]) -> usize {
        let batch = Batch::of(parts);
        self.embed(parts, batch.rows);
        self.turn(&batch);
        let mut pass = Pass {
            config: self.model.config(),
            crew: &mut self.crew,
            buffers: self.scratch.buffers(batch.rows),
            batch: &batch,
        };
        for (index, layer) in self.model.weights().layers.iter().enumerate() {
            pass.block((index, layer), pool.layer(index));
        }
        self.output(&batch);
        batch.wanted.len()
    }

    /// Rows of the embedding to the residual stream, `[panel][row][16]`.
    fn embed(&mut self, parts: &[Part<'_>], rows: usize) {
        let embedding = &self.model.weights().embedding;
        let scale = self.model.config().embedding_scale();
        let buffers = self.scratch.buffers(rows);
        let row = &mut *buffers.row;
        let tokens = parts.iter().flat_map(|part| part.tokens);
        for (at, token) in tokens.enumerate() {
            embedding.row(*token as usize, row);
            let places = buffers.stream.as_chunks_mut::<LANES>().0;
            let places = places.iter_mut().skip(at).step_by(rows);
            for (place, values) in places.zip(row.as_chunks::<LANES>().0) {
                *place = values.map(|value| value * scale);
            }
        }
    }

    /// Cosines and sines of the rows' positions.
    fn turn(&mut self, batch: &Batch<'_>) {
        let (buffers, width) = (
            self.scratch.buffers(batch.rows),
            self.model.config().head_width,
        );
        let local = self.local_frequencies.as_ref();
        let local = local.map(|frequencies| (frequencies, buffers.local_turns));
        let all = [Some((&self.frequencies, buffers.turns)), local];
        for (frequencies, turns) in all.into_iter().flatten() {
            let rows = turns.chunks_exact_mut(width);
            rows.zip(batch.positions())
                .for_each(|(row, position)| frequencies.turn(position, row));
        }
    }

    /// Logits after the rows where they are wanted.
    fn output(&mut self, batch: &Batch<'_>) {
        if batch.wanted.is_empty() {
            return;
        }
        let (weights, config) = (self.model.weights(), self.model.config());
        let (buffers, mut logits) = self.scratch.with_logits(batch.rows, batch.wanted.len());
        let pass = Pass {
            config,
            crew: &mut self.crew,
            buffers,
            batch,
        };
        pass.logits(weights, &mut logits);
    }
}

/// Whether `parts` make a step of a model of this shape: known tokens, with room for their keys and values, and not too many.
pub fn check_parts(config: &ModelConfig, parts: &[Part<'_>]) -> Result<(), DecoderError> {
    for part in parts {
        check_tokens(config, part.tokens)?;
        part.table.check(config.context_tokens, part.tokens.len())?;
    }
    match parts.iter().map(|part| part.tokens.len()).sum() {
        0 => Err(DecoderError::Empty),
        1..=MAX_STEP_TOKENS => Ok(()),
        _ => Err(DecoderError::TooManyTokens),
    }
}

fn check_tokens(config: &ModelConfig, tokens: &[u32]) -> Result<(), DecoderError> {
    if tokens.is_empty() {
        return Err(DecoderError::Empty);
    }
    match tokens
        .iter()
        .all(|token| (*token as usize) < config.vocabulary)
    {
        true => Ok(()),
        false => Err(DecoderError::UnknownToken),
    }
}

/// Blocks of a token's activations.
fn blocks(columns: usize) -> usize {
    columns / BLOCK
}
