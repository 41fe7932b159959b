//! `narthex policy stop`, `start` and `append`: orders, and the log that they stand in.

use super::{
    super::{Context, Exit, Failure, config, files, time},
    document::Document,
    jsonl,
    kind::Kind,
    sign, trust,
};
use attestation::UnixTime;
use clap::Args;
use policy::{
    Action, Envelope, Order, Orders, PayloadType, Target, draft::OrderDraft, publication::TIMESTAMP,
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What `stop` and `start` have in common.
#[derive(Args)]
pub(crate) struct OrderArgs {
    /// everything, node:NAME, site:NAME, snp:HEX, tdx:HEX, nvidia:HEX, model:HEX, measurement:HEX or tenant:HEX
    #[arg(required = true, value_name = "TARGET", value_parser = parse_target)]
    targets: Vec<Target>,
    /// Why, for people: it stands in every denial
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Ed25519 private key (a file, or pkcs11:..) of one who may; repeatable
    #[arg(long, value_name = "FILE|URI")]
    key: Vec<PathBuf>,
    /// The log of all orders; the new one follows its last
    #[arg(long, value_name = "FILE", default_value = "orders.jsonl")]
    orders: PathBuf,
    /// Write the order here for others to sign, instead of appending it to the log
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// When it is issued [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    issued: Option<UnixTime>,
}

/// Stop nodes, hardware, models, measurements, tenants, sites or everything: at once, wherever the log is read
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy stop node:gpu-7 --reason 'found open' --key alice.pem --policy-root root.json --orders published/orders.jsonl
  narthex policy stop everything --reason 'drill' --key alice.pem --orders published/orders.jsonl -o order.json

Where more than one must sign: `stop --orders LOG -o order.json`, then each `narthex policy sign --key K order.json -o order.json`, then
`narthex policy append order.json published/orders.jsonl --policy-root root.json`.")]
pub(crate) struct Stop {
    #[command(flatten)]
    order: OrderArgs,
}

/// Let what was stopped start again; needs the higher threshold of the role `start`
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy start node:gpu-7 --reason 'examined' --key alice.pem --key bob.pem --policy-root root.json --orders published/orders.jsonl
  narthex policy start site:fra-1 --reason 'power is back' --key alice.pem --orders published/orders.jsonl -o order.json

The targets are those of the stop, as it named them; what the log does not stop cannot start (policy.start.not_stopped).")]
pub(crate) struct Start {
    #[command(flatten)]
    order: OrderArgs,
}

/// Append a signed order to the log, once enough have signed it
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex policy append order.json published/orders.jsonl --policy-root root.json

The whole log is verified, and the order as the one that follows its last: signatures, serial, previous.")]
pub(crate) struct Append {
    /// The order's envelope
    order: PathBuf,
    /// The log; made if it is not there
    log: PathBuf,
}

impl Stop {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        self.order.run(Action::Stop, context)
    }
}

impl Start {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        self.order.run(Action::Start, context)
    }
}

impl Append {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let order = Document::read(&self.order, Some(Kind::Order))?;
        order.check()?;
        append(&order.envelope, &self.log, context)
    }
}

impl OrderArgs {
    fn run(self, action: Action, context: &Context<'_>) -> Result<Exit, Failure> {
        let keys = sign::open_keys(&self.key)?;
        let (log, output) = (self.orders.clone(), self.output.clone());
        let text = self.draft(action, context)?.to_string();
        Order::from_toml(text.as_bytes()).map_err(|errors| config::policy_failure(&errors))?;
        let mut envelope = Envelope::unsigned(PayloadType::Order, text.into_bytes());
        sign::sign(&mut envelope, &keys)?;
        let Some(output) = output else {
            return append(&envelope, &log, context);
        };
        files::write_shared(&output, envelope.to_json().as_bytes())?;
        context.output.notice(&format!(
            "{} carries {} signature(s); nothing is {} before it is appended to the log",
            output.display(),
            keys.len(),
            past(action)
        ));
        Ok(Exit::Accepted)
    }

    /// The document that follows the last of the log.
    fn draft(self, action: Action, context: &Context<'_>) -> Result<OrderDraft, Failure> {
        let issued = time::or_now(self.issued, context);
        let log = self.log(context)?;
        if action == Action::Start {
            self.are_stopped(&log)?;
        }
        let draft = match log.last() {
            None => OrderDraft::after(&Orders::none(), issued, action),
            Some(last) => OrderDraft::following(last, issued, action),
        };
        Ok(OrderDraft {
            targets: self.targets,
            reason: self.reason,
            ..draft
        })
    }

