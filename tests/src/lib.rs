//! What the end-to-end tests and the demo share: child processes that end with their parent, a peer that does harm, a look into memory.
//!
//! Not shipped. The one place where invented vendors meet the shipped libraries.

pub mod child;
pub mod fault;
pub mod memory;
