//! The end of exchanges with a node that may no longer be used.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{Notify, futures::OwnedNotified};

/// Cuts whatever is under way with one node.
#[derive(Debug, Default)]
pub(crate) struct Cutter(Arc<Notify>);

/// Ready once its exchange must end. Hears every cut from its making on, polled or not.
pub(crate) struct Cut(Pin<Box<OwnedNotified>>);

impl Cutter {
    /// For one exchange; made before it is looked up whether the exchange may begin, so that no cut falls between the two.
    pub(crate) fn held(&self) -> Cut {
        Cut(Box::pin(Arc::clone(&self.0).notified_owned()))
    }

    pub(crate) fn cut(&self) {
        self.0.notify_waiters();
    }
}

impl Future for Cut {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn is_cut(cut: &mut Cut) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(cut).poll(&mut context).is_ready()
    }

    #[test]
    fn a_cut_ends_what_began_before_it_and_nothing_else() {
        let (cutter, other) = (Cutter::default(), Cutter::default());
        let (mut unpolled, mut polled, mut elsewhere) =
            (cutter.held(), cutter.held(), other.held());
        assert!(!is_cut(&mut polled));
        cutter.cut();
        let mut later = cutter.held();
        assert!(is_cut(&mut unpolled) && is_cut(&mut polled));
        assert!(!is_cut(&mut elsewhere) && !is_cut(&mut later));
        cutter.cut();
        assert!(is_cut(&mut later));
    }
}
