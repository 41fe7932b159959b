//! Attention over bf16 pages: of several tokens of a sequence at once, and of single ones by parts of the positions.

use std::f32::consts::LOG2_E;

use super::rows::assert_values;
use crate::{
    Argument, Device, DeviceError, HeadShape, Launch, Memory,
    arena::Arena,
    operations::{assert_rows, count, launch},
};

/// Positions of a part.
const PART_POSITIONS: usize = 256;
/// Rows and heads of a block of threads.
const BLOCK_ROWS: usize = 64;

/// Where the parts of single tokens lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// Largest score and sum of exponentials, `[row][head][part]`.
    pub(crate) scores: Memory,
    /// `[row][head][part][width]`.
    pub(crate) sums: Memory,
    /// How many a token has at most.
    pub(crate) most: usize,
}

impl Parts {
    /// Room for those of as many rows of heads so wide, at positions up to `context_tokens`.
    pub(crate) fn new<D: Device>(
        arena: &mut Arena<D>,
        [rows, heads, width]: [usize; 3],
        context_tokens: usize,
    ) -> Result<Self, DeviceError> {
        let most = context_tokens.div_ceil(PART_POSITIONS);
        let all = rows * heads * most;
        Ok(Self {
            scores: arena.words(2 * all)?,
            sums: arena.words(all * width)?,
            most,
        })
    }
}

/// What is attended to, and by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastHeads {
    /// bf16, `[row][head][width]`.
    pub(crate) queries: Memory,
    /// All pages of a layer.
    pub(crate) cache: Memory,
    /// `u32 [sequence][pages of a sequence]`.
    pub(crate) pages: Memory,
    /// bf16, `[row][head][width]`.
    pub(crate) out: Memory,
    pub(crate) shape: HeadShape,
    /// How many positions a row attends to at most; `usize::MAX`: all.
    pub(crate) window: usize,
    /// Rows that there is room for in queries and out.
    pub(crate) rows: usize,
}

impl FastHeads {
    fn entry(&self, name: &str) -> String {
        let columns = (self.shape.heads * self.shape.width) as usize;
        assert_values(self.queries, self.rows, columns);
        assert_values(self.out, self.rows, columns);
        format!("{name}_{}", self.shape.width)
    }

    fn window(&self) -> Argument {
        Argument::U32(match self.window {
            usize::MAX => u32::MAX,
            window => count(window),
        })
    }

    /// Heads, pages of a sequence, window, scale.
    fn constants(&self) -> [Argument; 5] {
        [
            Argument::U32(self.shape.heads),
            Argument::U32(self.shape.kv_heads),
            Argument::U32(self.shape.pages_per_sequence),
            self.window(),
            Argument::F32(LOG2_E / (self.shape.width as f32).sqrt()),
        ]
    }
}

/// Spans of several tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastAttend {
    pub(crate) heads: FastHeads,
    /// First row, rows, first position and sequence of each.
    pub(crate) spans: Memory,
    /// How many there are, with those that fill up.
    pub(crate) count: usize,
    /// Rows of the longest.
    pub(crate) longest: usize,
}

impl FastAttend {
    pub(crate) fn launch(self) -> Launch {
        let heads = self.heads;
        assert_rows(self.spans, self.count, 4);
        let first = [
            heads.queries,
            heads.cache,
            self.spans,
            heads.pages,
            heads.out,
        ];
        let first = first.map(Argument::Memory).into_iter();
        let group = (heads.shape.heads / heads.shape.kv_heads) as usize;
        let blocks = (self.longest * group).div_ceil(BLOCK_ROWS);
        let arguments = first.chain(heads.constants()).collect();
        let grid = [blocks, heads.shape.kv_heads as usize];
        let launch = launch(heads.entry("fast_attend"), grid, 128, arguments);
        deep(launch, self.count)
    }
}

/// Spans of one token each, the first rows of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastAttendParts {
    pub(crate) heads: FastHeads,
    /// As those of [`FastAttend`].
    pub(crate) spans: Memory,
    /// How many there are, with those that fill up.
    pub(crate) count: usize,
    pub(crate) parts: Parts,
}

impl FastAttendParts {
    pub(crate) fn launches(self) -> [Launch; 2] {
        let (heads, parts) = (self.heads, self.parts);
        let all = self.count * heads.shape.heads as usize * parts.most;
        assert_rows(self.spans, self.count, 4);
        assert_rows(parts.scores, all, 2);
        assert_rows(parts.sums, all, heads.shape.width as usize);
        let first = [
            heads.queries,
            heads.cache,
            self.spans,
            heads.pages,
            parts.scores,
            parts.sums,
        ];
        let first = first.map(Argument::Memory).into_iter();
        let arguments = first.chain(heads.constants()).collect();
        let grid = [parts.most, heads.shape.kv_heads as usize];
        let attend = launch(heads.entry("fast_attend_parts"), grid, 32, arguments);
        [deep(attend, self.count), self.join()]
    }

    fn join(self) -> Launch {
        let (heads, parts) = (self.heads, self.parts);
        let first = [parts.scores, parts.sums, self.spans, heads.out];
        let mut arguments: Vec<_> = first.map(Argument::Memory).into();
        arguments.extend([Argument::U32(count(parts.most)), heads.window()]);
        let grid = [self.count, heads.shape.heads as usize];
        launch("fast_join_parts", grid, heads.shape.width, arguments)
    }
}

/// With so many layers of blocks.
fn deep(mut launch: Launch, depth: usize) -> Launch {
    launch.grid[2] = count(depth);
    launch
}
