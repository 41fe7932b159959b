//! What stands beside a policy when it judges.

use crate::{Inventory, Orders, Timestamp};

/// The documents beside the policy; a rule that needs one which is absent is unmet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// Whose each piece of hardware is.
    pub(crate) inventory: Option<&'a Inventory>,
    /// What is stopped.
    pub(crate) orders: &'a Orders,
    /// The word that these documents are the newest.
    pub(crate) timestamp: Option<&'a Timestamp>,
}

impl<'a> Surroundings<'a> {
    /// Nothing beside the policy but `orders`.
    pub(crate) const fn with(orders: &'a Orders) -> Self {
        Self {
            inventory: None,
            orders,
            timestamp: None,
        }
    }
}
