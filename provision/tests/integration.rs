//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.

mod collateral_fetch;
mod collateral_recorded;
mod keys;
mod policy_keeper;
mod policy_refused;
mod policy_server;
mod support;
