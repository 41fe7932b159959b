//! A model's shape, from the metadata.

use kernels::{attention::WIDTH_STEP, lanes::LANES, quantize::BLOCK};

use super::{
    ModelError,
    family::{Family, RopePairs},
    metadata::Metadata,
};
use crate::gguf::Gguf;

/// Shape of a decoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelConfig {
    /// In what it differs from a plain Llama.
    pub family: Family,
    /// Most tokens of one sequence.
    pub context_tokens: usize,
    /// Tokens of the vocabulary, and logits of a position.
    pub vocabulary: usize,
    /// Blocks.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key-value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Width of one head.
    pub head_width: usize,
    /// Width of the feed-forward network.
    pub ffn_width: usize,
    /// Added to the mean square in normalisation.
    pub rms_epsilon: f32,
    /// Base of the rotary embedding's frequencies.
    pub rope_base: f32,
    /// What positions are divided by before they turn a head; 1 where nothing stretches the context.
    pub rope_factor: f32,
    /// Which columns of a head turn together.
    pub rope_pairs: RopePairs,
    /// Layers that look back a little way only; none where all see everything.
    pub sliding: Option<SlidingWindow>,
}

/// A sliding window, and the layers that have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlidingWindow {
    /// Most positions a token attends to, its own among them.
    pub tokens: usize,
    /// Every so many layers, the last one sees everything; 0: none does.
    pub period: usize,
    /// Base of the rotary embedding's frequencies in layers with a window, where it is another there; nothing divides their
    /// positions then.
    pub rope_base: Option<f32>,
}

/// Which layers look how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every position before.
    Global,
    /// The positions of the sliding window.
    Local,
}

impl ModelConfig {
    /// Width of all queries of a token.
    pub fn query_width(&self) -> usize {
        self.heads * self.head_width
    }

    /// Width of all keys (or all values) of a token.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width
    }

    /// Width of a head in caches and attention, which take whole vectors: columns beyond [`Self::head_width`] are zero.
    pub fn padded_head_width(&self) -> usize {
        self.head_width.next_multiple_of(WIDTH_STEP)
    }

    /// How far a layer looks.
    pub fn reach(&self, layer: usize) -> Reach {
        let global = |sliding: SlidingWindow| {
            sliding.period > 0 && layer % sliding.period == sliding.period - 1
        };
        match self.sliding {
            Some(sliding) if !global(sliding) => Reach::Local,
            _ => Reach::Global,
        }
    }

    /// Most positions a token attends to.
    pub fn window(&self, reach: Reach) -> usize {
        match (reach, self.sliding) {
            (Reach::Local, Some(sliding)) => sliding.tokens,
            _ => usize::MAX,
        }
    }

    /// Base of the rotary embedding's frequencies in layers with a window, where it is another there.
    pub fn local_rope_base(&self) -> Option<f32> {
        self.sliding.and_then(|sliding| sliding.rope_base)
    }

    /// What rows of the embedding are multiplied by.
    pub fn embedding_scale(&self) -> f32 {
        match self.family.scales_embeddings() {
            true => (self.width as f32).sqrt(),
            false => 1.0,
        }
    }

    /// What queries are multiplied by so that attention, which divides by the root of the padded width, divides by what the
    /// model wants: the root of a head's width, but of `width / heads` in Gemma 3 27B, known by its 62 layers.
    pub fn query_scale(&self) -> f32 {
        let wanted = match (self.family, self.layers) {
            (Family::Gemma3, 62) => self.width as f32 / self.heads as f32,
            _ => self.head_width as f32,
        };
        (self.padded_head_width() as f32 / wanted).sqrt()
    }
}

/// Caps: well beyond the largest models, small enough that no product of two overflows.
/// Widest head, in columns.
pub(crate) const MAX_HEAD_WIDTH: usize = 256;
pub(crate) const MAX_LAYERS: usize = 1 << 10;
pub(crate) const MAX_WIDTH: usize = 1 << 18;
pub(crate) const MAX_TOKENS: usize = 1 << 24;

pub(super) fn read(gguf: &Gguf) -> Result<ModelConfig, ModelError> {
    let architecture = gguf.str("general.architecture")?;
    let family = Family::named(architecture)
        .ok_or_else(|| ModelError::Architecture(architecture.to_owned()))?;
    let metadata = Metadata::new(gguf, family);
    metadata.check_known()?;
    let config = sizes(&metadata)?;
    check(&config).map_err(|key| ModelError::Config(key.metadata))?;
    check_repeated(&metadata, &config)?;
    Ok(config)
}

