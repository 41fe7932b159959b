//! The demonstration from the first key to the last refusal.

use crate::{Outcome, refusals, sealed_stage, show};
use clap::Args;
use enclave_runtime::StopSignals;
use std::{env, error::Error, fs, path::PathBuf, process::ExitCode};
use tests::child::Process;
use tests::{
    fleet::Tees,
    stack::{self, Directory, Inspection, MODEL, Programs, Stack},
};

/// What is asked if nobody asks anything else.
const PROMPT: &str =
    "What is the capital of France, and what is it known for? Answer in two sentences.";
/// Longest answer.
const MAX_TOKENS: &str = "96";

#[derive(Args)]
pub(crate) struct Up {
    /// The model: a file, or a folder, which the demonstration does not seal
    #[arg(long, value_name = "FILE|FOLDER")]
    model: PathBuf,
    /// The question
    #[arg(long, value_name = "TEXT", default_value = PROMPT)]
    prompt: String,
    /// Keeps everything up for the openai SDK until interrupted
    #[arg(long, conflicts_with = "prompt")]
    serve: bool,
}

impl Up {
    pub(crate) fn run(self) -> Outcome {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            // Before anything is started: a signal never leaves processes or files behind.
            let mut signals = StopSignals::listen()?;
            tokio::select! {
                outcome = self.show() => outcome,
                () = signals.received() => interrupted(),
            }
        })
    }

    async fn show(&self) -> Outcome {
        let stack = self.start().await?;
        if self.serve {
            return serve(&stack).await;
        }
        self.ask(&stack)?;
        ask_tdx(&stack)?;
        refusals::show(&stack).await?;
        let programs = stack.programs.clone();
        drop(stack);
        if self.model.is_file() {
            sealed_stage::show(&programs, &self.model).await?;
        }
        show::step("Ended");
        show::line("all processes have ended; their files are removed");
        Ok(ExitCode::SUCCESS)
    }

    async fn start(&self) -> Result<Stack, Box<dyn Error>> {
        let programs = Programs::beside(&env::current_exe()?)?;
        let directory = Directory::create()?;
        show::step(
            "The security team: two keys, a policy that names launch measurement, firmware and model, two signatures",
        );
        stack::publish_policy(&directory, &programs, &self.model)?;
        let checked = stack::narthex(
            &programs,
            &[
                "policy",
                "verify",
                &directory.text("policy.json"),
                "--policy-key",
                &directory.text("alice.pub.pem"),
                "--policy-key",
                &directory.text("bob.pub.pem"),
            ],
        )?;
        print_lines(&stack::succeed(checked)?.stdout);
        show::step(
            "The operator: two nodes with simulated evidence (SEV-SNP and TDX, an H100 in each) and a real model, a gateway that admits them",
        );
        directory.write_access()?;
        let stack = Stack::start(
            programs,
            directory,
            &self.model,
            Inspection::Refused,
            Tees::SnpAndTdx,
        )
        .await?;
        show::line(&format!(
            "runtimes  process {}, HTTP on {}",
            stack.runtime.id(),
            stack.runtime.ready
        ));
        show::line(&format!(
            "gateway   process {}, {}",
            stack.gateway.id(),
            stack.gateway_url()
        ));
        Ok(stack)
    }

    fn ask(&self, stack: &Stack) -> Result<(), Box<dyn Error>> {
        show::step(
            "The client: verifies the evidence of CPU and GPU by its own policy, seals, opens the answer, verifies the receipt",
        );
        show::line(&format!("prompt    {}", self.prompt));
        let d = &stack.directory;
        let mut chat = stack.client();
        chat.arg("chat")
            .args(stack.connection("policy.json", "state-client"));
        chat.args(["--max-tokens", MAX_TOKENS, "--temperature", "0"]);
        for name in ["receipt", "opening", "bundle", "request", "response"] {
            chat.args([format!("--{name}"), d.text(name)]);
        }
        run(chat.arg("--").arg(&self.prompt))?;
        show::step("The auditor: the receipt against the archived evidence, offline");
        let mut audit = stack.client();
        audit.args(["receipt", "verify"]);
        for name in ["receipt", "opening", "bundle", "request", "response"] {
            audit.args([format!("--{name}"), d.text(name)]);
        }
        run(&mut audit)?;
        show::step(
            "The auditor again: the request is run once more, and gives the receipt's tokens bit for bit",
        );
        let mut replay = stack.client();
        replay.args(["audit", "replay", &d.text("receipt")]);
        for name in ["opening", "request", "bundle"] {
            replay.args([format!("--{name}"), d.text(name)]);
        }
        run(replay.arg("--model").arg(&stack.model))
    }
}

/// Another client, whose policy has a table for TDX only: the same gateway, the other node.
fn ask_tdx(stack: &Stack) -> Result<(), Box<dyn Error>> {
    show::step("Another client, whose policy admits TDX only: the same gateway, the other node");
    let d = &stack.directory;
    let mut text = stack::policy(&stack.model)?;
    text.version = 3;
    text.admits_snp = false;
    fs::write(d.file("tdx.toml"), text.to_toml())?;
    stack::sign_policy(d, &stack.programs, "tdx")?;
    let mut chat = stack.client();
    chat.arg("chat")
        .args(stack.connection("tdx.json", "state-tdx"));
    chat.args(["--max-tokens", "24", "--temperature", "0"]);
    for name in ["receipt", "bundle"] {
        chat.args([format!("--{name}"), d.text(&format!("tdx-{name}"))]);
    }
    run(chat.args(["--", "Name three primary colours."]))
}

async fn serve(stack: &Stack) -> Outcome {
    let mut arguments = vec![
        "client".to_owned(),
        stack.directory.path(),
        "proxy".to_owned(),
    ];
    arguments.extend(stack.connection("policy.json", "state-client"));
    let receipts = stack.directory.text("receipts");
    fs::create_dir(&receipts)?;
    arguments.extend(["--receipts".to_owned(), receipts]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let proxy = Process::start_when(&stack.programs.demo, &arguments, "http://")?;
    show::step("Serving: point any OpenAI client at the proxy");
    let base_url = format!("http://{}", proxy.ready);
    show::line(&format!("base URL  {base_url}"));
    show::line(&format!("model     {MODEL}"));
    show::line(&format!(
        "gateway   {}  (certificate {}, API key {})",
        stack.gateway_url(),
        stack.directory.text("gateway.cert.pem"),
        stack.directory.text("api-key")
    ));
    show::line("");
    show::line("from openai import OpenAI");
    show::line(&format!(
        "client = OpenAI(base_url=\"{base_url}\", api_key=\"unused\")"
    ));
    show::line(&format!(
        "client.chat.completions.create(model=\"{MODEL}\", messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}])"
    ));
    show::line("");
    show::line("Ctrl-C ends it");
    std::future::pending().await
}

fn interrupted() -> Outcome {
    show::step("Interrupted: everything ends");
    Ok(ExitCode::SUCCESS)
}

/// Runs a command whose output the reader sees, and which must succeed.
pub(crate) fn run(command: &mut std::process::Command) -> Result<(), Box<dyn Error>> {
    let status = command.status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("the client ended with {status}").into()),
    }
}

fn print_lines(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        show::line(line);
    }
}
