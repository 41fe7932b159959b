//! The windows that a verdict rests on, each with the refusal outside of it.

use super::TdxError;
use crate::{UnixTime, Window};

/// In the order of the steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Windows(Vec<(Window, TdxError)>);

impl Windows {
    pub(super) fn push(&mut self, window: Window, outside: TdxError) {
        self.0.push((window, outside));
    }

    /// When all hold.
    pub(super) fn meet(&self) -> Window {
        let windows = self.0.iter().map(|(window, _)| *window);
        windows.fold(Window::ALWAYS, Window::meet)
    }

    /// That all hold at `now`.
    pub(super) fn check(&self, now: UnixTime) -> Result<(), TdxError> {
        let passed = self.0.iter().find(|(window, _)| !window.contains(now));
        passed.map_or(Ok(()), |(_, error)| Err(error.clone()))
    }
}
