//! `narthex chat`: one question, each check on standard error, the answer on standard output, the receipt verified at the end.

use super::{
    Context, Exit, Failure, block_on, connect::connect, files, gateway_args::GatewayArgs,
    output::Output, sealing_args::SealingArgs,
};
use crate::{
    Check, ClientError, Event, Exchange, Observer, Request, archive, receipt_check,
    sse::{self, Events},
};
use clap::Args;
use protocol::{OpenError, Receipt, ResponseEvent, SignedReceipt};
use serde_json::{Value, json};
use session::receipt_json;
use std::{
    io::{IsTerminal, stdin},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

const MAX_PROMPT_BYTES: usize = 4 * 1024 * 1024;
const PATH: &str = "/v1/chat/completions";

/// Ask one question; the node is verified first, the receipt last
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex chat --gateway https://gw.example --policy policy.json --policy-key alice.pub.pem \"Who are you?\"
  narthex chat --policy policy.json --policy-key alice.pub.pem --policy-key bob.pub.pem < question.txt
  narthex chat --policy policy.json --policy-key alice.pub.pem --receipt r.cose --opening r.opening --bundle r.bundle \"Hello\"

The answer is complete only if the command ends with status 0.")]
pub(crate) struct Chat {
    /// The question; standard input if absent or `-`
    prompt: Option<String>,
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(flatten)]
    sealing: SealingArgs,
    /// Model to ask [default: the one that the node attests]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// System message
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// Longest answer, in tokens
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// Sampling temperature; 0 takes the likeliest token
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Sampling seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    save: Save,
}

/// Files for an auditor.
#[derive(Args, Default)]
#[command(next_help_heading = "Files for an auditor")]
struct Save {
    /// Save the serving receipt (COSE_Sign1)
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Save the secret that opens the receipt's digests
    #[arg(long, value_name = "FILE")]
    opening: Option<PathBuf>,
    /// Save the node's evidence bundle
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Save the request's body, as it was sealed
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Save the answer's body, as it came out of the seal
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,
}

/// An answer with its authenticated end.
struct Complete {
    text: String,
    body: Vec<u8>,
    receipt: SignedReceipt,
}

impl Chat {
    pub(crate) fn run(mut self, context: &Context<'_>) -> Result<Exit, Failure> {
        let prompt = prompt(self.prompt.take())?;
        block_on(async {
            let save = std::mem::take(&mut self.save);
            let (model, (gateway, sealing), asked) = self.into_parts(prompt);
            let settings = sealing.settings_or(NonZeroUsize::MIN)?;
            let country = settings.residency.clone();
            let client = connect(context, gateway, settings, context.output.clone()).await?;
            let model = match model {
                Some(model) => model,
                None => client.model().await?,
            };
            let request = Request::post(PATH, asked.body(&model), model);
            save.request(&request)?;
            let mut exchange = client.send(&request).await?;
            let received = receive(&mut exchange, &context.output).await;
            save.unfinished(&exchange)?;
            let complete = received?;
            let checks = receipt_checks(&exchange, &complete, country.as_deref(), context)?;
            finish(&exchange, (&complete, checks), &save, context)
        })
    }

    fn into_parts(self, prompt: String) -> (Option<String>, (GatewayArgs, SealingArgs), Asked) {
        let asked = Asked {
            prompt,
            system: self.system,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            seed: self.seed,
        };
        (self.model, (self.gateway, self.sealing), asked)
    }
}

/// What goes into the request's body.
struct Asked {
    prompt: String,
    system: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    seed: Option<u64>,
}

impl Asked {
    fn body(&self, model: &str) -> Vec<u8> {
        let system = self.system.as_ref();
        let system = system.map(|text| json!({"role": "system", "content": text}));
        let user = json!({"role": "user", "content": self.prompt});
        let messages: Vec<Value> = system.into_iter().chain([user]).collect();
        let mut body = json!({"model": model, "messages": messages, "stream": true});
        for (name, value) in [
            ("max_tokens", self.max_tokens.map(Value::from)),
            ("temperature", self.temperature.map(Value::from)),
            ("seed", self.seed.map(Value::from)),
        ] {
            if let (Some(value), Some(object)) = (value, body.as_object_mut()) {
                object.insert(name.to_owned(), value);
            }
        }
        body.to_string().into_bytes()
    }
}

impl Save {
    fn request(&self, request: &Request) -> Result<(), Failure> {
        save(self.request.as_deref(), &request.body)
    }

    fn exchange(&self, exchange: &Exchange, complete: &Complete) -> Result<(), Failure> {
        save(self.response.as_deref(), &complete.body)?;
        self.receipt(exchange, &complete.receipt)
    }

    /// The receipt of an answer that the node itself did not finish: it says so.
    fn unfinished(&self, exchange: &Exchange) -> Result<(), Failure> {
        let receipt = exchange.unfinished();
        receipt.map_or(Ok(()), |receipt| self.receipt(exchange, receipt))
    }

    fn receipt(&self, exchange: &Exchange, receipt: &SignedReceipt) -> Result<(), Failure> {
        save(self.receipt.as_deref(), receipt.as_bytes())?;
        save(self.bundle.as_deref(), exchange.node().bundle())?;
        let Some(path) = &self.opening else {
            return Ok(());
        };
        archive::write_opening(path, &exchange.opening())
            .map_err(|error| files::unwritable(path, &error))
    }
}

