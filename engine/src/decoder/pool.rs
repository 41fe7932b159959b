//! Pages of keys and values, shared by all sequences.

use kernels::attention::{PAGE, page_len};
use zeroize::Zeroize;

use super::DecoderError;
use crate::model::{Model, ModelConfig};

/// Positions in a page.
pub const PAGE_TOKENS: usize = PAGE;

/// A fixed number of pages, made at the start. A page is counted by those who hold it, and wiped when the last lets go.
/// No Debug: it tells prompts. Wiped when dropped.
pub struct KvPool<M: PageMemory + ?Sized = HostPages> {
    /// How many hold each page.
    holders: Vec<u32>,
    free: Vec<u32>,
    memory: M,
}

/// A pool, wherever its pages lie: what the scheduler counts with.
pub type Pages = KvPool<dyn PageMemory>;

/// Where the keys and values of a pool's pages lie.
pub trait PageMemory: Send {
    /// Overwrites a page with zeros, before anybody else can be given it. If that fails, the page is never given out again.
    fn wipe(&mut self, page: u32) -> Result<(), NotWiped>;

    /// As [`Self::wipe`], where nothing will ever be read from the memory again.
    fn wipe_last(&mut self, page: u32) -> Result<(), NotWiped> {
        self.wipe(page)
    }
}

/// A page may still tell what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page could not be wiped")]
pub struct NotWiped;

/// Pages in the memory of this process.
///
/// Layout: `[layer][page][key-value head]`, each as [`kernels::attention`] has it.
pub struct HostPages {
    values: Vec<f32>,
    shape: Shape,
    pages: usize,
}

/// The pages of one sequence, in the order of its positions. Give it back with [`KvPool::release`]: dropped, it keeps its pages.
#[derive(Default)]
#[must_use]
pub struct KvTable {
    pages: Vec<u32>,
    tokens: usize,
}

/// What a pool and a model have to agree about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) layers: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_width: usize,
}

impl KvPool {
    /// So many pages for sequences of this model.
    pub fn new(model: &Model, pages: usize) -> Self {
        Self::of_shape(Shape::of(model.config()), pages)
    }

    pub(crate) fn of_shape(shape: Shape, pages: usize) -> Self {
        Self::with_memory(HostPages::new(shape, pages), pages)
    }

    /// Bytes of one page of this model's sequences.
    pub fn page_bytes<M>(model: &Model<M>) -> usize {
        let shape = Shape::of(model.config());
        shape.layers * shape.page_len() * size_of::<f32>()
    }

    /// Whether no trace of any sequence is left.
    pub fn is_blank(&self) -> bool {
        let mut values = self.memory.values.iter();
        values.all(|value| value.to_bits() == 0)
    }

    /// Whether the pool was made for models of this shape.
    pub(super) fn check(&self, config: &ModelConfig) -> Result<(), DecoderError> {
        match self.memory.shape == Shape::of(config) {
            true => Ok(()),
            false => Err(DecoderError::OtherModel),
        }
    }

    /// All pages of one layer.
    pub(crate) fn layer(&mut self, index: usize) -> &mut [f32] {
        let length = self.pages() * self.memory.shape.page_len();
        let mut layers = self.memory.values.chunks_mut(length.max(1));
        layers.nth(index).unwrap_or_default()
    }
}

impl<M: PageMemory> KvPool<M> {
    /// A pool of so many pages, all of them blank, that lie in `memory`.
    pub fn with_memory(memory: M, pages: usize) -> Self {
        let numbers = 0..u32::try_from(pages).unwrap_or(u32::MAX);
        Self {
            holders: vec![0; numbers.len()],
            // The first page is taken first.
            free: numbers.rev().collect(),
            memory,
        }
    }

    /// Where the pages lie.
    pub fn memory(&self) -> &M {
        &self.memory
    }
}

impl<M: PageMemory + ?Sized> KvPool<M> {
    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.holders.len()
    }

    /// How many of them nobody holds.
    pub fn free_pages(&self) -> usize {
        self.free.len()
    }

    /// Pages for `tokens` more tokens; all of them or, where there are not enough, none.
    pub fn reserve(&mut self, table: &mut KvTable, tokens: usize) -> Result<(), DecoderError> {
        let wanted = table.tokens.saturating_add(tokens).div_ceil(PAGE_TOKENS);
        let missing = wanted.saturating_sub(table.pages.len());
        let kept = self.free.len().checked_sub(missing);
        let kept = kept.ok_or(DecoderError::NoPages)?;
        for page in self.free.drain(kept..).rev() {
            if let Some(holders) = self.holders.get_mut(page as usize) {
                *holders = 1;
            }
            table.pages.push(page);
        }
        Ok(())
    }

    /// How many hold a page.
    pub fn holders(&self, page: u32) -> u32 {
        self.holders.get(page as usize).copied().unwrap_or(0)
    }

    /// Lets go of a sequence's pages.
    pub fn release(&mut self, table: KvTable) {
        table.pages.into_iter().for_each(|page| self.let_go(page));
    }

    /// Holds a page once more.
    pub fn hold(&mut self, page: u32) {
        if let Some(holders) = self.holders.get_mut(page as usize) {
            *holders = holders.saturating_add(1);
        }
    }

    /// Holds a page once less; the last time it is wiped and free.
    pub fn let_go(&mut self, page: u32) {
        let Some(holders) = self.holders.get_mut(page as usize) else {
            return;
        };
        let held = *holders > 0;
        *holders = holders.saturating_sub(1);
        if held && *holders == 0 && self.memory.wipe(page).is_ok() {
            self.free.push(page);
        }
    }
}

