//! AR4SI's trustworthiness claims (draft-ietf-rats-ar4si-09 section 2.3).

use std::collections::BTreeMap;

/// Conclusions that a relying party may draw; ordered from none over the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The verifier tells nothing.
    None,
    /// It affirms.
    Affirming,
    /// It affirms in part.
    Warning,
    /// It advises against trust.
    Contraindicated,
}

impl Tier {
    /// The tier of a trustworthiness claim's value.
    #[must_use]
    pub const fn of(value: i8) -> Self {
        match value {
            -1..=1 => Self::None,
            -32..=31 => Self::Affirming,
            -96..=95 => Self::Warning,
            _ => Self::Contraindicated,
        }
    }

    /// In JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::Contraindicated => "contraindicated",
        }
    }

    /// In CBOR.
    #[must_use]
    pub const fn value(self) -> i8 {
        match self {
            Self::None => 0,
            Self::Affirming => 2,
            Self::Warning => 32,
            Self::Contraindicated => 96,
        }
    }
}

/// What a trustworthiness claim is about; the discriminant is its key in CBOR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Which attester this is.
    InstanceIdentity = 0,
    /// How it is configured.
    Configuration = 1,
    /// What it runs.
    Executables = 2,
    /// What lies on its disks.
    FileSystem = 3,
    /// Its hardware and firmware.
    Hardware = 4,
    /// Whether others can look into its memory.
    RuntimeOpaque = 5,
    /// Whether others can look into its storage.
    StorageOpaque = 6,
    /// Where its data come from.
    SourcedData = 7,
}

impl Aspect {
    /// In JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstanceIdentity => "instance-identity",
            Self::Configuration => "configuration",
            Self::Executables => "executables",
            Self::FileSystem => "file-system",
            Self::Hardware => "hardware",
            Self::RuntimeOpaque => "runtime-opaque",
            Self::StorageOpaque => "storage-opaque",
            Self::SourcedData => "sourced-data",
        }
    }
}

/// The claims made, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustworthinessVector(BTreeMap<Aspect, i8>);

impl TrustworthinessVector {
    /// Claims `value` of `aspect`; of two claims of one aspect the worse one stays.
    pub fn claim(&mut self, aspect: Aspect, value: i8) {
        let held = self.0.entry(aspect).or_insert(value);
        if Tier::of(value) > Tier::of(*held) {
            *held = value;
        }
    }

    /// What is claimed of `aspect`.
    #[must_use]
    pub fn get(&self, aspect: Aspect) -> Option<i8> {
        self.0.get(&aspect).copied()
    }

    /// Every claim, in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (Aspect, i8)> + '_ {
        self.0.iter().map(|(aspect, value)| (*aspect, *value))
    }

    /// The worst tier of all claims.
    #[must_use]
    pub fn tier(&self) -> Tier {
        let tiers = self.0.values().map(|value| Tier::of(*value));
        tiers.max().unwrap_or(Tier::None)
    }
}
