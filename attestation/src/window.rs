//! When something holds: the intersection of the windows of everything that a verdict rests on.

use crate::UnixTime;

/// From `not_before` to `not_after`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First second.
    pub not_before: UnixTime,
    /// Last second.
    pub not_after: UnixTime,
}

impl Window {
    /// Always.
    pub const ALWAYS: Self = Self {
        not_before: UnixTime(0),
        not_after: UnixTime(u64::MAX),
    };

    /// Whether `now` is in it.
    #[must_use]
    pub fn contains(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// When both hold; contains nothing if they never do.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        Self {
            not_before: self.not_before.max(other.not_before),
            not_after: self.not_after.min(other.not_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{UnixTime, Window};

    const fn window(not_before: u64, not_after: u64) -> Window {
        Window {
            not_before: UnixTime(not_before),
            not_after: UnixTime(not_after),
        }
    }

    #[test]
    fn both_ends_are_included() {
        let times = [4, 5, 6, 7].map(|now| window(5, 6).contains(UnixTime(now)));
        assert_eq!(times, [false, true, true, false]);
    }

    #[test]
    fn windows_that_do_not_touch_leave_nothing() {
        assert_eq!(window(1, 5).meet(window(3, 9)), window(3, 5));
        let nothing = window(1, 2).meet(window(4, 5));
        assert!((0..9).all(|now| !nothing.contains(UnixTime(now))));
        assert_eq!(Window::ALWAYS.meet(window(1, 2)), window(1, 2));
    }
}
