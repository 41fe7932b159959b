//! What is needed: by the evidence that the user names, or named itself.

use super::super::super::{Exit, Failure, evidence_file, report};
use attestation::{
    DeviceEvidence, UnixTime, nvidia::EvidenceList, roots::NvidiaRoots, snp::Product,
};
use clap::{Args, ValueEnum};
use provision::collateral::{Needs, NeedsError, PckCa};
use std::path::{Path, PathBuf};

/// The arguments of which one at least must be given.
pub(super) const FLAGS: [&str; 6] = [
    "snp_report",
    "tdx_quote",
    "fmspc",
    "nvidia_report",
    "nvidia_evidence",
    "rim_id",
];

/// Evidence, and names of what no evidence is at hand for.
#[derive(Args)]
#[command(next_help_heading = "What to fetch")]
#[group(skip)]
pub(super) struct NeedArgs {
    /// SNP report: its VCEK, the intermediate, the root's CRL; repeatable
    #[arg(long, value_name = "FILE")]
    snp_report: Vec<PathBuf>,
    /// TDX quote: Intel's collateral for its platform; repeatable
    #[arg(long, value_name = "FILE")]
    tdx_quote: Vec<PathBuf>,
    /// FMSPC of TDX platforms, 12 hexadecimal digits; repeatable
    #[arg(long, value_name = "HEX", value_parser = parse_fmspc)]
    fmspc: Vec<[u8; 6]>,
    /// GPU or switch report: its manifests, and OCSP responses; repeatable, each with its --nvidia-chain
    #[arg(long, value_name = "FILE")]
    nvidia_report: Vec<PathBuf>,
    /// All devices of a machine, as NVIDIA's tools write them: JSON; repeatable
    #[arg(long, value_name = "FILE")]
    nvidia_evidence: Vec<PathBuf>,
    /// Id of a reference manifest in NVIDIA's service; repeatable
    #[arg(long, value_name = "ID")]
    rim_id: Vec<String>,
    #[command(flatten)]
    more: More,
}

/// What evidence does not tell.
#[derive(Args)]
#[group(skip)]
struct More {
    /// Certificates of the device (PEM) whose report stands at the same place
    #[arg(long, value_name = "FILE")]
    nvidia_chain: Vec<PathBuf>,
    /// Product of SNP reports before version 3, which do not tell it
    #[arg(long, value_enum, ignore_case = true)]
    product: Option<ProductArg>,
    /// Issuer of the PCK certificates of the platforms that --fmspc names
    #[arg(long, value_enum, default_value_t = PckCaArg::Platform)]
    pck_ca: PckCaArg,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProductArg {
    Milan,
    Genoa,
    Turin,
}

#[derive(Clone, Copy, ValueEnum)]
enum PckCaArg {
    Platform,
    Processor,
}

impl NeedArgs {
    pub(super) fn read(&self, now: UnixTime) -> Result<Needs, Failure> {
        let mut needs = Needs::default();
        for path in &self.snp_report {
            let report = evidence_file::bytes(path)?;
            let of_report = Needs::of_snp_report(&report, self.product());
            needs = needs.and(told(path, of_report)?);
        }
        for path in &self.tdx_quote {
            let quote = evidence_file::bytes(path)?;
            needs = needs.and(told(path, Needs::of_tdx_quote(&quote))?);
        }
        for fmspc in &self.fmspc {
            needs = needs.and(Needs::of_fmspc(*fmspc, self.pck_ca()));
        }
        for (path, device) in self.devices()? {
            let of_device = Needs::of_nvidia_device(&device, &NvidiaRoots::vendor(), now);
            needs = needs.and(told(path, of_device)?);
        }
        for id in &self.rim_id {
            needs = needs
                .and(Needs::of_rim_id(id).map_err(|error| failure(&error, error.to_string()))?);
        }
        Ok(needs)
    }

    fn product(&self) -> Option<Product> {
        Some(match self.more.product? {
            ProductArg::Milan => Product::Milan,
            ProductArg::Genoa => Product::Genoa,
            ProductArg::Turin => Product::Turin,
        })
    }

    const fn pck_ca(&self) -> PckCa {
        match self.more.pck_ca {
            PckCaArg::Platform => PckCa::Platform,
            PckCaArg::Processor => PckCa::Processor,
        }
    }

    /// Every device, with the file that its report is from.
    fn devices(&self) -> Result<Vec<(&Path, DeviceEvidence)>, Failure> {
        let chains = &self.more.nvidia_chain;
        if self.nvidia_report.len() != chains.len() {
            return Err(Failure::usage(
                "collateral.needs.chain",
                format!(
                    "{} reports of devices, {} chains",
                    self.nvidia_report.len(),
                    chains.len()
                ),
            )
            .advice("give --nvidia-chain once for each --nvidia-report, in the same order"));
        }
        let mut devices = Vec::new();
        for (path, chain) in self.nvidia_report.iter().zip(chains) {
            let device = DeviceEvidence {
                report: evidence_file::bytes(path)?,
                chain: evidence_file::certificates(chain)?,
            };
            devices.push((path.as_path(), device));
        }
        for path in &self.nvidia_evidence {
            let list = EvidenceList::from_json(&evidence_file::bytes(path)?);
            let list = list.map_err(|error| {
                let message = format!("{}: {error}", path.display());
                Failure::new(Exit::Malformed, error.code(), message)
            })?;
            devices.extend(
                list.devices
                    .into_iter()
                    .map(|device| (path.as_path(), device)),
            );
        }
        Ok(devices)
    }
}

fn told(path: &Path, needs: Result<Needs, NeedsError>) -> Result<Needs, Failure> {
    needs.map_err(|error| failure(&error, format!("{}: {error}", path.display())))
}

fn failure(error: &NeedsError, message: String) -> Failure {
    let (exit, advice) = match error {
        NeedsError::Product => (Exit::Usage, "name it: --product milan, genoa or turin"),
        NeedsError::MaskedChip => (
            Exit::Incomplete,
            "ask the machine's provider for the VCEK, and import it",
        ),
        NeedsError::Platform => (Exit::Incomplete, "name its platform family: --fmspc HEX"),
        NeedsError::RimId(_) => (Exit::Usage, "ids look like NV_GPU_DRIVER_GH100_550.90.07"),
        NeedsError::Nvidia(error) => (
            report::exit_of_class(error.class()),
            "only authentic devices are fetched for; --rim-id names a manifest without one",
        ),
        _ => (
            Exit::Malformed,
            "check that the file is the evidence that its flag says",
        ),
    };
    Failure::new(exit, error.code(), message).advice(advice)
}

fn parse_fmspc(text: &str) -> Result<[u8; 6], String> {
    let mut fmspc = [0; 6];
    hex::decode_to_slice(text, &mut fmspc)
        .map(|()| fmspc)
        .map_err(|_| "not 12 hexadecimal digits, e.g. B0C06F000000".to_owned())
}
