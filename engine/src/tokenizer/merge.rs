//! Byte-pair merging in O(n log n): a linked list of symbols and a heap of candidate pairs.
//!
//! The most urgent pair merges first, of equals the leftmost. A run of one mebibyte of one character costs no more per byte than prose.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap},
};

use zeroize::Zeroize;

use super::{TokenizerError, vocabulary::Vocabulary};

/// No symbol.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Merge {
    rank: u32,
    merged: u32,
}

/// The merges of a model by the two tokens they join.
pub(super) struct Merges {
    by_pair: HashMap<(u32, u32), Merge>,
}

impl Merges {
    pub(super) fn new(merges: &[&str], vocabulary: &Vocabulary) -> Result<Self, TokenizerError> {
        let mut by_pair = HashMap::with_capacity(merges.len());
        for (text, rank) in merges.iter().zip(0u32..) {
            let fault = TokenizerError::Merge(rank as usize);
            let (pair, merged) = parse(text, vocabulary).ok_or(fault.clone())?;
            if by_pair.insert(pair, Merge { rank, merged }).is_some() {
                return Err(fault);
            }
        }
        Ok(Self { by_pair })
    }

    /// Appends the tokens that `parts` merge into. A part that is no token separates its neighbours and is left out.
    pub(super) fn apply(
        &self,
        parts: impl Iterator<Item = Option<u32>>,
        scratch: &mut Scratch,
        ids: &mut Vec<u32>,
    ) {
        scratch.start(parts);
        for (left, right) in scratch.neighbours() {
            self.consider(left, right, scratch);
        }
        while let Some(candidate) = scratch.candidates.pop() {
            self.join(&candidate, scratch);
        }
        ids.extend(
            scratch
                .symbols
                .iter()
                .map(|s| s.id)
                .filter(|id| *id != NONE),
        );
    }

    /// Puts the pair at `left` and `right` on the heap if it can merge.
    fn consider(&self, left: u32, right: u32, scratch: &mut Scratch) {
        let Some(pair) = scratch.pair(left, right) else {
            return;
        };
        if let Some(merge) = self.by_pair.get(&pair) {
            scratch.candidates.push(Candidate {
                rank: merge.rank,
                left,
                right,
                merged: merge.merged,
            });
        }
    }

    /// Joins a candidate unless an earlier join has changed one of its sides.
    fn join(&self, candidate: &Candidate, scratch: &mut Scratch) {
        let &Candidate { left, right, .. } = candidate;
        let pair = scratch.pair(left, right);
        let merge = pair.and_then(|pair| self.by_pair.get(&pair));
        if merge.is_none_or(|merge| merge.rank != candidate.rank) {
            return;
        }
        let (before, after) = scratch.fuse(left, right, candidate.merged);
        self.consider(before, left, scratch);
        self.consider(left, after, scratch);
    }
}

/// The two ids that a line of the merge list joins, and what they become.
fn parse(text: &str, vocabulary: &Vocabulary) -> Option<((u32, u32), u32)> {
    let (left, right) = text.split_once(' ')?;
    let pair = (vocabulary.normal(left)?, vocabulary.normal(right)?);
    let merged = vocabulary.normal(&[left, right].concat())?;
    Some((pair, merged))
}

/// `id` is `NONE` for a symbol that was joined to its left or is no token.
#[derive(Clone, Copy, Zeroize)]
struct Symbol {
    id: u32,
    previous: u32,
    next: u32,
}

#[derive(PartialEq, Eq, Zeroize)]
struct Candidate {
    rank: u32,
    left: u32,
    right: u32,
    merged: u32,
}

impl Ord for Candidate {
    /// The greatest is the most urgent, of equals the leftmost.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |c: &Self| (c.rank, c.left, c.right, c.merged);
        key(other).cmp(&key(self))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Working memory of merging, wiped when dropped: it tells the text.
#[derive(Default)]
pub(super) struct Scratch {
    symbols: Vec<Symbol>,
    candidates: BinaryHeap<Candidate>,
}

impl Scratch {
    fn start(&mut self, parts: impl Iterator<Item = Option<u32>>) {
        self.symbols.zeroize();
        let ids = (0u32..).zip(parts.map(|id| id.unwrap_or(NONE)));
        self.symbols.extend(ids.map(|(at, id)| Symbol {
            id,
            previous: at.wrapping_sub(1),
            next: at.wrapping_add(1),
        }));
        if let Some(last) = self.symbols.last_mut() {
            last.next = NONE;
        }
        self.make_room();
    }

    /// Every join takes one candidate and adds at most two, so twice the symbols suffice: the heap never moves.
    fn make_room(&mut self) {
        let wanted = self.symbols.len().saturating_mul(2);
        if self.candidates.capacity() < wanted {
            self.wipe_candidates();
            self.candidates = BinaryHeap::with_capacity(wanted);
        }
    }

    fn wipe_candidates(&mut self) {
        std::mem::take(&mut self.candidates).into_vec().zeroize();
    }

    fn neighbours(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        let count = u32::try_from(self.symbols.len()).unwrap_or(NONE);
        (1..count).map(|right| (right.wrapping_sub(1), right))
    }

    /// The ids at `left` and `right` if both are tokens and still neighbours.
    fn pair(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        let (l, r) = (self.symbol(left)?, self.symbol(right)?);
        let live = l.id != NONE && r.id != NONE && l.next == right;
        live.then_some((l.id, r.id))
    }

    fn symbol(&self, at: u32) -> Option<&Symbol> {
        self.symbols.get(at as usize)
    }

    fn symbol_mut(&mut self, at: u32) -> Option<&mut Symbol> {
        self.symbols.get_mut(at as usize)
    }

    /// Makes `left` the token `merged`, takes `right` out of the list; gives the neighbours of the result.
    fn fuse(&mut self, left: u32, right: u32, merged: u32) -> (u32, u32) {
        let after = self.symbol(right).map_or(NONE, |s| s.next);
        let before = self.symbol(left).map_or(NONE, |s| s.previous);
        if let Some(symbol) = self.symbol_mut(right) {
            symbol.id = NONE;
        }
        if let Some(symbol) = self.symbol_mut(left) {
            (symbol.id, symbol.next) = (merged, after);
        }
        if let Some(symbol) = self.symbol_mut(after) {
            symbol.previous = left;
        }
        (before, after)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.symbols.zeroize();
        self.wipe_candidates();
    }
}
