//! The reference manifests given, verified, and which of them are a device's.

use super::{
    Device, Kind, Missing, NvidiaError, OcspSubject, References,
    revocation::{Responses, Revocation},
    rim::{KnownAuthorities, Rim, RimKind, VerifiedRim},
};
use crate::{UnixTime, Window, roots::NvidiaRoots, x509::Certificate};

/// References that parse; nothing in them is authentic yet.
pub(super) struct ParsedReferences<'a> {
    rims: Vec<Rim>,
    responses: Responses<'a>,
}

/// Reference manifests, verified once: they serve every device and every report until their window ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReferences {
    manifests: Vec<Manifest>,
}

/// One manifest with what is known of its signers' revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) rim: VerifiedRim,
    pub(super) revocation: Revocation,
}

impl<'a> ParsedReferences<'a> {
    pub(super) fn parse(references: &'a References) -> Result<Self, NvidiaError> {
        let rims =
            references.rims.iter().enumerate().map(|(index, xml)| {
                Rim::parse(xml).map_err(|error| NvidiaError::Rim(index, error))
            });
        Ok(Self {
            rims: rims.collect::<Result<_, _>>()?,
            responses: Responses::parse(&references.ocsp)?,
        })
    }

    /// Verifies every manifest given, whether a device needs it or not; the responses are left for the devices.
    pub(super) fn verify(
        self,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<(VerifiedReferences, Responses<'a>), NvidiaError> {
        let mut known = KnownAuthorities::default();
        let rims = self.rims.into_iter().enumerate().map(|(index, rim)| {
            rim.verify_beside(&mut known, roots, now)
                .map_err(|error| NvidiaError::Rim(index, error))
        });
        let rims: Vec<VerifiedRim> = rims.collect::<Result<_, _>>()?;
        check_unique(&rims)?;
        let manifests = rims
            .into_iter()
            .map(|rim| Manifest::new(rim, &self.responses, now));
        let manifests = manifests.collect::<Result<_, _>>()?;
        Ok((VerifiedReferences { manifests }, self.responses))
    }
}

impl VerifiedReferences {
    /// Verifies every manifest and response of `references` at `now`.
    pub fn verify(
        references: &References,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<Self, NvidiaError> {
        let (verified, _) = ParsedReferences::parse(references)?.verify(roots, now)?;
        Ok(verified)
    }

    /// When all of them may be used.
    #[must_use]
    pub fn window(&self) -> Window {
        let windows = self.manifests.iter().map(Manifest::window);
        windows.fold(Window::ALWAYS, Window::meet)
    }

    /// The manifest of a GPU's driver: same chip, same version.
    pub(super) fn driver_of(&self, device: &Device) -> Option<&Manifest> {
        let version = device.driver_version.as_deref()?;
        self.find(RimKind::GpuDriver, &device.chip, version)
    }

    /// The manifest of what the device boots from: same chip, same version.
    pub(super) fn vbios_of(&self, device: &Device) -> Option<&Manifest> {
        let kind = match device.kind() {
            Kind::Gpu => RimKind::GpuVbios,
            Kind::Switch => RimKind::SwitchBios,
        };
        self.find(kind, &device.chip, &device.vbios_version)
    }

    /// The manifests that are neither: `GH100 550.144.03`.
    pub(super) fn others_than(&self, device: &Device) -> Vec<String> {
        let used = [self.driver_of(device), self.vbios_of(device)];
        let is_other = |manifest: &&Manifest| !used.contains(&Some(manifest));
        let others = self.manifests.iter().filter(is_other);
        others.map(|manifest| label(&manifest.rim)).collect()
    }

    fn find(&self, kind: RimKind, chip: &str, version: &str) -> Option<&Manifest> {
        self.manifests
            .iter()
            .find(|one| one.rim.kind == kind && one.rim.name == chip && one.rim.version == version)
    }
}

impl Manifest {
    fn new(
        rim: VerifiedRim,
        responses: &Responses<'_>,
        now: UnixTime,
    ) -> Result<Self, NvidiaError> {
        let path = rim.certificates.iter().map(|der| Certificate::parse(der));
        let path = path.collect::<Option<Vec<_>>>().unwrap_or_default();
        let path: Vec<&Certificate<'_>> = path.iter().collect();
        let subject = |index| OcspSubject::Rim(label(&rim), index);
        let revocation = responses.check(&path, 0, subject, now)?;
        Ok(Self { rim, revocation })
    }

    /// When its chain is valid and the responses about its signers hold.
    pub(super) fn window(&self) -> Window {
        self.rim.window.meet(self.revocation.window)
    }

    /// What its verdict lacks.
    pub(super) fn missing(&self) -> impl Iterator<Item = Missing> {
        self.revocation.missing.iter().cloned()
    }
}

/// Two manifests for the same firmware leave open which one is right.
fn check_unique(rims: &[VerifiedRim]) -> Result<(), NvidiaError> {
    let mut rest = rims;
    while let Some((first, later)) = rest.split_first() {
        let is_double = |other: &&VerifiedRim| {
            (other.kind, &other.name, &other.version) == (first.kind, &first.name, &first.version)
        };
        if let Some(double) = later.iter().find(is_double) {
            return Err(NvidiaError::RimDoubled(label(double)));
        }
        rest = later;
    }
    Ok(())
}

/// `GH100 550.90.07`.
fn label(rim: &VerifiedRim) -> String {
    format!("{} {}", rim.name, rim.version)
}
