//! narthex-gateway: the untrusted middle, with the vendors' pinned roots and no others.

use attestation::Verifier;
use clap::{Args, Parser};
use gateway::{Config, SystemClock, config, daemon, policy_in_force, telemetry};
use policy::{Appraiser, Policy};
use std::{
    error::Error,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Admits confidential nodes by their evidence, offers them, and relays envelopes that it cannot open.
#[derive(Parser)]
#[command(name = "narthex-gateway", version)]
struct Arguments {
    #[command(flatten)]
    task: Task,
    /// Checks the configuration, the files that it names and the policy, and ends.
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
    let (config, policy) = read(path).map_err(Failure::Configuration)?;
    if arguments.check_config {
        let (path, nodes, version) = (path.display(), config.nodes.len(), policy.version());
        say(&format!(
            "{path} is good: nodes {nodes}, policy version {version}"
        ));
        return Ok(());
    }
    serve(&config, policy).map_err(Failure::System)
}

/// The configuration and what it names, all looked at before anything is served.
fn read(path: &Path) -> Result<(Config, Policy), Box<dyn Error>> {
    let config = Config::load(path)?;
    config.server_tls()?;
    let policy = policy_in_force(&config.policy)?;
    Ok((config, policy))
}

fn serve(config: &Config, policy: Policy) -> Result<(), Box<dyn Error>> {
    tracing::dispatcher::set_global_default(telemetry::dispatch(config.log, io::stderr))?;
    let appraiser = Appraiser::new(Verifier::vendor(), policy);
    let runtime = tokio::runtime::Runtime::new()?;
    Ok(runtime.block_on(daemon::run(config, appraiser, Arc::new(SystemClock), ready))?)
}

fn ready(public: SocketAddr, admin: SocketAddr) {
    say(&format!(
        "listening on https://{public} (admin http://{admin})"
    ));
}

/// The one writer to standard output.
#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn say(line: &str) {
    println!("{line}");
}

/// The one writer to standard error before there is a log.
#[expect(clippy::print_stderr, reason = "the refusal of a command")]
fn complain(error: &dyn Error) {
    eprintln!("narthex-gateway: {error}");
}
