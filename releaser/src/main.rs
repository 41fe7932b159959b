//! narthex-releaser: releases the keys of sealed models, with the vendors' pinned roots and no others.

use attestation::Verifier;
use clap::{Args, Parser};
use policy::InForce;
use provision::{PolicyKeeper, SystemClock};
use releaser::{Config, config, daemon, harden, telemetry};
use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Releases the key of a sealed model to nodes that prove what they run.
#[derive(Parser)]
#[command(name = "narthex-releaser", version)]
struct Arguments {
    #[command(flatten)]
    task: Task,
    /// Checks the configuration, the files that it names, the keys and the policy, and ends.
    #[arg(long, requires = "config")]
    check_config: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Task {
    /// The configuration file.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Prints every setting with its default, and ends.
    #[arg(long)]
    print_config_defaults: bool,
}

/// Why the command ends without success.
enum Failure {
    /// The configuration, or a file that it names: exit status 2, like a mistake in the arguments.
    Configuration(Box<dyn Error>),
    /// The system: exit status 1.
    System(Box<dyn Error>),
}

fn main() -> ExitCode {
    let (status, error) = match run(&Arguments::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Configuration(error)) => (2, error),
        Err(Failure::System(error)) => (1, error),
    };
    complain(error.as_ref());
    ExitCode::from(status)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(path) = &arguments.task.config else {
        say(config::DEFAULTS.trim_end());
        return Ok(());
    };
    harden().map_err(|error| Failure::System(error.into()))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::System(error.into()))?;
    let readable = runtime.block_on(Readable::read(path));
    let readable = readable.map_err(Failure::Configuration)?;
    if arguments.check_config {
        say(&readable.summary(path));
        return Ok(());
    }
    let served = runtime.block_on(readable.serve());
    served.map_err(Failure::System)
}

/// The configuration and what it names, all looked at before anything is served.
struct Readable {
    config: Config,
    keys: usize,
    verifier: Verifier,
    keeper: PolicyKeeper,
    in_force: InForce,
}

impl Readable {
    async fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let config = Config::load(path)?;
        config.tls.read()?;
        let keys = config.key_folder()?.len();
        let verifier = config.verifier(Verifier::vendor())?;
        let settings = config.policy.settings();
        let (keeper, in_force) = PolicyKeeper::open(settings, Arc::new(SystemClock)).await?;
        Ok(Self {
            config,
            keys,
            verifier,
            keeper,
            in_force,
        })
    }

    fn summary(&self, path: &Path) -> String {
        let version = self.in_force.policy().version();
        let (path, keys) = (path.display(), self.keys);
        format!("{path} is good: keys {keys}, policy version {version}")
    }

    async fn serve(self) -> Result<(), Box<dyn Error>> {
        let config = &self.config;
        tracing::dispatcher::set_global_default(telemetry::dispatch(config.log, io::stderr))?;
        let obeyed = (self.keeper, self.in_force);
        Ok(daemon::run(config, self.verifier, obeyed, |address| {
            say(&format!("listening on https://{address}"));
        })
        .await?)
    }
}

/// The one writer to standard output.
#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn say(line: &str) {
    println!("{line}");
}

/// The one writer to standard error before there is a log.
#[expect(clippy::print_stderr, reason = "the refusal of a command")]
fn complain(error: &dyn Error) {
    eprintln!("narthex-releaser: {error}");
}
