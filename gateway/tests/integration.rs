//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.

mod access_test;
mod admission_test;
mod client_test;
mod command_test;
mod distribution_test;
mod orders_test;
mod policy_reload_test;
mod relay_test;
mod support;
mod verdict_test;
