//! The kernels, run by all threads together.

use kernels::{
    Isa, Pool,
    lanes::LANES,
    matmul::{Activations, Matrix, Mode, matmul},
    quantize::{ActivationBlock, Source, TILE, quantize},
    rms_norm::Norm,
};

use super::{blocks, part};

/// Chunks of work for each thread in one operation: enough that a thread which is held up does not hold up the others.
const CHUNKS_PER_THREAD: usize = 4;

/// What is done to pairs of panels, gate and up: [`kernels::silu_mul`] or its like.
pub(crate) type Gate = fn(Isa, usize, &mut [f32]);

/// Threads and the path they use.
pub(crate) struct Crew {
    pub(crate) isa: Isa,
    pub(crate) pool: Pool,
}

impl Crew {
    /// Quantises the first `tokens` tokens of `source` into `out`, which may be longer.
    pub(crate) fn quantize<'o>(
        &mut self,
        source: &Source<'_>,
        norm: Option<Norm<'_>>,
        tokens: usize,
        out: &'o mut [ActivationBlock],
    ) -> Activations<'o> {
        let (isa, blocks) = (self.isa, blocks(source.columns()));
        let out = part(out, blocks * tokens);
        self.pool.for_chunks(out, TILE * blocks, |tile, out| {
            quantize(isa, source, norm, tile * TILE, out);
        });
        Activations::new(out, blocks)
    }

    /// Multiplies; `out` is `[panel][token][16]`.
    pub(crate) fn multiply(
        &mut self,
        matrix: &Matrix,
        activations: Activations<'_>,
        mode: Mode,
        out: &mut [f32],
    ) {
        let (isa, panels) = (self.isa, self.panels_per_chunk(matrix));
        let panel_len = activations.tokens() * LANES;
        self.pool.for_chunks(out, panels * panel_len, |chunk, out| {
            let first = chunk * panels;
            let weights = matrix.panels(first..first + out.len() / panel_len);
            matmul(isa, weights, activations, mode, out);
        });
    }

    /// Multiplies by gates and ups in turn, then gates: the result is in the even panels.
    pub(crate) fn multiply_gated(
        &mut self,
        (matrix, gate): (&Matrix, Gate),
        activations: Activations<'_>,
        out: &mut [f32],
    ) {
        let tokens = activations.tokens();
        let panels = self.panels_per_chunk(matrix).next_multiple_of(2);
        let (isa, panel_len) = (self.isa, tokens * LANES);
        self.pool.for_chunks(out, panels * panel_len, |chunk, out| {
            let first = chunk * panels;
            let weights = matrix.panels(first..first + out.len() / panel_len);
            matmul(isa, weights, activations, Mode::Set, out);
            gate(isa, tokens, out);
        });
    }

    /// `[panel][row][16]` to `[row][column]`, for so many rows; columns beyond a row are left out.
    pub(crate) fn copy_rows(&mut self, panels: &[f32], rows: &mut [f32], count: usize) {
        let columns = rows.len() / count;
        self.pool.for_chunks(rows, columns, |row, out| {
            let panels = panels.as_chunks::<LANES>().0.iter();
            let panels = panels.skip(row).step_by(count);
            for (out, panel) in out.chunks_mut(LANES).zip(panels) {
                out.copy_from_slice(panel.split_at(out.len()).0);
            }
        });
    }

    fn panels_per_chunk(&self, matrix: &Matrix) -> usize {
        let chunks = CHUNKS_PER_THREAD * self.pool.threads();
        matrix.panel_count().div_ceil(chunks)
    }
}
