//! Panics of this process: of spawned tasks too, which nobody else would hear of.

use std::sync::{
    Once,
    atomic::{AtomicUsize, Ordering},
};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts from the first call on.
pub(crate) fn count() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(info);
        }));
    });
}

pub(crate) fn counted() -> usize {
    PANICS.load(Ordering::SeqCst)
}
