//! `narthex-runtime`: serves sealed requests from inside a TEE.

mod failure;

use clap::Parser;
use enclave_runtime::{
    Clock, Config, Limits, Parts, Runtime, StopSignals, WipingAllocator,
    config::{Files, LogFormat, read_files},
    discover, harden, telemetry,
};
use engine::{
    Engine,
    local::{LoadError, LocalConfig, LocalEngine},
};
use failure::Failure;
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

/// Serves sealed OpenAI requests from inside a TEE; refuses to start where there is none.
#[derive(Parser)]
#[command(name = "narthex-runtime", version)]
struct Arguments {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check the configuration and the files it names, print what is in force, defaults included, and end.
    #[arg(long)]
    check_config: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Only a configuration that could not be read leaves the log unopened.
            telemetry::init(LogFormat::Text);
            telemetry::cannot_start(failure.code(), &failure);
            failure.exit_code()
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let clock = Clock::system();
    if arguments.check_config {
        read_files(&config, clock.now())?;
        print(&config);
        return Ok(());
    }
    telemetry::init(config.log_format);
    harden()?;
    let files = read_files(&config, clock.now())?;
    let provider = discover(files.evidence.clone())?;
    let engine = load(&config)?;
    let address = config.listen;
    let runtime = Runtime::new(parts(config, files), Arc::new(engine), provider, clock)?;
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    threads
        .map_err(Failure::Threads)?
        .block_on(serve(runtime, address))
}

async fn serve(runtime: Runtime, address: std::net::SocketAddr) -> Result<(), Failure> {
    let signals = StopSignals::listen().map_err(Failure::Signals)?;
    let socket = TcpListener::bind(address).await;
    let socket = socket.map_err(|reason| Failure::Listen { address, reason })?;
    runtime.serve(socket, signals.received()).await;
    Ok(())
}

fn load(config: &Config) -> Result<LocalEngine, LoadError> {
    telemetry::loading_model(&config.model);
    let settings = config.engine;
    let local = LocalConfig {
        threads: settings.threads,
        max_sequences: settings.max_sequences,
        queue: settings.queue,
        max_context: settings.max_context_tokens,
    };
    let mut engine = LocalEngine::load(&config.model, local)?;
    if let Some(name) = &config.model_name {
        engine = engine.with_name(name)?;
    }
    let card = engine.card();
    telemetry::loaded_model(&card.name, &card.model_digest, card.isa);
    Ok(engine)
}

fn parts(config: Config, files: Files) -> Parts {
    Parts {
        node: config.node,
        policy: files.policy,
        residency: config.residency,
        collateral: config.evidence.collateral,
        padding: config.channel.padding,
        runtime_digest: files.runtime_digest,
        limits: Limits {
            flush_interval: config.channel.flush_interval,
            ..config.limits
        },
    }
}

#[expect(clippy::print_stdout, reason = "the answer to --check-config")]
fn print(config: &Config) {
    println!("{config}");
}
