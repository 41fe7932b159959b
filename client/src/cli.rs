//! The `narthex` command: what it takes, what it says, how it ends.

mod aibom;
mod audit;
mod chat;
mod collateral;
mod completion;
mod config;
mod connect;
mod evidence_file;
mod exit;
mod export;
mod failure;
mod files;
mod gateway_args;
mod html;
mod in_force;
mod inputs;
mod keygen;
mod man;
mod measure;
mod model;
mod output;
mod policy;
mod proxy;
mod receipt;
mod report;
mod sealing_args;
mod signing_key;
mod time;
mod verify;

use crate::Clock;
use attestation::Verifier;
use clap::{Args, CommandFactory, Parser, Subcommand};
use exit::Exit;
use failure::Failure;
use output::Output;
pub use output::Streams;
use provision::policy_keeper::PolicySource;
use std::{ffi::OsString, path::PathBuf, process::ExitCode, sync::Arc};

/// What a binary brings. Ours brings the vendors' roots; one that brings others is another binary.
#[derive(Clone)]
pub struct Composition {
    /// Whose roots anchor evidence.
    pub verifier: Verifier,
    /// Applied to every policy after its signatures are verified; the identity in what ships.
    pub policy: fn(::policy::Policy) -> ::policy::Policy,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Where it writes.
    pub streams: Streams,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  accepted: verified and complete
  10 rejected: evidence, policy, receipt or channel did not hold
  20 incomplete: something that the verdict needs was not given or is not supported
  30 malformed input
  2  usage: wrong arguments, or a file that cannot be read
  1  could not be done: no connection, an API error inside the seal, an output that cannot be written";

/// Confidential inference: prompts are sealed to machines that your own policy accepts.
#[derive(Parser)]
#[command(name = "narthex", version, after_help = EXIT_STATUS, max_term_width = 100)]
struct Narthex {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Args)]
#[command(next_help_heading = "Policy and output")]
struct Global {
    /// Signed policy that judges nodes and evidence: its envelope, a folder or an http(s):// address of what a team publishes, or the word `gateway`
    #[arg(long, global = true, value_name = "FILE|FOLDER|URL|gateway", value_parser = PolicySource::parse)]
    policy: Option<PolicySource>,
    /// Root document (DSSE envelope) that says whose policies, inventories, orders and timestamps count
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["policy_key", "policy_threshold"])]
    policy_root: Option<PathBuf>,
    /// Ed25519 public key (PEM) whose signature on the policy counts; repeatable
    #[arg(long, global = true, value_name = "FILE")]
    policy_key: Vec<PathBuf>,
    /// How many distinct keys must have signed [default: all that are given]
    #[arg(long, global = true, value_name = "N")]
    policy_threshold: Option<usize>,
    /// Directory that remembers the newest documents obeyed [default: $XDG_STATE_HOME/narthex]
    #[arg(long, global = true, value_name = "DIR", overrides_with = "state")]
    state: Option<PathBuf>,
    /// One JSON document on standard output instead of text
    #[arg(long, global = true)]
    json: bool,
    /// No checks and notices on standard error
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    Chat(chat::Chat),
    Proxy(proxy::ProxyArgs),
    Verify(verify::VerifyCommand),
    #[command(subcommand)]
    Collateral(collateral::CollateralCommand),
    #[command(subcommand)]
    Measure(measure::Measure),
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Model(model::ModelCommand),
    Aibom(aibom::Aibom),
    Completion(completion::Completion),
    Man(man::Man),
}

/// What every command works with.
struct Context<'a> {
    composition: &'a Composition,
    global: Global,
    output: Arc<Output>,
    /// The program's name and its arguments, as they were given.
    arguments: Vec<OsString>,
}

/// Runs the command that `args` (with the program's name first) spell.
pub fn run(args: impl IntoIterator<Item = OsString>, composition: &Composition) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let parsed = match Narthex::try_parse_from(&args) {
        Ok(parsed) => parsed,
        Err(error) => return output::usage(&error, &args).into(),
    };
    let output = Arc::new(Output::new(&parsed.global, composition.streams));
    let context = Context {
        composition,
        global: parsed.global,
        output: Arc::clone(&output),
        arguments: args,
    };
    inputs::start();
    let outcome = dispatch(parsed.command, &context);
    let exit = outcome.unwrap_or_else(|failure| output.failure(&failure));
    exit.into()
}

fn dispatch(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Chat(chat) => chat.run(context),
        Command::Proxy(proxy) => proxy.run(context),
        Command::Verify(verify) => verify.run(context),
        Command::Collateral(collateral) => collateral.run(context),
        Command::Measure(measure) => measure.run(context),
        Command::Receipt(receipt) => receipt.run(context),
        Command::Audit(audit) => audit.run(context),
        Command::Policy(policy) => policy.run(context),
        Command::Model(model) => model.run(context),
        Command::Aibom(aibom) => aibom.run(context),
        Command::Completion(completion) => completion.run(&mut Narthex::command(), context),
        Command::Man(man) => man.run(Narthex::command(), context),
    }
}

/// One thread is enough: sealing is cheap, the rest is waiting.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("client.runtime", &error))?
        .block_on(future)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Narthex::command().debug_assert();
    }
}
