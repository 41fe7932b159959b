//! Which instructions are used, chosen once at run time.

/// A path that this machine can run: holding one is the proof, so launchers need not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Path);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Isa {
    /// The fastest path of this machine.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vnni")
        {
            return Self(Path::Avx512Vnni);
        }
        Self::scalar()
    }

    /// The reference path, which every machine can run.
    pub fn scalar() -> Self {
        Self(Path::Scalar)
    }

    /// Stable name, as in the manifest.
    pub fn name(self) -> &'static str {
        match self.0 {
            Path::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Path::Avx512Vnni => "avx512-vnni",
        }
    }

    pub(crate) fn path(self) -> Path {
        self.0
    }
}
