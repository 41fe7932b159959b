//! What the end-to-end tests and the demo share: the whole stack on loopback, peers that do harm or listen, a look into memory.
//!
//! Not shipped. The one place where invented vendors meet the shipped libraries.

pub mod child;
pub mod fault;
pub mod fleet;
pub mod gateway_process;
pub mod memory;
pub mod publication;
pub mod releaser_process;
pub mod sealed;
pub mod stack;
pub mod streams;
pub mod wiretap;
