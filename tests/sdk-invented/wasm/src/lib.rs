//! Not shipped: the WASM module of npm package `narthex` under the roots of invented vendors. It is a module of its own, so that the one
//! that ships has no way to other roots than the vendors'.

#[cfg(target_arch = "wasm32")]
mod abi;

use attestation::{danger, roots::Roots};
use narthex_wasm::Frame;
use session::{Composition, Random};

/// A composition for the roots in `frame`, whose bytes are five DER certificates, each after its length (u32, little-endian): AMD's root
/// and intermediate, Intel's root, NVIDIA's roots of devices and of manifests.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's module, under the roots of invented vendors"
)]
#[must_use]
pub fn composition(frame: &[u8], random: Random) -> Option<Composition> {
    let frame = Frame::parse(frame)?;
    let mut rest: &[u8] = &frame.bytes;
    let [ark, ask, intel, device, rim] = [(); 5].map(|()| take(&mut rest));
    let roots = Roots {
        snp: danger::snp_roots(ark?, ask?),
        tdx: danger::tdx_roots(intel?),
        nvidia: danger::nvidia_roots(device?, rim?),
    };
    Some(Composition {
        verifier: danger::verifier(roots),
        policy: policy::danger::accept_custom_anchors,
        random,
    })
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (taken, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}
