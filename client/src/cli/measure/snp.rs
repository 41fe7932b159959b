//! `narthex measure snp`: an SNP launch digest from OVMF, kernel, initrd and command line.

use super::{
    super::{Context, Exit, Failure, files},
    Registers, Telling,
};
use attestation::measure::snp::{
    BootDigests, Guest, VCPU_TYPES, Vmm, launch_digest, vcpu_type_signature,
};
use clap::{Args, ValueEnum, builder::PossibleValuesParser};
use std::path::PathBuf;

const MAX_FIRMWARE_BYTES: usize = 64 * 1024 * 1024;

/// Compute an SNP launch digest: MEASUREMENT of the guest's reports
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex measure snp --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-Milan
  narthex measure snp --ovmf OVMF.amdsev.fd --vcpus 4 --vcpu-type EPYC-Genoa --kernel vmlinuz --initrd initrd.img \\
      --append 'console=ttyS0' --explain
  narthex measure snp --ovmf ovmf_img.fd --vcpus 4 --vmm ec2 --expect b756dd..

The digest depends on nothing else: two guests with the same digest were started from the same files.")]
pub(crate) struct Snp {
    /// Firmware image with SEV metadata (one file; with separate variables the code alone, if that is what is started)
    #[arg(long, value_name = "FILE")]
    ovmf: PathBuf,
    /// Number of virtual CPUs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    vcpus: u32,
    /// QEMU's type of virtual CPU; under ec2 and gce it does not count
    #[arg(long, value_name = "TYPE", value_parser = vcpu_types(), ignore_case = true)]
    vcpu_type: Option<String>,
    /// EDX of a virtual CPU at reset, instead of that of --vcpu-type or --vmm
    #[arg(long, value_name = "HEX", value_parser = parse_hex_u32, conflicts_with = "vcpu_type")]
    reset_edx: Option<u32>,
    /// SEV_FEATURES of a virtual CPU
    #[arg(long, value_name = "HEX", default_value = "0x1", value_parser = parse_hex)]
    guest_features: u64,
    /// Who starts the guest
    #[arg(long, value_enum, default_value_t = VmmName::Qemu)]
    vmm: VmmName,
    /// Kernel that is started directly
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,
    /// Its initrd
    #[arg(long, value_name = "FILE", requires = "kernel")]
    initrd: Option<PathBuf>,
    /// Its command line, exactly as given to QEMU
    #[arg(
        long,
        value_name = "TEXT",
        requires = "kernel",
        allow_hyphen_values = true
    )]
    append: Option<String>,
    #[command(flatten)]
    telling: Telling,
}

#[derive(Clone, Copy, ValueEnum)]
enum VmmName {
    Qemu,
    Ec2,
    Gce,
}

impl From<VmmName> for Vmm {
    fn from(name: VmmName) -> Self {
        match name {
            VmmName::Qemu => Self::Qemu,
            VmmName::Ec2 => Self::Ec2,
            VmmName::Gce => Self::Gce,
        }
    }
}

impl Snp {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let vmm = Vmm::from(self.vmm);
        let reset_edx = self.reset_edx(vmm)?;
        let firmware = files::read(&self.ovmf, MAX_FIRMWARE_BYTES)?;
        let guest = Guest {
            firmware: &firmware,
            vcpus: self.vcpus,
            vmm,
            reset_edx,
            guest_features: self.guest_features,
            boot: self.boot()?,
        };
        let measurement = launch_digest(&guest)?;
        self.telling
            .tell(&measurement, &Registers::default(), context)
    }

    fn reset_edx(&self, vmm: Vmm) -> Result<u32, Failure> {
        let of_type = self.vcpu_type.as_deref().and_then(vcpu_type_signature);
        self.reset_edx
            .or(vmm.reset_edx())
            .or(of_type)
            .ok_or_else(|| {
                Failure::usage("measure.snp.vcpu_type", "no type of virtual CPU is given")
                    .advice("give --vcpu-type TYPE as in QEMU's -cpu")
            })
    }

    fn boot(&self) -> Result<Option<BootDigests>, Failure> {
        let Some(kernel) = &self.kernel else {
            return Ok(None);
        };
        let of_nothing = BootDigests::of(&[], &[], self.append.as_deref().unwrap_or_default());
        Ok(Some(BootDigests {
            kernel: files::sha256(kernel)?,
            initrd: match &self.initrd {
                Some(initrd) => files::sha256(initrd)?,
                None => of_nothing.initrd,
            },
            ..of_nothing
        }))
    }
}

fn vcpu_types() -> PossibleValuesParser {
    PossibleValuesParser::new(VCPU_TYPES.iter().map(|(name, _)| *name))
}

fn parse_hex(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).map_err(|_| "not a hexadecimal number".to_owned())
}

fn parse_hex_u32(text: &str) -> Result<u32, String> {
    u32::try_from(parse_hex(text)?).map_err(|_| "more than 32 bits".to_owned())
}