impl<M: PageMemory + ?Sized> Drop for KvPool<M> {
    fn drop(&mut self) {
        let held = (0..)
            .zip(&self.holders)
            .filter(|(_, holders)| **holders > 0);
        for (page, _) in held {
            // Nobody is left to tell; nobody is given the page again.
            let _ = self.memory.wipe_last(page);
        }
    }
}

impl HostPages {
    fn new(shape: Shape, pages: usize) -> Self {
        Self {
            values: vec![0.0; shape.layers * shape.page_len() * pages],
            shape,
            pages,
        }
    }

    /// The parts of a page, layer by layer.
    fn parts_of(&mut self, page: u32) -> impl Iterator<Item = &mut [f32]> {
        let parts = self.values.chunks_mut(self.shape.page_len().max(1));
        parts.skip(page as usize).step_by(self.pages.max(1))
    }
}

impl PageMemory for HostPages {
    fn wipe(&mut self, page: u32) -> Result<(), NotWiped> {
        // No dead stores: the page stays in use, and is read by whoever takes it next.
        self.parts_of(page).for_each(|part| part.fill(0.0));
        Ok(())
    }

    fn wipe_last(&mut self, page: u32) -> Result<(), NotWiped> {
        self.parts_of(page).for_each(Zeroize::zeroize);
        Ok(())
    }
}

impl KvTable {
    /// A sequence that begins with pages that are held for it and full.
    pub fn with_prefix(pages: Vec<u32>) -> Self {
        let tokens = pages.len() * PAGE_TOKENS;
        Self { pages, tokens }
    }

    /// Tokens of which keys and values are there.
    pub fn len(&self) -> usize {
        self.tokens
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tokens == 0
    }

    /// Its pages, in the order of positions.
    pub fn pages(&self) -> &[u32] {
        &self.pages
    }

    /// Whether there is room for `tokens` more, in its pages and in the model's context.
    pub(crate) fn check(&self, context_tokens: usize, tokens: usize) -> Result<(), DecoderError> {
        let capacity_tokens = context_tokens.min(self.pages.len() * PAGE_TOKENS);
        match tokens <= capacity_tokens.saturating_sub(self.tokens) {
            true => Ok(()),
            false => Err(DecoderError::CacheFull { capacity_tokens }),
        }
    }

    /// Counts tokens whose keys and values have been written.
    pub fn extend(&mut self, tokens: usize) {
        self.tokens += tokens;
    }
}

impl Shape {
    fn of(config: &ModelConfig) -> Self {
        Self {
            layers: config.layers,
            kv_heads: config.kv_heads,
            head_width: config.padded_head_width(),
        }
    }

    /// Length of one layer's part of a page.
    fn page_len(self) -> usize {
        self.kv_heads * page_len(self.head_width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        layers: 2,
        kv_heads: 3,
        head_width: 64,
    };

    /// A pool of four pages and a sequence of two, all written.
    fn written() -> (KvPool, KvTable) {
        let (mut pool, mut table) = (KvPool::of_shape(SHAPE, 4), KvTable::default());
        pool.reserve(&mut table, 17).unwrap();
        for page in table.pages() {
            pool.memory.parts_of(*page).for_each(|part| part.fill(3.0));
        }
        (pool, table)
    }

    #[test]
    fn the_last_holder_wipes() {
        let (mut pool, table) = written();
        let first = table.pages()[0];
        pool.hold(first);
        pool.release(table);
        assert_eq!((pool.free_pages(), pool.is_blank()), (3, false));
        pool.let_go(first);
        assert_eq!((pool.free_pages(), pool.is_blank()), (4, true));
        pool.let_go(first);
        assert_eq!(pool.free_pages(), 4, "nobody held it any more");
    }

    #[test]
    fn a_page_of_one_is_no_page_of_another() {
        let (mut pool, table) = written();
        let mut other = KvTable::default();
        pool.reserve(&mut other, 32).unwrap();
        assert!(
            other
                .pages()
                .iter()
                .all(|page| !table.pages().contains(page))
        );
        for page in other.pages() {
            pool.memory.parts_of(*page).for_each(|part| part.fill(5.0));
        }
        pool.release(table);
        let left = pool
            .memory
            .values
            .iter()
            .filter(|value| **value == 5.0)
            .count();
        assert_eq!(left, 2 * SHAPE.layers * SHAPE.page_len());
        assert!(!pool.memory.values.contains(&3.0));
        pool.release(other);
        assert!(pool.is_blank());
    }

    /// Memory that cannot be wiped.
    struct Stuck;

    impl PageMemory for Stuck {
        fn wipe(&mut self, _page: u32) -> Result<(), NotWiped> {
            Err(NotWiped)
        }
    }

    #[test]
    fn a_page_that_was_not_wiped_is_not_given_out_again() {
        let (mut pool, mut table) = (KvPool::with_memory(Stuck, 2), KvTable::default());
        pool.reserve(&mut table, 1).unwrap();
        let pages: &mut Pages = &mut pool;
        pages.release(table);
        assert_eq!(pages.free_pages(), 1);
        let refused = pages.reserve(&mut KvTable::default(), 17);
        assert_eq!(refused, Err(DecoderError::NoPages));
    }

    #[test]
    fn pages_are_given_all_or_none() {
        let (mut pool, mut table) = written();
        assert_eq!(pool.reserve(&mut table, 65), Err(DecoderError::NoPages));
        assert_eq!((pool.free_pages(), table.pages().len()), (2, 2));
        pool.reserve(&mut table, 64).unwrap();
        assert_eq!((pool.free_pages(), table.pages().len()), (0, 4));
        pool.reserve(&mut table, 64).unwrap();
        pool.release(table);
    }
}
