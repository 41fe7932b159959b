//! Verification of real evidence against other verifiers, and against the signatures alone, which is the limit; one thread.
//!
//! Cold: everything from bytes. Warm: endorsements and collateral are verified values already, the evidence is new.
//! usage: verify SEV_RUST [PYTHON]    the two peers that are programs of their own; scripts/bench builds them

mod gpu;
mod snp;
mod tdx;

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let mut peers = env::args().skip(1);
    snp::bench(&peers.next().ok_or("where is sev-rust?")?)?;
    tdx::bench()?;
    gpu::bench(&peers.next().ok_or("where is NVIDIA's Python?")?)
}
