//! The simulated vendor's public roots, as the runtime's process leaves them for the others. Its keys never leave that process.

use attestation::Verifier;
use std::{fs, io, path::Path};
use tee_sim::Vendor;

const ARK: &str = "simulated-ark.der";
const ASK: &str = "simulated-ask.der";

/// Writes the roots.
pub(crate) fn publish(directory: &Path, vendor: &Vendor) -> io::Result<()> {
    fs::write(directory.join(ARK), vendor.ark_der())?;
    fs::write(directory.join(ASK), vendor.ask_der())
}

/// A verifier that trusts them; what it verifies is `Anchors::Custom`.
pub(crate) fn verifier(directory: &Path) -> io::Result<Verifier> {
    Ok(tee_sim::verifier(
        &fs::read(directory.join(ARK))?,
        &fs::read(directory.join(ASK))?,
    ))
}
