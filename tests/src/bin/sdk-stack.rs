//! sdk-stack: the whole stack on loopback for the SDKs' end-to-end tests, whose programs are not Rust. Not shipped.
//!
//! usage: sdk-stack MODEL PROGRAMS
//!
//! The first line of standard output is JSON: where everything is. Then each line of standard input is one order, answered by a line:
//! `fault none | drop-last N | drop-half | flip N | replay`: what is done to the first node's sealed answers from now on;
//! `stop`: the nodes end. The stack ends when standard input does.

#![expect(
    clippy::print_stdout,
    reason = "standard output is how a parent is told"
)]

use serde_json::json;
use std::{
    env, fs,
    io::{self, BufRead},
    path::{Path, PathBuf},
    time::Duration,
};
use tests::{
    fault::Fault,
    fleet::Tees,
    stack::{self, Directory, Inspection, MODEL, Programs, Stack},
};

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(model), Some(programs)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: sdk-stack MODEL PROGRAMS"));
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut stack = runtime.block_on(start(&model, &programs))?;
    println!("{}", places(&stack)?);
    for order in io::stdin().lock().lines() {
        println!("{}", obey(&mut stack, &order?));
    }
    Ok(())
}

async fn start(model: &Path, programs: &Path) -> io::Result<Stack> {
    let programs = Programs::beside(&programs.join("narthex-demo"))?;
    let directory = Directory::create()?;
    stack::publish_policy(&directory, &programs, model)?;
    publish_others(&directory, &programs, model)?;
    directory.write_access()?;
    let (inspection, tees) = (Inspection::Refused, Tees::SnpAndTdx);
    Stack::start(programs, directory, model, inspection, tees).await
}

/// Beside the policy in force: one that admits TDX alone, one that admits another model alone.
fn publish_others(directory: &Directory, programs: &Programs, model: &Path) -> io::Result<()> {
    let mut tdx = stack::policy(model)?;
    tdx.version = 2;
    tdx.admits_snp = false;
    fs::write(directory.file("tdx.toml"), tdx.to_toml())?;
    let mut other = stack::policy(model)?;
    other.version = 3;
    other.models.clear();
    let other = other.model(MODEL, [0; 32]);
    fs::write(directory.file("other.toml"), other.to_toml())?;
    for name in ["tdx", "other"] {
        stack::sign_policy(directory, programs, name)?;
    }
    Ok(())
}

fn places(stack: &Stack) -> io::Result<serde_json::Value> {
    Ok(json!({
        "gateway": stack.gateway_url(),
        "directory": stack.directory.path(),
        "ca": stack.directory.text("gateway.cert.pem"),
        "api_key": fs::read_to_string(stack.directory.file("api-key"))?,
        "policy_keys": [stack.directory.text("alice.pub.pem"), stack.directory.text("bob.pub.pem")],
        "model": MODEL,
        "demo": stack.programs.demo,
        "nodes": Tees::SnpAndTdx.nodes(),
    }))
}

fn obey(stack: &mut Stack, order: &str) -> &'static str {
    let words: Vec<&str> = order.split(' ').collect();
    let fault = match words.as_slice() {
        ["fault", "none"] => Fault::None,
        ["fault", "drop-half"] => Fault::DropHalf,
        ["fault", "replay"] => Fault::Replay,
        ["fault", "drop-last", bytes] => Fault::DropLast(bytes.parse().unwrap_or(1)),
        ["fault", "flip", offset] => Fault::Flip(offset.parse().unwrap_or(0)),
        ["stop"] => {
            stack.runtime.end(Duration::from_secs(10));
            return "ok";
        }
        _ => return "unknown order",
    };
    stack.fault.set(fault);
    "ok"
}
