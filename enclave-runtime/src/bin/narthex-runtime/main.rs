//! `narthex-runtime`: serves sealed requests from inside a TEE.

mod failure;

use attestation::Digest;
use clap::Parser;
use enclave_runtime::{
    Clock, Config, Limits, Parts, Runtime, StopSignals, WipingAllocator,
    config::{Files, LogFormat, UpstreamSettings, read_files},
    discover, follow, harden, telemetry,
};
use engine::{
    Engine,
    local::{self, LoadError, LocalConfig},
};
use failure::Failure;
use provision::PolicyKeeper;
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use tokio::net::TcpListener;
use upstream::{Upstream, UpstreamConfig, UpstreamError};

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
    if arguments.check_config {
        threads()?.block_on(read_files(&config, Clock::system().now()))?;
        print(&config);
        return Ok(());
    }
    telemetry::init(config.log_format);
    harden()?;
    threads()?.block_on(start(config))
}

fn threads() -> Result<tokio::runtime::Runtime, Failure> {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.enable_all().build().map_err(Failure::Threads)
}

async fn start(config: Config) -> Result<(), Failure> {
    let clock = Clock::system();
    let files = read_files(&config, clock.now()).await?;
    let provider = discover(files.evidence.clone())?;
    let engine = engine(&config, files.upstream_model).await?;
    let (address, every) = (config.listen, config.policy.refresh);
    let (parts, keeper) = parts(config, files);
    let runtime = Runtime::new(parts, engine, provider, clock)?;
    let following = follow(runtime.obedience(), keeper, every);
    tokio::select! {
        served = serve(runtime, address) => served,
        never = following => match never {},
    }
}

async fn serve(runtime: Runtime, address: std::net::SocketAddr) -> Result<(), Failure> {
    let signals = StopSignals::listen().map_err(Failure::Signals)?;
    let socket = TcpListener::bind(address).await;
    let socket = socket.map_err(|reason| Failure::Listen { address, reason })?;
    runtime.serve(socket, signals.received()).await;
    Ok(())
}

/// The engine of this process, or the server beside it.
async fn engine(config: &Config, served: Option<Digest>) -> Result<Arc<dyn Engine>, Failure> {
    match (&config.upstream, served) {
        (Some(upstream), Some(model_digest)) => {
            let upstream = upstream_config(config, upstream, model_digest);
            telemetry::awaiting_upstream(&upstream.address);
            let failed = |error: UpstreamError| telemetry::upstream_failed(error.code());
            Ok(Arc::new(Upstream::connect(upstream, failed).await?))
        }
        _ => Ok(load(config)?),
    }
}

fn upstream_config(
    config: &Config,
    upstream: &UpstreamSettings,
    model_digest: Digest,
) -> UpstreamConfig {
    let name = config.model_name.as_ref().unwrap_or(&upstream.model);
    UpstreamConfig {
        address: upstream.address.clone(),
        kind: upstream.kind,
        model: upstream.model.clone(),
        name: name.clone(),
        model_digest,
        software_digest: upstream.software_digest,
        context_tokens: upstream.context_tokens,
        max_requests: upstream.max_requests,
        patience: upstream.patience,
    }
}

fn load(config: &Config) -> Result<Arc<dyn Engine>, LoadError> {
    telemetry::loading_model(&config.model);
    let settings = config.engine;
    let settings = LocalConfig {
        threads: settings.threads,
        max_sequences: settings.max_sequences,
        queue: settings.queue,
        max_context: settings.max_context_tokens,
        isa: settings.isa,
        step_tokens: settings.step_tokens,
        kv_bytes: settings.kv_bytes,
        tenant_jobs: settings.tenant_jobs,
        cached_tokens_per_secret: settings.cached_tokens_per_secret,
    };
    let engine = local::open(&config.model, config.model_name.as_deref(), settings)?;
    let card = engine.card();
    telemetry::loaded_model(&card.name, &card.model_digest, card.isa);
    Ok(engine)
}

/// What the runtime is told, and who keeps its documents current.
fn parts(config: Config, files: Files) -> (Parts, PolicyKeeper) {
    let parts = Parts {
        node: config.node,
        in_force: files.in_force,
        residency: config.residency,
        aibom_digest: files.aibom_digest,
        collateral: config.evidence.collateral,
        padding: config.channel.padding,
        runtime_digest: files.runtime_digest,
        limits: Limits {
            flush_interval: config.channel.flush_interval,
            ..config.limits
        },
    };
    (parts, files.keeper)
}

#[expect(clippy::print_stdout, reason = "the answer to --check-config")]
fn print(config: &Config) {
    println!("{config}");
}
