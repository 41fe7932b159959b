//! `narthex collateral fetch`: asks the vendors for what given evidence needs.

mod needs;
mod services;

use super::{
    super::{Context, Exit, Failure, block_on, config},
    write,
};
use clap::{ArgGroup, Args};
use needs::NeedArgs;
use provision::collateral::{FetchError, Fetcher, Progress, Settings, SystemPace};
use serde_json::json;
use services::Services;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// For one whole answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Fetch from AMD, Intel and NVIDIA what the verification of evidence needs, into one bundle
#[derive(Args)]
#[command(
    group = ArgGroup::new("needs").required(true).multiple(true).args(needs::FLAGS),
    after_help = "\
Examples:
  narthex collateral fetch --out node.collateral --snp-report report.bin
  narthex collateral fetch --out node.collateral --tdx-quote quote.bin --nvidia-report gpu.bin --nvidia-chain gpu.pem
  narthex collateral fetch --out node.collateral --fmspc B0C06F000000 --rim-id NV_GPU_DRIVER_GH100_550.90.07
  narthex collateral fetch --out node.collateral --tdx-quote quote.bin --pcs-url https://pccs.example

What comes in is not trusted for where it came from: `narthex verify` proves it. Answers are kept below --state until
their own window ends.")]
pub(crate) struct Fetch {
    /// Where to write the bundle
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    needs: NeedArgs,
    #[command(flatten)]
    services: Services,
    /// Ask for everything anew
    #[arg(long)]
    no_cache: bool,
}

impl Fetch {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let clock = Arc::clone(&context.composition.clock);
        let needs = self.needs.read(clock.now())?;
        let state = config::state_directory(context).filter(|_| !self.no_cache);
        let output = Arc::clone(&context.output);
        let fetcher = Fetcher::new(Settings {
            sources: self.services.sources(),
            cache: state.map(|state| state.join("collateral")),
            timeout: TIMEOUT,
            clock,
            pace: Arc::new(SystemPace),
            observer: Arc::new(move |progress: &Progress| output.notice(&line(progress))),
        });
        let fetcher = fetcher.map_err(|error| Failure::internal("collateral.fetch.tls", &error))?;
        let bundle =
            block_on(async { fetcher.fetch(&needs).await.map_err(|error| failure(&error)) })?;
        write(&self.out, &bundle)?;
        let items = bundle.contents().len();
        let document = json!({"bundle": self.out, "items": items});
        let text = format!("{}  {items} items\n", self.out.display());
        context.output.either(&document, &text)?;
        Ok(Exit::Accepted)
    }
}

fn line(progress: &Progress) -> String {
    match progress {
        Progress::Kept { url } => format!("kept      {url}"),
        Progress::Fetched { url, bytes } => format!("fetched   {url}  {bytes} bytes"),
        Progress::Waiting { url, fault, pause } => {
            format!(
                "waiting   {url}  {fault}; again in {} ms",
                pause.as_millis()
            )
        }
        Progress::NotKept { url, reason } => format!("not kept  {url}  {reason}"),
    }
}

fn failure(error: &FetchError) -> Failure {
    let advice = if error.retryable() {
        "retryable: try again later, or name a mirror with --kds-url, --pcs-url, --rim-url or --ocsp-url"
    } else {
        "not retryable: the service has no such thing, or is not the right one; check evidence and URLs"
    };
    Failure::new(Exit::Internal, error.code(), error.to_string()).advice(advice)
}
