//! Some texts on their way through the layers.

use kernels::{
    bias::add_bias,
    gelu::gelu,
    lanes::{LANES, sum},
    layer_norm::layer_norm,
    matmul::Mode,
    quantize::{ActivationBlock, BLOCK, Source},
};
use zeroize::{Zeroize, Zeroizing};

use super::{
    EncoderConfig,
    attention::{Attention, Span},
    weights::{Dense, Layer, Weights},
};
use crate::decoder::crew::Crew;

/// The tokens of some texts, those of one after those of another. It holds what they became, so it is wiped when dropped.
pub(super) struct Pass<'a> {
    config: &'a EncoderConfig,
    crew: &'a mut Crew,
    tokens: Vec<(u32, usize)>,
    spans: Vec<Span>,
    /// `[panel][row][16]`.
    stream: Zeroizing<Vec<f32>>,
    activations: Vec<ActivationBlock>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(config: &'a EncoderConfig, crew: &'a mut Crew, texts: &[&[u32]]) -> Self {
        let positions = texts.iter().flat_map(|text| text.iter().copied().zip(0..));
        let tokens: Vec<(u32, usize)> = positions.collect();
        let widest = config.width.max(config.ffn_width);
        Self {
            stream: Zeroizing::new(vec![0.0; config.width * tokens.len()]),
            activations: vec![ActivationBlock::ZERO; widest / BLOCK * tokens.len()],
            spans: Span::all(texts),
            config,
            crew,
            tokens,
        }
    }

    pub(super) fn run(&mut self, weights: &Weights) {
        self.embed(weights);
        for layer in &weights.layers {
            self.attention(layer);
            self.feed_forward(layer);
        }
    }

    /// Rows of the embeddings to the stream.
    fn embed(&mut self, weights: &Weights) {
        let (width, rows) = (self.config.width, self.tokens.len());
        for (at, (token, position)) in self.tokens.iter().enumerate() {
            let word = weights.words.chunks_exact(width).nth(*token as usize);
            let place = weights.positions.chunks_exact(width).nth(*position);
            let values = word
                .unwrap_or_default()
                .iter()
                .zip(place.unwrap_or_default());
            let panels = self.stream.as_chunks_mut::<LANES>().0.iter_mut();
            let lanes = panels.skip(at).step_by(rows).flatten();
            lanes
                .zip(values)
                .for_each(|(out, (word, place))| *out = word + place);
        }
        layer_norm(weights.norm.get(), rows, &mut self.stream);
    }

    fn attention(&mut self, layer: &Layer) {
        let (width, rows) = (self.config.width, self.tokens.len());
        let mut qkv = Zeroizing::new(vec![0.0; 3 * width * rows]);
        let source = Source::panels_of(&self.stream, rows);
        self.crew
            .dense(&layer.qkv, &source, &mut self.activations, &mut qkv);
        let mut attended = Zeroizing::new(vec![0.0; width * rows]);
        let attention = Attention::new(self.config, Source::panels_of(&qkv, rows), &self.spans);
        attention.attend(self.crew, &mut attended);
        let source = Source::rows(&attended, width);
        self.add(&layer.attention_output, &source);
        layer_norm(layer.attention_norm.get(), rows, &mut self.stream);
    }

    fn feed_forward(&mut self, layer: &Layer) {
        let rows = self.tokens.len();
        let mut inner = Zeroizing::new(vec![0.0; self.config.ffn_width * rows]);
        let source = Source::panels_of(&self.stream, rows);
        self.crew.dense(
            &layer.intermediate,
            &source,
            &mut self.activations,
            &mut inner,
        );
        let panel_len = rows * LANES;
        self.crew
            .pool
            .for_chunks(&mut inner, panel_len, |_, panel| gelu(panel));
        self.add(&layer.output, &Source::panels_of(&inner, rows));
        layer_norm(layer.output_norm.get(), rows, &mut self.stream);
    }

    /// Adds a product to the stream.
    fn add(&mut self, dense: &Dense, source: &Source<'_>) {
        let rows = self.tokens.len();
        let activations = self
            .crew
            .quantize(source, None, rows, &mut self.activations);
        self.crew
            .multiply(&dense.matrix, activations, Mode::Add, &mut self.stream);
        add_bias(rows, &dense.bias, &mut self.stream);
    }

    /// The mean of each text's tokens, brought to length one.
    pub(super) fn vectors(&self) -> Vec<Vec<f32>> {
        self.spans.iter().map(|span| self.vector(span)).collect()
    }

    fn vector(&self, span: &Span) -> Vec<f32> {
        let stream = Source::panels_of(&self.stream, self.tokens.len());
        let mut vector = vec![0.0; self.config.width];
        let mut row = Zeroizing::new(vec![0.0; self.config.width]);
        for index in span.rows.clone() {
            stream.read(index, 0, &mut row);
            vector.iter_mut().zip(row.iter()).for_each(|(x, y)| *x += y);
        }
        let tokens = span.rows.len() as f32;
        vector.iter_mut().for_each(|x| *x /= tokens);
        let length = length(&vector).max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|x| *x /= length);
        vector
    }
}

impl Crew {
    /// Multiplies and adds the bias; `out` is `[panel][row][16]`.
    fn dense(
        &mut self,
        dense: &Dense,
        source: &Source<'_>,
        activations: &mut [ActivationBlock],
        out: &mut [f32],
    ) {
        let rows = out.len() / dense.bias.len();
        let activations = self.quantize(source, None, rows, activations);
        self.multiply(&dense.matrix, activations, Mode::Set, out);
        add_bias(rows, &dense.bias, out);
    }
}

/// Root of the sum of squares, in the order of all sums.
fn length(vector: &[f32]) -> f32 {
    let mut squares = [0.0; LANES];
    for lanes in vector.as_chunks::<LANES>().0 {
        squares.iter_mut().zip(lanes).for_each(|(s, x)| *s += x * x);
    }
    sum(&squares).sqrt()
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.activations.iter_mut().for_each(Zeroize::zeroize);
        self.tokens
            .iter_mut()
            .for_each(|(token, _)| token.zeroize());
    }
}