fn sizes(metadata: &Metadata<'_>) -> Result<ModelConfig, ModelError> {
    let width = metadata.size("embedding_length", MAX_WIDTH)?;
    let heads = metadata.size("attention.head_count", MAX_WIDTH)?;
    let head_width = match metadata.optional_size("attention.key_length", MAX_WIDTH)? {
        Some(head_width) => head_width,
        None if width.is_multiple_of(heads) => width / heads,
        None => return Err(ModelError::Config("attention.head_count")),
    };
    let kv_heads = metadata.optional_size("attention.head_count_kv", MAX_WIDTH)?;
    Ok(ModelConfig {
        family: metadata.family,
        context_tokens: metadata.size("context_length", MAX_TOKENS)?,
        vocabulary: metadata.gguf.place("token_embd.weight")?.rows,
        layers: metadata.size("block_count", MAX_LAYERS)?,
        width,
        heads,
        kv_heads: kv_heads.unwrap_or(heads),
        head_width,
        ffn_width: metadata.size("feed_forward_length", MAX_WIDTH)?,
        rms_epsilon: metadata.f32("attention.layer_norm_rms_epsilon")?,
        rope_base: metadata.optional_f32("rope.freq_base")?.unwrap_or(10_000.0),
        rope_factor: metadata.rope_factor()?,
        rope_pairs: metadata.family.rope_pairs(),
        sliding: sliding(metadata)?,
    })
}

fn sliding(metadata: &Metadata<'_>) -> Result<Option<SlidingWindow>, ModelError> {
    let Some(tokens) = metadata.optional_size("attention.sliding_window", MAX_TOKENS)? else {
        return Ok(None);
    };
    let (period, rope_base) = match metadata.family {
        Family::Gemma3 => (6, Some(10_000.0)),
        _ => (0, None),
    };
    let own_period = metadata.optional_size("attention.sliding_window_pattern", MAX_LAYERS)?;
    let own_base = metadata.optional_f32("rope.freq_base_swa")?;
    Ok(Some(SlidingWindow {
        tokens,
        period: own_period.unwrap_or(period),
        rope_base: own_base.or(rope_base),
    }))
}

/// What a size is called.
pub(super) struct Key {
    /// In the metadata of GGUF files, without the architecture.
    pub(super) metadata: &'static str,
    /// In a folder's `config.json`.
    pub(super) folder: &'static str,
}

/// What has to hold of any shape, wherever it was read: gives the size of which it does not.
pub(super) fn check(config: &ModelConfig) -> Result<(), Key> {
    let is_base = |base: f32| base.is_finite() && base > 1.0;
    let local_base = config.local_rope_base();
    let rules = [
        (
            ("embedding_length", "hidden_size"),
            config.width.is_multiple_of(BLOCK),
        ),
        (
            ("attention.head_count", "num_attention_heads"),
            heads_fit(config),
        ),
        (
            ("attention.head_count_kv", "num_key_value_heads"),
            config.heads.is_multiple_of(config.kv_heads),
        ),
        (
            ("feed_forward_length", "intermediate_size"),
            config.ffn_width.is_multiple_of(BLOCK),
        ),
        (
            ("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
            config.rms_epsilon > 0.0 && config.rms_epsilon < 1.0,
        ),
        (("rope.freq_base", "rope_theta"), is_base(config.rope_base)),
        (
            ("rope.scaling.factor", "rope_scaling"),
            (1.0..=1e4).contains(&config.rope_factor),
        ),
        (
            ("rope.freq_base_swa", "rope_local_base_freq"),
            local_base.is_none_or(is_base),
        ),
        (
            ("vocab_size", "vocab_size"),
            config.vocabulary <= MAX_TOKENS,
        ),
    ];
    match rules.into_iter().find(|(_, holds)| !holds) {
        Some(((metadata, folder), _)) => Err(Key { metadata, folder }),
        None => Ok(()),
    }
}

fn heads_fit(config: &ModelConfig) -> bool {
    config.head_width.is_multiple_of(LANES)
        && (LANES..=MAX_HEAD_WIDTH).contains(&config.head_width)
        && config.query_width() <= MAX_WIDTH
        && config.query_width().is_multiple_of(BLOCK)
}

/// Metadata that says again what is known: it has to say the same.
fn check_repeated(metadata: &Metadata<'_>, config: &ModelConfig) -> Result<(), ModelError> {
    let repeated = [
        ("rope.dimension_count", config.head_width),
        ("attention.value_length", config.head_width),
        ("vocab_size", config.vocabulary),
    ];
    for (key, known) in repeated {
        let said = metadata.optional_size(key, MAX_TOKENS)?;
        if said.is_some_and(|said| said != known) {
            return Err(ModelError::Config(key));
        }
    }
    Ok(())
}
