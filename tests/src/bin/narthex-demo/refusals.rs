//! What must be refused, shown: each attempt runs the same client, and only a refusal with the right code passes.

use crate::show;
use std::{error::Error, fs, process::Output};
use tee_sim::PolicyText;
use tests::{
    fault::Fault,
    stack::{self, Stack},
};

/// A launch measurement that no machine here has.
pub(crate) const OTHER_MEASUREMENT: [u8; 48] = [0xE5; 48];
/// Exit status of a refusal.
const REJECTED: i32 = 10;

/// One attempt and the code with which it must be refused.
struct Attempt<'a> {
    title: &'a str,
    code: &'a str,
}

pub(crate) async fn show(stack: &Stack) -> Result<(), Box<dyn Error>> {
    show::step("What is refused");
    tampered_measurement(stack)?;
    missing_gpu(stack)?;
    tampered_policy(stack)?;
    truncated_stream(stack)?;
    shipped_client(stack)
}

/// A policy that names another launch measurement, as if other code ran than the security team approved.
fn tampered_measurement(stack: &Stack) -> Result<(), Box<dyn Error>> {
    let mut text = stack::policy(&stack.model)?;
    text.version = 4;
    text.tdx = None;
    text.measurement = OTHER_MEASUREMENT;
    let attempt = Attempt {
        title: "another measurement than the policy's",
        code: "policy.snp.measurement",
    };
    denied(stack, &text, &attempt)
}

/// A policy that wants two GPUs in the machine.
fn missing_gpu(stack: &Stack) -> Result<(), Box<dyn Error>> {
    let mut text = stack::policy(&stack.model)?;
    text.version = 5;
    text.gpu.iter_mut().for_each(|gpu| gpu.count = 2);
    let attempt = Attempt {
        title: "fewer GPUs than the policy's",
        code: "policy.gpu.count",
    };
    denied(stack, &text, &attempt)
}

fn denied(stack: &Stack, text: &PolicyText, attempt: &Attempt<'_>) -> Result<(), Box<dyn Error>> {
    let d = &stack.directory;
    fs::write(d.file("other.toml"), text.to_toml())?;
    stack::sign_policy(d, &stack.programs, "other")?;
    let mut chat = stack.client();
    chat.arg("chat")
        .args(stack.connection("other.json", "state-other"));
    let output = chat.arg("never sealed").output()?;
    expect(attempt, &output)
}

/// The signed policy with one bit of its payload flipped.
fn tampered_policy(stack: &Stack) -> Result<(), Box<dyn Error>> {
    let d = &stack.directory;
    let mut envelope: serde_json::Value =
        serde_json::from_slice(&fs::read(d.file("policy.json"))?)?;
    let payload = envelope
        .get_mut("payload")
        .ok_or("the envelope has no payload")?;
    let mut text = payload.as_str().ok_or("the payload is no text")?.to_owned();
    let flipped = if text.starts_with('A') { "B" } else { "A" };
    text.replace_range(..1, flipped);
    *payload = text.into();
    fs::write(d.file("tampered.json"), envelope.to_string())?;
    let output = stack
        .client()
        .arg("chat")
        .args(stack.connection("tampered.json", "state-other"))
        .arg("never sealed")
        .output()?;
    expect(
        &Attempt {
            title: "a policy changed after it was signed",
            code: "policy.signature",
        },
        &output,
    )
}

/// The gateway's side ends the sealed stream early, cleanly as HTTP sees it.
fn truncated_stream(stack: &Stack) -> Result<(), Box<dyn Error>> {
    stack.fault.set(Fault::DropHalf);
    let mut chat = stack.client();
    chat.arg("chat")
        .args(stack.connection("policy.json", "state-client"));
    let output = chat.args(["--max-tokens", "8", "Say hello."]).output();
    stack.fault.set(Fault::None);
    expect(
        &Attempt {
            title: "a stream without its authenticated end",
            code: "channel.truncated",
        },
        &output?,
    )
}

/// The client as it ships, which knows the real vendor's roots only.
fn shipped_client(stack: &Stack) -> Result<(), Box<dyn Error>> {
    let mut arguments = vec!["chat".to_owned()];
    arguments.extend(stack.connection("policy.json", "state-client"));
    arguments.push("never sealed".to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = stack::narthex(&stack.programs, &arguments)?;
    expect(
        &Attempt {
            title: "simulated evidence shown to the narthex that ships",
            code: "snp.",
        },
        &output,
    )
}

fn expect(attempt: &Attempt<'_>, output: &Output) -> Result<(), Box<dyn Error>> {
    let said = String::from_utf8_lossy(&output.stderr);
    let held = |line: &&str| line.starts_with("PASS") || line.starts_with("INFO");
    let reason = said
        .lines()
        .find(|line| line.contains(attempt.code) && !held(line));
    match (output.status.code(), reason) {
        (Some(REJECTED), Some(reason)) => {
            show::line(&format!("refused   {}", attempt.title));
            show::line(&format!("          {}", reason.trim()));
            Ok(())
        }
        (status, _) => Err(format!(
            "{}: not refused with {} but {status:?}:\n{said}",
            attempt.title, attempt.code
        )
        .into()),
    }
}
