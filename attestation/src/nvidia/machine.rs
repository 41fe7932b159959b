//! All devices of one machine: each verified, then all of them together.

use super::{
    Authentic, Device, DeviceClaims, Evidence, Missing, NvidiaError, References,
    appraise::appraise,
    authentic::Parsed,
    manifests::ParsedReferences,
    topology::{self, TopologyClaims},
};
use crate::{ErrorClass, UnixTime, roots::NvidiaRoots};

/// Claims of every device of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineClaims {
    /// In the order of the evidence.
    pub devices: Vec<DeviceClaims>,
    /// What they say together.
    pub topology: TopologyClaims,
}

impl MachineClaims {
    /// Ids of the steps that had nothing to look at: to be told as skipped, not as passed.
    #[must_use]
    pub fn skipped(&self) -> Vec<&'static str> {
        let no_fwid = self.devices.iter().any(|one| one.device.fwid.is_none());
        let no_links = !self.topology.is_whole;
        let skipped = [
            ("nvidia.fwid", no_fwid),
            ("nvidia.pdi", self.topology.switches == 0),
            ("nvidia.topology.nonce", self.devices.len() == 1),
            ("nvidia.topology.feature", self.topology.gpus == 1),
            ("nvidia.topology.omitted", no_links),
            ("nvidia.topology.linked", no_links),
        ];
        let skipped = skipped.into_iter().filter(|(_, is_skipped)| *is_skipped);
        skipped.map(|(id, _)| id).collect()
    }
}

/// Why a machine's devices were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineRefusal {
    /// The gravest refusal, the first of them.
    pub error: NvidiaError,
    /// Whose it is, counted from 0; `None` if it is about all of them.
    pub index: Option<usize>,
    /// Every device, where all of them are authentic.
    pub devices: Vec<Device>,
    /// What they say together, where they do.
    pub topology: Option<TopologyClaims>,
}

impl std::fmt::Display for MachineRefusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.index {
            Some(index) => write!(formatter, "device {index}: {}", self.error),
            None => self.error.fmt(formatter),
        }
    }
}

impl std::error::Error for MachineRefusal {}

/// Verifies every device, and [`topology::check`]s them together. The verdict is computed over all of them: one refusal is a refusal.
pub fn verify_all(
    evidence: &[Evidence<'_>],
    references: &References,
    nonce: Option<&[u8; 32]>,
    roots: &NvidiaRoots,
    now: UnixTime,
) -> Result<MachineClaims, Box<MachineRefusal>> {
    let parsed = evidence.iter().map(|one| Parsed::parse(one, roots));
    let parsed = all(parsed).map_err(MachineRefusal::of_one)?;
    let references = ParsedReferences::parse(references);
    let references = references.map_err(|error| MachineRefusal::of_all(error, &[]))?;
    let authentic = parsed.iter().map(|one| one.authenticate(nonce, roots, now));
    let authentic = all(authentic).map_err(MachineRefusal::of_one)?;
    let of_all = |error| MachineRefusal::of_all(error, &authentic);
    let topology = topology::check(&authentic).map_err(of_all)?;
    let (references, responses) = references.verify(roots, now).map_err(of_all)?;
    let devices = parsed.iter().zip(&authentic).map(|(parsed, authentic)| {
        let pdi = authentic.device().pdi;
        let revocation = parsed.chain.revocation(&responses, pdi, roots, now)?;
        appraise(authentic, &revocation, &references, now)
    });
    match all(devices) {
        Ok(devices) => Ok(MachineClaims { devices, topology }),
        Err(refusal) => Err(Box::new(MachineRefusal {
            topology: Some(topology),
            ..MachineRefusal::of_one(refusal).knowing(&authentic)
        })),
    }
}

impl MachineRefusal {
    fn of_one((index, error): (usize, NvidiaError)) -> Box<Self> {
        Box::new(Self {
            error,
            index: Some(index),
            devices: Vec::new(),
            topology: None,
        })
    }

    fn of_all(error: NvidiaError, authentic: &[Authentic]) -> Box<Self> {
        let refusal = Self {
            error,
            index: None,
            devices: Vec::new(),
            topology: None,
        };
        Box::new(refusal.knowing(authentic))
    }

    fn knowing(self, authentic: &[Authentic]) -> Self {
        Self {
            devices: authentic.iter().map(|one| one.device().clone()).collect(),
            ..self
        }
    }
}

/// All values, or the first of the gravest refusals with its place; what any device lacks is told together.
fn all<T>(
    results: impl Iterator<Item = Result<T, NvidiaError>>,
) -> Result<Vec<T>, (usize, NvidiaError)> {
    let mut values = Vec::new();
    let mut gravest: Option<(usize, NvidiaError)> = None;
    for (index, result) in results.enumerate() {
        match (result, &mut gravest) {
            (Ok(value), _) => values.push(value),
            (Err(error), None) => gravest = Some((index, error)),
            (Err(error), Some((_, known))) if gravity(&error) > gravity(known) => {
                gravest = Some((index, error));
            }
            (Err(error), Some((_, known))) => add_missing(known, &error),
        }
    }
    gravest.map_or(Ok(values), Err)
}

const fn gravity(error: &NvidiaError) -> u8 {
    match error.class() {
        ErrorClass::Malformed => 3,
        ErrorClass::Rejected => 2,
        ErrorClass::Unsupported => 1,
        ErrorClass::Incomplete => 0,
    }
}

fn add_missing(known: &mut NvidiaError, other: &NvidiaError) {
    if let (
        NvidiaError::Incomplete { missing, .. },
        NvidiaError::Incomplete { missing: more, .. },
    ) = (known, other)
    {
        let new: Vec<Missing> = more
            .iter()
            .filter(|one| !missing.contains(one))
            .cloned()
            .collect();
        missing.extend(new);
    }
}
