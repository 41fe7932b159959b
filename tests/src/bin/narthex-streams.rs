//! narthex-streams: many sealed streams through one gateway, and what each costs it. Not shipped.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints"
)]

use clap::{Parser, Subcommand};
use std::{env, error::Error, path::PathBuf, process::ExitCode, time::Duration};
use tests::{
    gateway_process,
    streams::{Load, RECORD_BYTES, Report, Wave},
};

/// Holds many sealed streams at once through a gateway in a process of its own.
#[derive(Parser)]
#[command(name = "narthex-streams", version)]
struct Streams {
    #[command(subcommand)]
    role: Option<Role>,
    /// Streams at once
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// TLS connections that carry them
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Milliseconds between two records of a stream
    #[arg(long, default_value_t = 1000)]
    pace_ms: u64,
    /// Seconds that all streams are held
    #[arg(long, default_value_t = 20)]
    hold_s: u64,
    /// How often all of it is done
    #[arg(long, default_value_t = 2)]
    waves: usize,
}

#[derive(Subcommand)]
enum Role {
    /// The gateway, trusting the simulated vendors
    #[command(hide = true)]
    Gateway {
        /// Its files
        directory: PathBuf,
    },
}

fn main() -> ExitCode {
    let streams = Streams::parse();
    let outcome = match &streams.role {
        Some(Role::Gateway { directory }) => gateway_process::run(directory),
        None => streams.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("narthex-streams: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Streams {
    fn run(&self) -> Result<(), Box<dyn Error>> {
        let load = Load {
            streams: self.streams,
            connections: self.connections,
            pace: Duration::from_millis(self.pace_ms),
            hold: Duration::from_secs(self.hold_s),
            waves: self.waves,
        };
        let program = env::current_exe()?;
        let runtime = tokio::runtime::Runtime::new()?;
        let report = runtime.block_on(load.run(&program));
        print(&load, &report.map_err(|error| error.to_string())?);
        Ok(())
    }
}

fn print(load: &Load, report: &Report) {
    println!(
        "streams: {} at once over {} TLS connections, a record of {RECORD_BYTES} bytes every {:?} in each",
        load.streams, load.connections, load.pace
    );
    println!("gateway idle: {:.1} MiB", mib(report.idle_bytes));
    for (index, wave) in report.waves.iter().enumerate() {
        print_wave(index + 1, wave, report.idle_bytes);
    }
    let (complete, otherwise) = report.ends;
    println!(
        "gateway after: {:.1} MiB, {} exchanges in flight, {complete} answers complete, {otherwise} ended otherwise",
        mib(report.settled_bytes),
        report.in_flight
    );
}

fn print_wave(number: usize, wave: &Wave, idle_bytes: u64) {
    let grown = wave.held_bytes.saturating_sub(idle_bytes);
    let (records, time) = wave.during_hold;
    println!(
        "wave {number}: {} held after {:.1} s; gateway {:.1} MiB, {:.1} KiB a stream; {:.1} us of processor time a relayed record ({records} records)",
        wave.held,
        wave.opening.as_secs_f64(),
        mib(wave.held_bytes),
        grown as f64 / 1024.0 / wave.held as f64,
        time.as_secs_f64() * 1e6 / records as f64,
    );
    let (sent, read) = wave.records;
    println!(
        "wave {number}: {} streams ended cleanly with all their bytes: {sent} records sent, {read} read",
        wave.whole
    );
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
