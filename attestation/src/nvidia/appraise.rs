//! Whether the firmware of an authentic device is what NVIDIA says that it should be.

use super::{
    Authentic, DeviceClaims, Firmware, Missing, NvidiaError,
    manifests::{Manifest, VerifiedReferences},
    measurements,
    revocation::Revocation,
};
use crate::{UnixTime, Window};

/// Judges the measurements; what is lacking is told when everything else is right.
pub(super) fn appraise(
    authentic: &Authentic,
    revocation: &Revocation,
    references: &VerifiedReferences,
    now: UnixTime,
) -> Result<DeviceClaims, NvidiaError> {
    let device = authentic.device();
    let [driver, vbios] = [references.driver_of(device), references.vbios_of(device)];
    let used = || driver.into_iter().chain(vbios);
    let manifests = used().map(Manifest::window);
    let window = manifests.fold(device.window.meet(revocation.window), Window::meet);
    if !window.contains(now) {
        return Err(NvidiaError::Window);
    }
    if let (Some(driver), Some(vbios)) = (driver, vbios) {
        measurements::check_apart(driver, vbios)?;
    }
    let compare = |manifest: Option<&Manifest>, firmware| {
        let compared = manifest.map(|one| measurements::compare(authentic, one, firmware));
        compared.transpose()
    };
    let claims = DeviceClaims {
        device: device.clone(),
        driver_rim: compare(driver, Firmware::Driver)?,
        vbios_rim: compare(vbios, Firmware::Vbios)?,
        unused_rims: references.others_than(device),
        window,
    };
    let missing: Vec<_> = absent_manifests(&claims)
        .chain(revocation.missing.iter().cloned())
        .chain(used().flat_map(Manifest::missing))
        .collect();
    complete(claims, missing)
}

fn absent_manifests(claims: &DeviceClaims) -> impl Iterator<Item = Missing> {
    let driver = match claims.driver_rim {
        Some(_) => None,
        None => claims.device.driver_rim_name(),
    };
    let vbios = match claims.vbios_rim {
        Some(_) => None,
        None => Some(claims.device.vbios_rim_name()),
    };
    driver.into_iter().chain(vbios).map(Missing::Rim)
}

fn complete(claims: DeviceClaims, missing: Vec<Missing>) -> Result<DeviceClaims, NvidiaError> {
    if missing.is_empty() {
        return Ok(claims);
    }
    Err(NvidiaError::Incomplete {
        missing,
        found: Box::new(claims),
    })
}
