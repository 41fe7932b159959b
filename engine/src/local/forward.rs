//! What the scheduler needs of a decoder, and what a local engine needs of whatever computes its answers.

use std::{slice::ChunksExact, sync::Arc};

use kernels::{Isa, matmul::Matrix};

use super::{LoadError, LocalConfig, card::MODE};
use crate::{
    decoder::{Decoder, DecoderError, KvPool, Pages, Part, Row},
    model::Model,
    sampler::Plain,
};

/// Turns tokens into logits, behind the scheduler.
pub trait Forward: Send + 'static {
    /// The pages of all sequences.
    fn pool(&mut self) -> &mut Pages;

    /// Appends to each sequence its tokens; gives the logits of those that want them, in their order, one for each token of
    /// the vocabulary. If it fails, no sequence has grown.
    fn step(&mut self, parts: &mut [Part<'_>]) -> Result<ChunksExact<'_, f32>, DecoderError>;

    /// As [`Self::step`]; `choices` has, for each part that wants logits, the choice that is made of them, if it is a plain one.
    /// Whoever keeps logits elsewhere makes it there, and gives the token that the engine's sampler would choose.
    fn choose(
        &mut self,
        parts: &mut [Part<'_>],
        choices: &[Option<Plain>],
    ) -> Result<Vec<Row<'_>>, DecoderError> {
        let _ = choices;
        Ok(self.step(parts)?.map(Row::Logits).collect())
    }

    /// Why no step succeeds any more, if so: a stable code, which tells nothing of what was computed. An error without one is its
    /// step's alone.
    fn failure(&self) -> Option<&'static str> {
        None
    }
}

/// What computes an engine's answers; started once its model is loaded, with matrices `M`.
pub trait Backend<M = Matrix> {
    /// What it becomes.
    type Forward: Forward;

    /// Makes pages and whatever else it needs: nothing is allocated later.
    fn start(self, model: &Arc<Model<M>>, capacity: Capacity) -> Result<Self::Forward, LoadError>;

    /// How it computes, as in [`crate::ModelCard`].
    fn mode(&self) -> &'static str;

    /// With what instructions, as in [`crate::ModelCard`].
    fn isa(&self) -> &'static str;
}

/// How much an engine may have at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Pages of keys and values.
    pub pages: usize,
    /// Most tokens of a sequence.
    pub context_tokens: usize,
    /// Most sequences of a step.
    pub sequences: usize,
}

/// The cores of this machine.
pub(super) struct Cpu {
    pub(super) threads: usize,
    pub(super) isa: Isa,
}

impl Cpu {
    /// As many threads, and the instructions, that `config` asks for.
    pub(super) fn of(config: &LocalConfig) -> Result<Self, LoadError> {
        Ok(Self {
            threads: config.threads,
            isa: config.isa()?,
        })
    }
}

/// Its decoder.
pub(super) struct LocalDecoder {
    decoder: Decoder,
    pool: KvPool,
}

impl Backend for Cpu {
    type Forward = LocalDecoder;

    fn start(self, model: &Arc<Model>, capacity: Capacity) -> Result<LocalDecoder, LoadError> {
        Ok(LocalDecoder {
            pool: KvPool::new(model, capacity.pages),
            decoder: Decoder::with_isa(Arc::clone(model), self.threads, self.isa),
        })
    }

    fn mode(&self) -> &'static str {
        MODE
    }

    fn isa(&self) -> &'static str {
        self.isa.name()
    }
}

impl Forward for LocalDecoder {
    fn pool(&mut self) -> &mut Pages {
        &mut self.pool
    }

    fn step(&mut self, parts: &mut [Part<'_>]) -> Result<ChunksExact<'_, f32>, DecoderError> {
        self.decoder.step(&mut self.pool, parts)
    }
}
