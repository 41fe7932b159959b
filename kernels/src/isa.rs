//! Which instructions are used, chosen once at run time.

use std::{fmt, str::FromStr};

/// A path that this machine can run: holding one is the proof, so launchers need not ask again.
///
/// There is none for AVX512-BF16 or AMX. `VDPBF16PS` flushes denormals and rounds activations to eight bits of mantissa, which
/// the other paths could not repeat cheaply; tiles of AMX have exact integer sums, so that they could be one, and are not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Path);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

/// Name of a path, whether or not this machine can run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsaName {
    /// `scalar`: the reference.
    Scalar,
    /// `avx2`: AVX2, FMA and F16C.
    Avx2,
    /// `avx512-vnni`: AVX-512 F, BW, VL, DQ and VNNI.
    Avx512Vnni,
}

/// A name that is none of a path's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no path has that name")]
pub struct UnknownIsa;

impl IsaName {
    /// Every name, fastest path first.
    pub const ALL: [Self; 3] = [Self::Avx512Vnni, Self::Avx2, Self::Scalar];

    /// Stable name, as in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512Vnni => "avx512-vnni",
        }
    }
}

impl FromStr for IsaName {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Self, UnknownIsa> {
        let mut all = Self::ALL.into_iter();
        all.find(|isa| isa.as_str() == name).ok_or(UnknownIsa)
    }
}

impl fmt::Display for IsaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Isa {
    /// The fastest path of this machine.
    pub fn detect() -> Self {
        Self::all_here().next().unwrap_or(Self::scalar())
    }

    /// The path of that name, if this machine can run it.
    pub fn here(name: IsaName) -> Option<Self> {
        match name {
            IsaName::Scalar => Some(Self(Path::Scalar)),
            #[cfg(target_arch = "x86_64")]
            IsaName::Avx2 => has_avx2().then_some(Self(Path::Avx2)),
            #[cfg(target_arch = "x86_64")]
            IsaName::Avx512Vnni => has_avx512_vnni().then_some(Self(Path::Avx512Vnni)),
            #[cfg(not(target_arch = "x86_64"))]
            _ => None,
        }
    }

    /// Every path that this machine can run, fastest first.
    pub fn all_here() -> impl Iterator<Item = Self> {
        IsaName::ALL.into_iter().filter_map(Self::here)
    }

    /// The reference path, which every machine can run.
    pub fn scalar() -> Self {
        Self(Path::Scalar)
    }

    /// Stable name, as in the manifest.
    pub fn name(self) -> &'static str {
        let name = match self.0 {
            Path::Scalar => IsaName::Scalar,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => IsaName::Avx2,
            #[cfg(target_arch = "x86_64")]
            Path::Avx512Vnni => IsaName::Avx512Vnni,
        };
        name.as_str()
    }

    pub(crate) fn path(self) -> Path {
        self.0
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512_vnni() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in IsaName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for other in ["", "auto", "Scalar", "avx512"] {
            assert_eq!(other.parse::<IsaName>(), Err(UnknownIsa));
        }
    }

    #[test]
    fn what_is_here_has_the_name_it_was_asked_by() {
        for name in IsaName::ALL {
            let isa = Isa::here(name);
            assert!(isa.is_none_or(|isa| isa.name() == name.as_str()));
        }
        assert_eq!(Isa::here(IsaName::Scalar), Some(Isa::scalar()));
        assert_eq!(Isa::all_here().next(), Some(Isa::detect()));
    }
}
