//! Which machine evidence is of, by its own words: enough for a runtime to look itself up in an inventory or in an order.

use crate::{
    CpuEvidence, DeviceEvidence, VerifyError,
    nvidia::{self, Pdi},
    snp::NamedVek,
    tdx::{self, NamedPlatform},
};

/// The machine that evidence names. Nothing of it is authentic: it is for looking oneself up, not for judging another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedMachine {
    /// MEASUREMENT or MRTD.
    pub measurement: [u8; 48],
    /// The CPU; `None` where the platform masks it or its quote brings no PCK certificate.
    pub cpu: Option<NamedCpu>,
    /// GPUs and switches, in the evidence's order; those whose chain names none are left out.
    pub devices: Vec<Pdi>,
}

/// What names a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedCpu {
    /// CHIP_ID of an SNP report.
    Chip([u8; 64]),
    /// PPID of a PCK certificate.
    Package([u8; 16]),
}

impl NamedMachine {
    /// Reads the evidence of the CPU, which must be well-formed, and of the devices.
    pub fn of(cpu: &CpuEvidence, devices: &[DeviceEvidence]) -> Result<Self, VerifyError> {
        let (measurement, cpu) = match cpu {
            CpuEvidence::Snp(evidence) => of_report(&evidence.report)?,
            CpuEvidence::Tdx(evidence) => of_quote(&evidence.quote)?,
        };
        let named = |device: &DeviceEvidence| nvidia::named_device(&device.chain);
        Ok(Self {
            measurement,
            cpu,
            devices: devices.iter().filter_map(named).collect(),
        })
    }
}

fn of_report(report: &[u8]) -> Result<([u8; 48], Option<NamedCpu>), VerifyError> {
    let named = NamedVek::of_report(report)?;
    Ok((named.measurement, named.chip_id().map(NamedCpu::Chip)))
}

fn of_quote(quote: &[u8]) -> Result<([u8; 48], Option<NamedCpu>), VerifyError> {
    let platform = NamedPlatform::of_quote(quote)?;
    let package = platform.map(|platform| NamedCpu::Package(platform.ppid));
    Ok((tdx::mr_td_in_quote(quote)?, package))
}
