//! TCB statuses and how those of several components become one.

use serde::Deserialize;

/// `tcbStatus` of Intel's API v4, and what is said of a TD 1.5 whose module was updated under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum TcbStatus {
    /// Every fix is in.
    UpToDate,
    /// Up to date; software must protect itself.
    #[serde(rename = "SWHardeningNeeded")]
    SwHardeningNeeded,
    /// Up to date; the platform must be configured otherwise.
    ConfigurationNeeded,
    /// Both of the two before.
    #[serde(rename = "ConfigurationAndSWHardeningNeeded")]
    ConfigurationAndSwHardeningNeeded,
    /// Fixes are missing.
    OutOfDate,
    /// Fixes are missing, and the platform must be configured otherwise.
    OutOfDateConfigurationNeeded,
    /// The TDX module has been updated since the TD was launched: a new launch makes the TD up to date.
    #[serde(skip)]
    TdRelaunchAdvised,
    /// The same, and the platform must be configured otherwise.
    #[serde(skip)]
    TdRelaunchAdvisedConfigurationNeeded,
    /// Not to be trusted any more.
    Revoked,
}

/// The statuses taken apart: what a component has, all have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Faults {
    revoked: bool,
    out_of_date: bool,
    configuration: bool,
    hardening: bool,
}

impl TcbStatus {
    /// The status of two components together: as good as the worse of them in every respect.
    ///
    /// Where a component is OutOfDate or Revoked this is `convergeTcbStatuses` of Intel's QVL. QVL lets other statuses of a
    /// quoting enclave or module pass as if they were UpToDate; here they count.
    #[must_use]
    pub fn converge(self, other: Self) -> Self {
        self.faults().with(other.faults()).status()
    }

    /// What TEE_TCB_SVN at launch (`self`) and TEE_TCB_SVN2 now (`current`) make together, `checkForRelaunch` of Intel's QVL.
    ///
    /// A `current` that is worse than the launch counts; QVL ignores it.
    #[must_use]
    pub fn check_for_relaunch(self, current: Self) -> Self {
        let (launch, now) = (self.faults(), current.faults());
        let is_mended = launch.out_of_date && !now.out_of_date;
        if !is_mended || launch.revoked || now.revoked {
            return self.converge(current);
        }
        if launch.configuration || now.configuration {
            Self::TdRelaunchAdvisedConfigurationNeeded
        } else {
            Self::TdRelaunchAdvised
        }
    }

    /// Whether fixes are missing, for the TD as it runs.
    #[must_use]
    pub fn is_out_of_date(self) -> bool {
        self.faults().out_of_date
    }

    /// Intel's spelling.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpToDate => "UpToDate",
            Self::SwHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSwHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::TdRelaunchAdvised => "TDRelaunchAdvised",
            Self::TdRelaunchAdvisedConfigurationNeeded => "TDRelaunchAdvisedConfigurationNeeded",
            Self::Revoked => "Revoked",
        }
    }

    const fn faults(self) -> Faults {
        use TcbStatus::*;
        Faults {
            revoked: matches!(self, Revoked),
            out_of_date: matches!(
                self,
                OutOfDate
                    | OutOfDateConfigurationNeeded
                    | TdRelaunchAdvised
                    | TdRelaunchAdvisedConfigurationNeeded
            ),
            configuration: matches!(
                self,
                ConfigurationNeeded
                    | ConfigurationAndSwHardeningNeeded
                    | OutOfDateConfigurationNeeded
                    | TdRelaunchAdvisedConfigurationNeeded
            ),
            hardening: matches!(self, SwHardeningNeeded | ConfigurationAndSwHardeningNeeded),
        }
    }
}

impl std::fmt::Display for TcbStatus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Faults {
    const fn with(self, other: Self) -> Self {
        Self {
            revoked: self.revoked || other.revoked,
            out_of_date: self.out_of_date || other.out_of_date,
            configuration: self.configuration || other.configuration,
            hardening: self.hardening || other.hardening,
        }
    }

    /// The gravest status that tells of these; hardening is not told of what is out of date.
    const fn status(self) -> TcbStatus {
        match (
            self.revoked,
            self.out_of_date,
            self.configuration,
            self.hardening,
        ) {
            (true, ..) => TcbStatus::Revoked,
            (_, true, true, _) => TcbStatus::OutOfDateConfigurationNeeded,
            (_, true, false, _) => TcbStatus::OutOfDate,
            (_, _, true, true) => TcbStatus::ConfigurationAndSwHardeningNeeded,
            (_, _, true, false) => TcbStatus::ConfigurationNeeded,
            (_, _, false, true) => TcbStatus::SwHardeningNeeded,
            _ => TcbStatus::UpToDate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TcbStatus::{self, *};

    const OF_LEVELS: [TcbStatus; 7] = [
        UpToDate,
        SwHardeningNeeded,
        ConfigurationNeeded,
        ConfigurationAndSwHardeningNeeded,
        OutOfDate,
        OutOfDateConfigurationNeeded,
        Revoked,
    ];

    #[test]
    fn an_out_of_date_component_makes_all_out_of_date() {
        for (one, other, together) in [
            (UpToDate, UpToDate, UpToDate),
            (OutOfDate, UpToDate, OutOfDate),
            (SwHardeningNeeded, OutOfDate, OutOfDate),
            (ConfigurationNeeded, OutOfDate, OutOfDateConfigurationNeeded),
            (
                ConfigurationAndSwHardeningNeeded,
                OutOfDate,
                OutOfDateConfigurationNeeded,
            ),
            (UpToDate, ConfigurationNeeded, ConfigurationNeeded),
            (
                SwHardeningNeeded,
                ConfigurationNeeded,
                ConfigurationAndSwHardeningNeeded,
            ),
            (OutOfDateConfigurationNeeded, Revoked, Revoked),
        ] {
            assert_eq!(one.converge(other), together, "{one} {other}");
            assert_eq!(other.converge(one), together, "{other} {one}");
        }
        for status in OF_LEVELS {
            assert_eq!(status.converge(status), status);
            assert_eq!(status.converge(UpToDate), status);
            assert_eq!(Revoked.converge(status), Revoked);
        }
    }

    #[test]
    fn a_mended_module_advises_a_relaunch() {
        for (launch, now, together) in [
            (OutOfDate, UpToDate, TdRelaunchAdvised),
            (OutOfDate, SwHardeningNeeded, TdRelaunchAdvised),
            (
                OutOfDate,
                ConfigurationNeeded,
                TdRelaunchAdvisedConfigurationNeeded,
            ),
            (
                OutOfDateConfigurationNeeded,
                UpToDate,
                TdRelaunchAdvisedConfigurationNeeded,
            ),
            (OutOfDate, OutOfDate, OutOfDate),
            (OutOfDate, Revoked, Revoked),
            (Revoked, UpToDate, Revoked),
            (UpToDate, UpToDate, UpToDate),
            (ConfigurationNeeded, UpToDate, ConfigurationNeeded),
            (UpToDate, OutOfDate, OutOfDate),
        ] {
            assert_eq!(launch.check_for_relaunch(now), together, "{launch} {now}");
        }
    }
}