fn save(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    path.map_or(Ok(()), |path| files::write(path, bytes))
}

fn prompt(given: Option<String>) -> Result<String, Failure> {
    if let Some(prompt) = given.filter(|prompt| prompt != "-") {
        return Ok(prompt);
    }
    if stdin().is_terminal() {
        return Err(Failure::usage("chat.prompt", "there is no question")
            .advice("give it as an argument, or on standard input: narthex chat < question.txt"));
    }
    let bytes = files::read_unlisted(Path::new("-"), MAX_PROMPT_BYTES)?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(Exit::Malformed, "chat.prompt", "the question is not UTF-8"))
}

/// Shows the answer as it comes; gives it only with its authenticated end.
async fn receive(exchange: &mut Exchange, output: &Output) -> Result<Complete, Failure> {
    let status = match exchange.next().await? {
        Some(ResponseEvent::Head { status, .. }) => status,
        _ => return Err(ClientError::from(OpenError::Bhttp).into()),
    };
    if status != 200 {
        let answer = exchange.collect().await?;
        return Err(api_error(status, &answer.body));
    }
    let (mut text, mut body, mut events) = (String::new(), Vec::new(), Events::default());
    while let Some(event) = exchange.next().await? {
        match event {
            ResponseEvent::Body(part) => {
                for event in events.push(&part)? {
                    let delta = delta(&event)?;
                    output.answer(&delta)?;
                    text.push_str(&delta);
                }
                body.extend(part);
            }
            ResponseEvent::End { receipt } => {
                output.answer("\n")?;
                return Ok(Complete {
                    text,
                    body,
                    receipt,
                });
            }
            ResponseEvent::Head { .. } => break,
        }
    }
    Err(ClientError::from(OpenError::Truncated).into())
}

/// The text that one event adds; an event that carries an error ends the answer.
fn delta(event: &[u8]) -> Result<String, Failure> {
    if sse::is_done(event) {
        return Ok(String::new());
    }
    let Some(data) = sse::data(event) else {
        return Ok(String::new());
    };
    let chunk: Value = serde_json::from_str(data).map_err(|_| {
        Failure::new(
            Exit::Malformed,
            "api.event",
            "an event of the answer is not JSON",
        )
    })?;
    if chunk.get("error").is_some() {
        return Err(api_error(200, data.as_bytes()));
    }
    let content = chunk.pointer("/choices/0/delta/content");
    Ok(content
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned())
}

/// An error from inside the seal: authentic, with a receipt, but no answer.
fn api_error(status: u16, body: &[u8]) -> Failure {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = document.pointer("/error/message").and_then(Value::as_str);
    let code = document.pointer("/error/code").and_then(Value::as_str);
    Failure::new(
        Exit::Internal,
        format!("api.{}", code.unwrap_or("error")),
        format!(
            "the model server refused the request (status {status}): {}",
            message.unwrap_or("it gave no reason")
        ),
    )
    .advice("the refusal came sealed from the verified node; change the request")
}

/// The receipt, and what it is held against.
fn receipt_checks(
    exchange: &Exchange,
    complete: &Complete,
    country: Option<&str>,
    context: &Context<'_>,
) -> Result<(Receipt, Vec<Check>), Failure> {
    let admitted = exchange.node().admitted();
    let claims = admitted.claims();
    let receipt = complete
        .receipt
        .verify(&claims.identity)
        .map_err(|error| ClientError::from(OpenError::Receipt(error)))?;
    // The node's clock may be ahead of ours: that is for the auditor to judge, not a reason to refuse a fresh answer.
    let now = context.composition.clock.now().max(receipt.finished_at);
    let keys = Some(exchange.node().keys());
    let mut checks = receipt_check::checks(&receipt, claims, keys, now);
    let placement = admitted.placement();
    checks.push(receipt_check::residency_check(&receipt, country, placement));
    Ok((receipt, checks))
}

/// Receipt, files, and in JSON mode the document.
fn finish(
    exchange: &Exchange,
    (complete, (receipt, checks)): (&Complete, (Receipt, Vec<Check>)),
    save: &Save,
    context: &Context<'_>,
) -> Result<Exit, Failure> {
    let failed = checks.iter().find(|check| check.is_failure()).cloned();
    for check in checks {
        context.output.observe(&Event::Check(check));
    }
    save.exchange(exchange, complete)?;
    if let Some(check) = failed {
        let message = format!("the receipt does not hold: {}", check.detail);
        return Err(Failure::new(Exit::Rejected, check.id, message)
            .advice("do not rely on this answer, and report it"));
    }
    context
        .output
        .either(&document(exchange, complete, &receipt, context), "")?;
    Ok(Exit::Accepted)
}

fn document(
    exchange: &Exchange,
    complete: &Complete,
    receipt: &Receipt,
    context: &Context<'_>,
) -> Value {
    json!({
        "verdict": Exit::Accepted.verdict(),
        "exit": Exit::Accepted as u8,
        "answer": complete.text,
        "request_id": exchange.id().to_string(),
        "nonce": hex::encode(exchange.node().nonce().0),
        "receipt": receipt_json::document(receipt, &complete.receipt),
        "checks": context.output.checks(),
    })
}
