//! Families of decoders, and in what each differs from a plain Llama.

/// A family of decoders, by the name that GGUF files give it (`general.architecture`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// Llama, Mistral, SmolLM.
    Llama,
    /// Qwen 2 and 2.5: biases of queries, keys and values.
    Qwen2,
    /// Qwen 3: queries and keys are normalised head by head.
    Qwen3,
    /// Gemma 3: scaled embeddings, norms after as well as before, GELU gate, a sliding window in most layers.
    Gemma3,
}

/// Which columns of a head are turned together by the rotary embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopePairs {
    /// Columns `2i` and `2i + 1`.
    Neighbours,
    /// Columns `i` and `width / 2 + i`.
    Halves,
}

impl Family {
    /// Those there are.
    pub const ALL: [Self; 4] = [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Gemma3];

    /// The family of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The family of a folder's decoder, by the name that `config.json` gives it.
    pub(crate) fn of_model_type(name: &str) -> Option<Self> {
        match name {
            "llama" | "mistral" => Some(Self::Llama),
            "qwen2" => Some(Self::Qwen2),
            "qwen3" => Some(Self::Qwen3),
            _ => None,
        }
    }

    /// Its name in GGUF files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }

    /// How GGUF files have the heads' columns: converters reorder those of Llamas.
    pub(super) fn rope_pairs(self) -> RopePairs {
        match self {
            Self::Llama => RopePairs::Neighbours,
            Self::Qwen2 | Self::Qwen3 | Self::Gemma3 => RopePairs::Halves,
        }
    }

    /// Whether queries, keys and values have biases.
    pub(super) fn has_qkv_bias(self) -> bool {
        self == Self::Qwen2
    }

    /// Whether queries and keys are normalised head by head.
    pub(super) fn has_head_norms(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Gemma3)
    }

    /// Whether what attention and feed-forward give is normalised before it is added to the residual stream.
    pub fn has_post_norms(self) -> bool {
        self == Self::Gemma3
    }

    /// Whether the gate is GELU (by its tanh approximation) rather than SiLU.
    pub fn has_gelu_gate(self) -> bool {
        self == Self::Gemma3
    }

    /// Whether embeddings are multiplied by the square root of their width.
    pub(super) fn scales_embeddings(self) -> bool {
        self == Self::Gemma3
    }
}
