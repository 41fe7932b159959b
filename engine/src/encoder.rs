//! Encoders of BERT's kind: texts in, vectors of length one out.
//!
//! Each token sees all tokens of its text; what comes out is averaged over the text's tokens and brought to length one, as the
//! models of sentence-transformers are used. A text's vector is the same bits whatever other texts go with it, for any number
//! of threads and on every instruction-set path.

mod attention;
mod config;
mod error;
mod pass;
mod weights;

use std::{num::NonZeroUsize, thread};

use kernels::{Isa, Pool};

pub use config::EncoderConfig;
pub use error::EncoderError;

use crate::{
    decoder::crew::Crew,
    folder::ModelFolder,
    model::{ModelError, reader::Reader},
};
use pass::Pass;
use weights::Weights;

/// Most tokens that go through the layers at once; a longer text goes alone.
const PASS_TOKENS: usize = 256;

/// An encoder and the threads that run it.
pub struct Encoder {
    config: EncoderConfig,
    weights: Weights,
    crew: Crew,
}

impl Encoder {
    /// Packs the weights of a folder and starts `threads` threads (the caller's counts as one; 0 means as many as there are
    /// cores).
    pub fn load(folder: &ModelFolder, threads: usize, isa: Isa) -> Result<Self, ModelError> {
        let config = config::read(folder)?;
        let reader = Reader::new(folder);
        let weights = weights::read(&reader, &config)?;
        reader.check_all_taken()?;
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = NonZeroUsize::new(threads).unwrap_or_else(cores);
        Ok(Self {
            config,
            weights,
            crew: Crew {
                isa,
                pool: Pool::new(threads),
            },
        })
    }

    /// The encoder's shape.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// One vector for each text, given as its tokens. A text that is too long is refused, not cut.
    pub fn embed(&mut self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EncoderError> {
        texts
            .iter()
            .try_for_each(|tokens| self.config.check(tokens))?;
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            let mut pass = Pass::new(&self.config, &mut self.crew, now);
            pass.run(&self.weights);
            vectors.extend(pass.vectors());
            rest = later;
        }
        Ok(vectors)
    }
}

/// How many of the texts go through the layers together.
fn fitting(texts: &[&[u32]]) -> usize {
    let mut tokens = 0;
    let fits = |text: &&&[u32]| {
        tokens += text.len();
        tokens <= PASS_TOKENS
    };
    texts.iter().take_while(fits).count().max(1)
}
