//! The WASM module of npm package `narthex`: [`session`] as orders and answers, each a frame of JSON and bytes. The page does the HTTP.
//!
//! It imports one function, `narthex.random`, and trusts the vendors' roots and no others. [`Worker::composed`] is for the test module of
//! invented vendors, which does not ship.

#[cfg(target_arch = "wasm32")]
pub mod abi;
mod answer;
mod frame;
mod handles;
mod order;
mod worker;

pub use frame::Frame;
pub use worker::Worker;
