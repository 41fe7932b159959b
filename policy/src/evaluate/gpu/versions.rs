//! The versions of drivers and firmware against lists and floors.

use super::{
    super::{listed, told},
    device::{has_text, of_device},
};
use crate::{
    AllowList, Reason,
    gpu::{DriverRules, VbiosRules, VersionFloor},
};
use attestation::nvidia::Device;

/// What is judged. A GPU that tells no driver has none that could be accepted.
struct Version<'a> {
    code: &'static str,
    index: usize,
    actual: Option<&'a str>,
}

/// A driver must be listed and not below the floor.
pub(super) fn driver<'a>(
    rules: &'a DriverRules,
    index: usize,
    device: &'a Device,
) -> impl Iterator<Item = Reason> + 'a {
    let version = Version {
        code: "policy.gpu.driver",
        index,
        actual: device.driver_version.as_deref(),
    };
    let unlisted = version.unlisted("gpu.drivers", rules.listed.as_ref());
    let below = rules.minimum.as_ref();
    let below = below.and_then(|floor| driver_below(&version, floor));
    unlisted.into_iter().chain(below)
}

fn driver_below(version: &Version<'_>, floor: &VersionFloor) -> Option<Reason> {
    let is_met = version.is(|actual| floor.accepts(actual));
    (!is_met).then(|| version.below("gpu.minimum_driver", &told(floor.as_str())))
}

/// Firmware must be listed and not below the floor of its line.
pub(super) fn vbios<'a>(
    rules: &'a VbiosRules,
    index: usize,
    device: &'a Device,
) -> impl Iterator<Item = Reason> + 'a {
    let version = Version {
        code: "policy.gpu.vbios",
        index,
        actual: Some(device.vbios_version.as_str()),
    };
    let unlisted = version.unlisted("gpu.vbios", rules.listed.as_ref());
    let below = rules.minimum.as_ref();
    let below = below.and_then(|floors| vbios_below(&version, floors));
    unlisted.into_iter().chain(below)
}

fn vbios_below(version: &Version<'_>, floors: &AllowList<VersionFloor>) -> Option<Reason> {
    let is_met = version.is(|actual| {
        let mut floors = floors.iter();
        floors.any(|floor| floor.is_of_one_line(actual) && floor.accepts(actual))
    });
    (!is_met).then(|| {
        let floors = listed(floors.iter().map(|floor| told(floor.as_str())));
        version.below("gpu.minimum_vbios", &floors)
    })
}

impl Version<'_> {
    fn is(&self, accepts: impl FnOnce(&str) -> bool) -> bool {
        self.actual.is_some_and(accepts)
    }

    fn unlisted(&self, rule: &str, accepted: Option<&AllowList<String>>) -> Option<Reason> {
        let accepted = accepted?;
        let is_listed = self.is(|actual| has_text(accepted, actual));
        (!is_listed).then(|| {
            let expected = listed(accepted.iter().map(|one| told(one)));
            Reason::new(self.code, rule, expected, self.told())
        })
    }

    fn below(&self, rule: &str, floors: &str) -> Reason {
        Reason::new(self.code, rule, format!("{floors} or later"), self.told())
    }

    fn told(&self) -> String {
        of_device(&told(self.actual.unwrap_or("none")), self.index)
    }
}
