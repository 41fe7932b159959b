//! tee-sim.
