//! `narthex measure tdx`: MRTD from a TDVF image, the runtime registers from a kernel that is started directly or from an event log.

use super::{
    super::{Context, Exit, Failure, files, report::exit_of_class},
    Registers, Telling,
};
use attestation::{
    eventlog::{EventLog, EventLogError, MAX_LOG_BYTES},
    measure::tdx::{DirectBoot, PageOrder, authenticode_sha384, mrtd},
};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const MAX_FIRMWARE_BYTES: usize = 64 * 1024 * 1024;
const MAX_KERNEL_BYTES: usize = 256 * 1024 * 1024;

/// Compute MRTD of a TD, and RTMRs as far as they follow from files
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex measure tdx --firmware OVMF.fd --explain
  narthex measure tdx --firmware OVMF.fd --kernel vmlinuz --initrd initrd.img --append 'console=ttyS0 initrd=initrd'
  narthex measure tdx --firmware OVMF.fd --event-log ccel.bin --expect a6f2ac..

--expect is about MRTD. RTMR0 depends on memory, ACPI tables and variables: it comes from an event log alone.")]
pub(crate) struct Tdx {
    /// TDVF image (OVMF with TDX metadata)
    #[arg(long, value_name = "FILE")]
    firmware: PathBuf,
    /// Whether each page is measured when it is added or after all of its section are
    #[arg(long, value_enum, default_value_t = PageOrderName::OnePass)]
    page_order: PageOrderName,
    /// Kernel that QEMU hands to the firmware: a PE image, unchanged; gives RTMR1
    #[arg(long, value_name = "FILE", requires_all = ["initrd", "append"])]
    kernel: Option<PathBuf>,
    /// Its initrd; with --append gives RTMR2
    #[arg(long, value_name = "FILE", requires = "kernel")]
    initrd: Option<PathBuf>,
    /// Its load options exactly as the firmware passes them, with `initrd=initrd` where the firmware puts it
    #[arg(
        long,
        value_name = "TEXT",
        requires = "kernel",
        allow_hyphen_values = true
    )]
    append: Option<String>,
    /// Event log (CCEL) that is replayed for the registers that do not follow from the other files
    #[arg(long, value_name = "FILE")]
    event_log: Option<PathBuf>,
    #[command(flatten)]
    telling: Telling,
}

#[derive(Clone, Copy, ValueEnum)]
enum PageOrderName {
    /// Linux from 6.16
    OnePass,
    /// Some hypervisors before it
    TwoPass,
}

impl From<PageOrderName> for PageOrder {
    fn from(name: PageOrderName) -> Self {
        match name {
            PageOrderName::OnePass => Self::OnePass,
            PageOrderName::TwoPass => Self::TwoPass,
        }
    }
}

impl Tdx {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let firmware = files::read(&self.firmware, MAX_FIRMWARE_BYTES)?;
        let measurement = mrtd(&firmware, self.page_order.into())?;
        let registers = self.registers()?;
        self.telling.tell(&measurement, &registers, context)
    }

    /// From the event log; a kernel that is given takes the place of the logged one.
    fn registers(&self) -> Result<Registers, Failure> {
        const NAMES: [&str; 4] = ["RTMR0", "RTMR1", "RTMR2", "RTMR3"];
        let mut registers = Registers::default();
        if let Some(path) = &self.event_log {
            let log = files::read(path, MAX_LOG_BYTES)?;
            let replayed = EventLog::parse(&log).and_then(|log| log.replay());
            let replayed = replayed.map_err(|error| unreadable(&error))?;
            registers.extend(NAMES.into_iter().zip(replayed));
        }
        if let Some(boot) = self.boot()? {
            registers.extend([("RTMR1", boot.rtmr1()), ("RTMR2", boot.rtmr2())]);
        }
        Ok(registers)
    }

    fn boot(&self) -> Result<Option<DirectBoot>, Failure> {
        let (Some(kernel), Some(initrd), Some(append)) = (&self.kernel, &self.initrd, &self.append)
        else {
            return Ok(None);
        };
        let kernel = files::read(kernel, MAX_KERNEL_BYTES)?;
        Ok(Some(DirectBoot {
            kernel: authenticode_sha384(&kernel)?,
            load_options: DirectBoot::load_options(append),
            initrd: files::sha384(initrd)?,
        }))
    }
}

fn unreadable(error: &EventLogError) -> Failure {
    Failure::new(
        exit_of_class(error.class()),
        error.code(),
        error.to_string(),
    )
}
