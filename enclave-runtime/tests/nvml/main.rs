//! Evidence of GPUs through NVML, against a library that is compiled here and does as it is told.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unsafe_code,
    reason = "tests; the library's state is shared with C"
)]

mod answers;
mod fake;
mod genuine;
mod identities;
mod node;
mod refusals;
