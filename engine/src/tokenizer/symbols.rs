//! Joining neighbours in O(n log n): a linked list of symbols and a heap of candidate pairs.
//!
//! The most urgent pair joins first, of equals the leftmost. A run of one mebibyte of one character costs no more per byte than prose.

use std::{cmp::Ordering, collections::BinaryHeap, ops::Range};

use zeroize::Zeroize;

/// No symbol, or a symbol that is no token.
const NONE: u32 = u32::MAX;

/// What two neighbours become.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub(super) struct Join {
    /// The least is the most urgent.
    pub(super) rank: u32,
    /// The token.
    pub(super) id: u32,
}

/// A stretch of the text; without length once it was joined to its left.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Symbol {
    /// The token, or [`NONE`].
    pub(super) id: u32,
    start: u32,
    len: u32,
    previous: u32,
    next: u32,
}

impl Symbol {
    /// The token, if it is one.
    pub(super) fn token(&self) -> Option<u32> {
        (self.id != NONE).then_some(self.id)
    }

    /// Its bytes in the text.
    pub(super) fn range(&self) -> Range<usize> {
        self.start as usize..self.start.saturating_add(self.len) as usize
    }
}

#[derive(PartialEq, Eq, Zeroize)]
struct Candidate {
    join: Join,
    left: u32,
    right: u32,
}

impl Ord for Candidate {
    /// The greatest is the most urgent, of equals the leftmost.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |c: &Self| (c.join.rank, c.left, c.right, c.join.id);
        key(other).cmp(&key(self))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The symbols of one text. Wiped when dropped and before the next text: they tell it.
#[derive(Default)]
pub(super) struct Symbols {
    list: Vec<Symbol>,
    candidates: BinaryHeap<Candidate>,
}

impl Symbols {
    /// Joins `parts` (token and bytes of each) as `joining` says, until nothing joins; what is left, in order.
    pub(super) fn join(
        &mut self,
        parts: impl Iterator<Item = (Option<u32>, usize)>,
        joining: impl Fn(&Symbol, &Symbol) -> Option<Join>,
    ) -> impl Iterator<Item = &Symbol> {
        self.start(parts);
        for (left, right) in self.neighbours() {
            self.consider(left, right, &joining);
        }
        while let Some(candidate) = self.candidates.pop() {
            self.take(&candidate, &joining);
        }
        self.list.iter().filter(|symbol| symbol.len > 0)
    }

    fn start(&mut self, parts: impl Iterator<Item = (Option<u32>, usize)>) {
        self.list.zeroize();
        let mut start = 0u32;
        for ((id, len), at) in parts.zip(0u32..) {
            let len = u32::try_from(len).unwrap_or(NONE);
            self.list.push(Symbol {
                id: id.unwrap_or(NONE),
                start,
                len,
                previous: at.wrapping_sub(1),
                next: at.wrapping_add(1),
            });
            start = start.saturating_add(len);
        }
        if let Some(last) = self.list.last_mut() {
            last.next = NONE;
        }
        self.make_room();
    }

    /// Every join takes one candidate and adds at most two, so twice the symbols suffice: the heap never moves.
    fn make_room(&mut self) {
        let wanted = self.list.len().saturating_mul(2);
        if self.candidates.capacity() < wanted {
            self.wipe_candidates();
            self.candidates = BinaryHeap::with_capacity(wanted);
        }
    }

    fn wipe_candidates(&mut self) {
        std::mem::take(&mut self.candidates).into_vec().zeroize();
    }

    fn neighbours(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        let count = u32::try_from(self.list.len()).unwrap_or(NONE);
        (1..count).map(|right| (right.wrapping_sub(1), right))
    }

    /// Puts the pair at `left` and `right` on the heap if it can join.
    fn consider(
        &mut self,
        left: u32,
        right: u32,
        joining: &impl Fn(&Symbol, &Symbol) -> Option<Join>,
    ) {
        if let Some(join) = self.possible(left, right, joining) {
            self.candidates.push(Candidate { join, left, right });
        }
    }

    /// Joins a candidate unless an earlier join has changed one of its sides.
    fn take(&mut self, candidate: &Candidate, joining: &impl Fn(&Symbol, &Symbol) -> Option<Join>) {
        let &Candidate { join, left, right } = candidate;
        if self.possible(left, right, joining) != Some(join) {
            return;
        }
        let (before, after) = self.fuse(left, right, join.id);
        self.consider(before, left, joining);
        self.consider(left, after, joining);
    }

    /// What the symbols at `left` and `right` become, if they are still neighbours.
    fn possible(
        &self,
        left: u32,
        right: u32,
        joining: &impl Fn(&Symbol, &Symbol) -> Option<Join>,
    ) -> Option<Join> {
        let (l, r) = (self.symbol(left)?, self.symbol(right)?);
        let neighbours = l.len > 0 && r.len > 0 && l.next == right;
        neighbours.then(|| joining(l, r)).flatten()
    }

    fn symbol(&self, at: u32) -> Option<&Symbol> {
        self.list.get(at as usize)
    }

    fn symbol_mut(&mut self, at: u32) -> Option<&mut Symbol> {
        self.list.get_mut(at as usize)
    }

    /// Makes `left` the token `id`, takes `right` out of the list; gives the neighbours of the result.
    fn fuse(&mut self, left: u32, right: u32, id: u32) -> (u32, u32) {
        let (after, added) = self.symbol(right).map_or((NONE, 0), |s| (s.next, s.len));
        let before = self.symbol(left).map_or(NONE, |s| s.previous);
        if let Some(symbol) = self.symbol_mut(right) {
            symbol.len = 0;
        }
        if let Some(symbol) = self.symbol_mut(left) {
            (symbol.id, symbol.next) = (id, after);
            symbol.len = symbol.len.saturating_add(added);
        }
        if let Some(symbol) = self.symbol_mut(after) {
            symbol.previous = left;
        }
        (before, after)
    }
}

impl Drop for Symbols {
    fn drop(&mut self) {
        self.list.zeroize();
        self.wipe_candidates();
    }
}
