//! narthex-demo: the shipped libraries composed with an invented vendor. Not shipped; the one program that accepts simulated evidence.

mod client_role;
mod refusals;
mod runtime_role;
mod sealed_model;
mod sealed_stage;
mod show;
mod up;

use clap::{Parser, Subcommand};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// Wipes what is freed, as in the runtime that ships.
#[global_allocator]
static ALLOCATOR: enclave_runtime::WipingAllocator = enclave_runtime::WipingAllocator;

/// The main job on this machine: sealed prompt, verified (simulated) TEE, real model, answer, receipt.
#[derive(Parser)]
#[command(name = "narthex-demo", version)]
struct Demo {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Starts everything, asks, shows the refusals, ends everything
    Up(up::Up),
    /// The runtimes, with simulated evidence of SEV-SNP, TDX and GPUs
    #[command(hide = true)]
    Runtime(runtime_role::RuntimeRole),
    /// The gateway, trusting the simulated vendors
    #[command(hide = true)]
    Gateway {
        /// The stack's files
        directory: PathBuf,
    },
    /// The releaser of model keys, trusting the simulated vendors
    #[command(hide = true)]
    Releaser {
        /// The stack's files
        directory: PathBuf,
    },
    /// `narthex`, trusting the simulated vendors
    #[command(hide = true)]
    Client {
        /// The stack's files
        directory: PathBuf,
        /// What `narthex` takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let outcome = match Demo::parse().role {
        Role::Up(up) => up.run(),
        Role::Runtime(runtime) => runtime.run(),
        Role::Gateway { directory } => {
            tests::gateway_process::run(&directory).map(|()| ExitCode::SUCCESS)
        }
        Role::Releaser { directory } => {
            tests::releaser_process::run(&directory).map(|()| ExitCode::SUCCESS)
        }
        Role::Client {
            directory,
            arguments,
        } => client_role::run(&directory, arguments),
    };
    outcome.unwrap_or_else(|error| {
        show::failure(error.as_ref());
        ExitCode::FAILURE
    })
}

/// What a role gives: a status, or what went wrong in words.
type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;
