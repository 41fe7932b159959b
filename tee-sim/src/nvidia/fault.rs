//! Points to be wrong in, one at a time.

mod device;
mod manifest;
mod revocation;

use super::Draft;
use crate::{Validity, vendor::NOT_BEFORE};

/// One point in which evidence or references can be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What is wrong.
    pub name: &'static str,
    /// The code that must tell it.
    pub code: &'static str,
    /// Makes it wrong.
    pub make: fn(&mut Draft),
}

/// Of reports and chains, of manifests and measurements, of OCSP responses.
pub const FAULTS: [&[Fault]; 3] = [device::FAULTS, manifest::FAULTS, revocation::FAULTS];

const fn fault(name: &'static str, code: &'static str, make: fn(&mut Draft)) -> Fault {
    Fault { name, code, make }
}

/// Over for long.
const PAST: Validity = Validity {
    not_before: NOT_BEFORE,
    not_after: NOT_BEFORE.plus(1),
};

/// Not for centuries.
const FUTURE: Validity = Validity {
    not_before: NOT_BEFORE.plus(1 << 34),
    not_after: NOT_BEFORE.plus(1 << 35),
};
