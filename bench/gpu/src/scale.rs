//! How much is measured: shapes, and how often.

use engine::model::{Family, ModelConfig, RopePairs};

use crate::Rounds;

/// What is measured.
pub struct Scale {
    pub rounds: Rounds,
    /// Of each copy.
    pub copy_bytes: usize,
    /// Rows and columns of square matrices.
    pub matrix: usize,
    /// Of each cipher's buffer, in segments of 1 MiB or the whole.
    pub cipher_bytes: usize,
    /// Tokens that the device and the CPU choose one by one.
    pub parity_tokens: usize,
    /// Of the model that is loaded.
    pub real: Vec<Work>,
    /// Of [`Scale::shape`].
    pub synthetic: Vec<Work>,
    /// Of the model whose weights are noise.
    pub shape: ModelConfig,
}

/// One load of a decoder.
#[derive(Clone, Copy)]
pub struct Work {
    /// Sequences at once.
    pub batch: usize,
    /// Of each sequence.
    pub prompt_tokens: usize,
    /// Of each sequence, decoded behind the prompt.
    pub answer_tokens: usize,
}

impl Work {
    const fn of(batch: usize, prompt_tokens: usize, answer_tokens: usize) -> Self {
        Self {
            batch,
            prompt_tokens,
            answer_tokens,
        }
    }

    /// Of each sequence.
    pub const fn tokens(&self) -> usize {
        self.prompt_tokens + self.answer_tokens
    }
}

impl Scale {
    /// What docs/benchmarks.md has.
    pub fn full() -> Self {
        Self {
            rounds: Rounds {
                count: 5,
                times: 10,
            },
            copy_bytes: 4 << 30,
            matrix: 8192,
            cipher_bytes: 1 << 30,
            parity_tokens: 128,
            real: [1, 8, 32].map(|batch| Work::of(batch, 512, 256)).into(),
            synthetic: [1, 8, 32].map(|batch| Work::of(batch, 1024, 128)).into(),
            shape: llama_8b(),
        }
    }

    /// The least that runs every kernel: for emulated devices and for tools that watch each access.
    pub fn tiny() -> Self {
        Self {
            rounds: Rounds { count: 1, times: 1 },
            copy_bytes: 4096,
            matrix: 128,
            cipher_bytes: 8192,
            parity_tokens: 3,
            real: [1, 2].map(|batch| Work::of(batch, 5, 3)).into(),
            synthetic: [1, 9].map(|batch| Work::of(batch, 5, 3)).into(),
            shape: ModelConfig {
                context_tokens: 64,
                vocabulary: 64,
                layers: 2,
                width: 128,
                heads: 2,
                kv_heads: 1,
                head_width: 64,
                ffn_width: 128,
                ..llama_8b()
            },
        }
    }
}

/// The shape of Llama 3 8B.
fn llama_8b() -> ModelConfig {
    ModelConfig {
        family: Family::Llama,
        context_tokens: 8192,
        vocabulary: 128_256,
        layers: 32,
        width: 4096,
        heads: 32,
        kv_heads: 8,
        head_width: 128,
        ffn_width: 14_336,
        rms_epsilon: 1e-5,
        rope_base: 500_000.0,
        rope_factor: 1.0,
        rope_pairs: RopePairs::Halves,
        sliding: None,
    }
}