    fn log(&self, context: &Context<'_>) -> Result<Vec<Order>, Failure> {
        if !self.orders.exists() {
            let path = self.orders.display();
            let told = format!("no log at {path}: this is order 1");
            context.output.notice(&told);
            return Ok(Vec::new());
        }
        let read = |line: &Document| {
            Order::from_toml(line.toml())
                .map_err(|errors| config::policy_failure(&errors).within(&line.place()))
        };
        Document::read_lines(&self.orders)?
            .iter()
            .map(read)
            .collect()
    }

    /// Only what is stopped can start; else somebody named the wrong target, or the wrong log.
    fn are_stopped(&self, log: &[Order]) -> Result<(), Failure> {
        let stopped = stopped_by(log);
        let Some(target) = self.targets.iter().find(|target| !stopped.contains(target)) else {
            return Ok(());
        };
        let message = format!("{} does not stop {target}", self.orders.display());
        let stopped: Vec<String> = stopped.iter().map(ToString::to_string).collect();
        let advice = if stopped.is_empty() {
            "nothing is stopped there; give --orders the published log".to_owned()
        } else {
            format!(
                "name targets as the log does; stopped are: {}",
                stopped.join(", ")
            )
        };
        Err(Failure::new(Exit::Rejected, "policy.start.not_stopped", message).advice(advice))
    }
}

/// What a log says before anybody has verified it.
fn stopped_by(log: &[Order]) -> BTreeSet<Target> {
    let mut stopped = BTreeSet::new();
    for order in log {
        for target in order.targets() {
            match order.action() {
                Action::Stop => stopped.insert(target.clone()),
                Action::Start => stopped.remove(target),
            };
        }
    }
    stopped
}

/// Verifies the whole log and `envelope` after it, then writes both as one file.
fn append(envelope: &Envelope, path: &Path, context: &Context<'_>) -> Result<Exit, Failure> {
    let root = trust::newest(context, trust::folder_of(path))?;
    let mut orders =
        Orders::replay(&jsonl::read(path)?, &root).map_err(|errors| trust::refused(&errors))?;
    orders
        .obey(envelope, &root)
        .map_err(|errors| with_advice(trust::refused(&errors)))?;
    jsonl::append(path, envelope)?;
    if starts(envelope) && trust::folder_of(path).join(TIMESTAMP).exists() {
        let text = "a start takes effect with the next timestamp: `narthex policy timestamp`, then publish both";
        context.output.notice(text);
    }
    let stopped: Vec<String> = orders
        .iter()
        .map(|(target, _)| target.to_string())
        .collect();
    let document = json!({
        "log": path,
        "serial": orders.serial(),
        "digest": hex::encode(orders.digest()),
        "stopped": stopped,
    });
    let what = if stopped.is_empty() {
        "nothing".to_owned()
    } else {
        stopped.join(", ")
    };
    let text = format!(
        "order {} is in {}\nstopped now: {what}\n",
        orders.serial(),
        path.display()
    );
    context.output.either(&document, &text)?;
    Ok(Exit::Accepted)
}

fn starts(envelope: &Envelope) -> bool {
    let order = Order::from_toml(envelope.unverified_payload());
    order.is_ok_and(|order| order.action() == Action::Start)
}

fn with_advice(failure: Failure) -> Failure {
    let advice = match failure.code.as_ref() {
        "policy.signature.too_few" => {
            "write the order with --output, have others sign it with `narthex policy sign`, then `narthex policy append` it"
        }
        "policy.root.no_role" => {
            "pin a root document (--policy-root) that gives the role to somebody"
        }
        _ => "make the order anew: the log has grown since, or is another one",
    };
    failure.advice(advice)
}

const fn past(action: Action) -> &'static str {
    match action {
        Action::Stop => "stopped",
        Action::Start => "started",
    }
}

fn parse_target(text: &str) -> Result<Target, String> {
    Target::parse(text).ok_or_else(|| {
        "not `everything`, `node:NAME`, `site:NAME`, or snp:, tdx:, nvidia:, model:, measurement:, tenant: with its hexadecimal digits"
            .to_owned()
    })
}
