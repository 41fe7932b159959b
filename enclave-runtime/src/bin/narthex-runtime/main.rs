//! `narthex-runtime`: serves sealed requests from inside a TEE.

mod device;
mod failure;
mod sealed;

use attestation::{Digest, UnixTime, manifest::GpuCode};
use clap::Parser;
use device::Gpu;
use enclave_runtime::{
    Clock, Config, EvidenceSettings, Limits, Parts, Platform, Runtime, StopSignals,
    WipingAllocator,
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
    let threads = threads()?;
    let ended = threads.block_on(start(config))?;
    if ended == Ended::BeforeItServed {
        // What is being loaded is not waited for.
        threads.shutdown_background();
    }
    Ok(())
}

/// How a runtime ended that was told to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    BeforeItServed,
    Drained,
}

fn threads() -> Result<tokio::runtime::Runtime, Failure> {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.enable_all().build().map_err(Failure::Threads)
}

/// Told to stop while it waits for its key or its model, it ends at once.
async fn start(config: Config) -> Result<Ended, Failure> {
    let mut signals = StopSignals::listen().map_err(Failure::Signals)?;
    let address = config.listen;
    let every = config.policy.refresh;
    let ready = tokio::select! {
        biased;
        () = signals.received() => return Ok(Ended::BeforeItServed),
        ready = prepare(config) => ready?,
    };
    let (runtime, keeper) = ready;
    let following = follow(runtime.obedience(), keeper, every);
    tokio::select! {
        served = serve(runtime, address, signals) => served.map(|()| Ended::Drained),
        never = following => match never {},
    }
}

/// A runtime whose model is loaded, and who keeps its documents current.
async fn prepare(config: Config) -> Result<(Runtime, PolicyKeeper), Failure> {
    let clock = Clock::system();
    let files = read_files(&config, clock.now()).await?;
    let (machine, evidence, now) = (config.clone(), files.evidence.clone(), clock.now());
    let asked = tokio::task::spawn_blocking(move || platform(&machine, evidence, now)).await;
    let (platform, device) = asked.map_err(|_| Failure::PlatformBrokenOff)??;
    let gpu = device.as_ref();
    let gpu = gpu.map(|gpu| device::stated(gpu, platform.gpus.as_ref()));
    let (owner, served) = (files.owner.clone(), files.upstream_model);
    let (parts, keeper) = parts(config.clone(), files, gpu);
    let engine = match (&config.model_key, &owner) {
        (Some(settings), Some(owner)) => {
            let provider = Arc::clone(&platform.provider);
            sealed::load(&config, (settings, owner), &parts, (provider, device)).await?
        }
        _ => engine(&config, device, served).await?,
    };
    let runtime = Runtime::new(parts, engine, platform.provider, clock)?;
    Ok((runtime, keeper))
}

/// Who answers for this machine, and the device that computes. Under confidential computing no program may use a GPU before its evidence
/// was asked for. Drivers take their time, and nobody can interrupt them.
fn platform(
    config: &Config,
    evidence: EvidenceSettings,
    now: UnixTime,
) -> Result<(Platform, Option<Gpu>), Failure> {
    let platform = discover(evidence, now)?;
    let device = device::open(config, &platform.identities)?;
    Ok((platform, device))
}

async fn serve(
    runtime: Runtime,
    address: std::net::SocketAddr,
    mut signals: StopSignals,
) -> Result<(), Failure> {
    let socket = TcpListener::bind(address).await;
    let socket = socket.map_err(|reason| Failure::Listen { address, reason })?;
    let told = async move { signals.received().await };
    runtime.serve(socket, told).await;
    Ok(())
}

/// The engine of this process, or the server beside it.
async fn engine(
    config: &Config,
    device: Option<Gpu>,
    served: Option<Digest>,
) -> Result<Arc<dyn Engine>, Failure> {
    match (&config.upstream, served) {
        (Some(upstream), Some(model_digest)) => {
            let upstream = upstream_config(config, upstream, model_digest);
            telemetry::awaiting_upstream(&upstream.address);
            let failed = |error: UpstreamError| telemetry::upstream_failed(error.code());
            Ok(Arc::new(Upstream::connect(upstream, failed).await?))
        }
        _ => {
            let config = config.clone();
            let loading = tokio::task::spawn_blocking(move || load(&config, device));
            Ok(loading.await.map_err(|_| Failure::ModelBrokenOff)??)
        }
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

fn load(config: &Config, device: Option<Gpu>) -> Result<Arc<dyn Engine>, LoadError> {
    telemetry::loading_model(&config.model);
    let settings = local_config(config);
    let (path, name) = (&config.model, config.model_name.as_deref());
    let engine = match device {
        Some(gpu) => local::open_on(gpu, path, name, settings)?,
        None => local::open(path, name, settings)?,
    };
    let card = engine.card();
    telemetry::loaded_model(&card.name, &card.model_digest, card.isa);
    Ok(engine)
}

fn local_config(config: &Config) -> LocalConfig {
    let settings = config.engine;
    LocalConfig {
        threads: settings.threads,
        max_sequences: settings.max_sequences,
        queue: settings.queue,
        max_context: settings.max_context_tokens,
        isa: settings.isa,
        step_tokens: settings.step_tokens,
        kv_bytes: settings.kv_bytes,
        tenant_jobs: settings.tenant_jobs,
        cached_tokens_per_secret: settings.cached_tokens_per_secret,
    }
}

/// What the runtime is told, and who keeps its documents current.
fn parts(config: Config, files: Files, gpu: Option<GpuCode>) -> (Parts, PolicyKeeper) {
    let parts = Parts {
        node: config.node,
        in_force: files.in_force,
        residency: config.residency,
        aibom_digest: files.aibom_digest,
        collateral: config.evidence.collateral,
        padding: config.channel.padding,
        runtime_digest: files.runtime_digest,
        gpu,
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
