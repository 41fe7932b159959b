//! `narthex policy verify`: whether documents count under a root: one envelope, a file of them, or everything that is published.

mod lines;

use super::{
    super::{
        Context, Exit, Failure,
        report::{Report, Retryable},
        time,
        verify::told_as_report,
    },
    document::{Document, Found},
    folder,
    kind::Kind,
    trust,
};
use crate::Check;
use attestation::UnixTime;
use clap::Args;
use policy::{
    Envelope, InForce, Role, Root,
    orders::Order,
    publication::{self, Files},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Verify who signed documents, under --policy-root or --policy-key: an envelope, or a folder with all that is published
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy verify --policy-key alice.pub.pem policy.json
  narthex policy verify --policy-key alice.pub.pem --policy-key bob.pub.pem --policy-threshold 1 policy.json
  narthex policy verify --policy-root root.json published/
  narthex policy verify --policy-root root.json published/orders.jsonl
  narthex policy verify --policy-root root.json published/ --at 2027-01-01T00:00:00Z

Of a folder, every document is told with who signed it and its window, and whether they fit together as hosts demand.")]
pub(crate) struct PolicyVerify {
    /// An envelope (JSON), a file of them (.jsonl), or the folder of a publication
    #[arg(value_name = "FILE|FOLDER")]
    path: PathBuf,
    /// Judge as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

impl PolicyVerify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let now = time::or_now(self.at, context);
        let judged = if self.path.is_dir() {
            self.published(context, now)
        } else {
            self.file(context, now)
        };
        context.output.report(&judged.or_else(told_as_report)?)
    }

    fn file(&self, context: &Context<'_>, now: UnixTime) -> Result<Report, Failure> {
        match Found::read(&self.path, None)? {
            Found::One(document) => self.one(&document, context, now),
            Found::Lines(documents) => lines::judge(&documents, &self.path, context),
        }
    }

    fn one(
        &self,
        document: &Document,
        context: &Context<'_>,
        now: UnixTime,
    ) -> Result<Report, Failure> {
        let root = match document.kind {
            Kind::Root if context.global.policy_root.is_none() => of_itself(document)?,
            _ => trust::newest(context, trust::folder_of(&self.path))?,
        };
        let signature = signature_check(document, &root);
        let authentic = !signature.is_failure();
        let report = Report::of(vec![signature], Value::Null);
        if !authentic {
            return Ok(report);
        }
        document.check()?;
        let claims = json!({
            "kind": document.kind.name(),
            "digest": hex::encode(attestation::crypto::sha256(document.toml())),
            "root_digest": hex::encode(root.anchor()),
        });
        let claims = with_fields(claims, document);
        let detail = document.summary();
        let well_formed = Check::pass("policy.document", "the document is well-formed");
        let checks = [well_formed.detail(detail)].into_iter();
        let report = report.with(checks.chain(document.window_check(now)));
        Ok(Report { claims, ..report })
    }

    fn published(&self, context: &Context<'_>, now: UnixTime) -> Result<Report, Failure> {
        let root = trust::newest(context, &self.path)?;
        let mut checks = vec![root_check(&root)];
        for (name, kind) in [
            (publication::POLICY, Kind::Policy),
            (publication::INVENTORY, Kind::Inventory),
            (publication::TIMESTAMP, Kind::Timestamp),
        ] {
            let path = self.path.join(name);
            if path.exists() {
                let document = Document::read(&path, Some(kind))?;
                checks.push(signature_check(&document, &root));
                checks.extend(document.window_check(now));
            }
        }
        checks.extend(order_checks(&self.path.join(publication::ORDERS), &root)?);
        let files = folder::read(&self.path)?;
        Ok(whole(checks, &files, (&trust::pinned(context)?, now)))
    }
}

/// Whether a host would obey all of it together.
fn whole(checks: Vec<Check>, files: &Files, (pinned, now): (&Root, UnixTime)) -> Report {
    const TITLE: &str = "a host that pins this root obeys the documents together";
    match folder::verify(files, pinned, now) {
        Ok(in_force) => {
            let detail = told(&in_force);
            let claims = document(&in_force);
            let fit = Check::pass("policy.publication", TITLE).detail(detail);
            Report::of(checks, claims).with([fit])
        }
        Err(errors) => {
            let malformed = errors.iter().any(|error| error.error.position().is_some());
            let failed = errors
                .iter()
                .map(|error| Check::fail(error.code(), TITLE).detail(error.to_string()));
            let report = Report::of(checks, Value::Null).with(failed);
            if malformed {
                report.and(Exit::Malformed, Retryable::No)
            } else {
                report
            }
        }
    }
}

/// A root document by itself: what its reader pins, signed by its own role `root`.
fn of_itself(document: &Document) -> Result<Root, Failure> {
    trust::pin(&document.envelope)
}

fn root_check(root: &Root) -> Check {
    let detail = match root.expires() {
        None => "keys given by hand: policies, inventories and timestamps".to_owned(),
        Some(expires) => format!(
            "{} version {}, until {}, anchor {}",
            root.name(),
            root.version(),
            expires.to_rfc3339(),
            hex::encode(root.anchor())
        ),
    };
    Check::info("policy.root", "the newest root").detail(detail)
}

fn signature_check(document: &Document, root: &Root) -> Check {
    let title = format!("enough distinct keys signed the {}", document.kind.name());
    signed_check(title, document.role(), (root, &document.envelope))
}

fn signed_check(title: String, role: Role, (root, envelope): (&Root, &Envelope)) -> Check {
    match trust::signers(root, role, envelope) {
        Ok(signers) => {
            Check::pass("policy.signature", title).detail(format!("role {role}, {signers}"))
        }
        Err(failure) => {
            let detail = format!("{}: {}", failure.message, failure.advice);
            Check::fail(failure.code, title).detail(detail)
        }
    }
}

/// One check for each order of the log; whether they follow each other is the publication's to tell.
fn order_checks(path: &Path, root: &Root) -> Result<Vec<Check>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let log = Document::read_lines(path)?;
    Ok(log.iter().map(|one| order_check(one, root)).collect())
}

fn order_check(document: &Document, root: &Root) -> Check {
    let Ok(order) = Order::from_toml(document.toml()) else {
        return Check::fail("policy.document", "the order is well-formed").detail(document.place());
    };
    let targets: Vec<String> = order.targets().iter().map(ToString::to_string).collect();
    let title = format!(
        "order {}: {} {}",
        order.serial(),
        order.action().as_str(),
        targets.join(", ")
    );
    signed_check(title, order.action().role(), (root, &document.envelope))
}

fn told(in_force: &InForce) -> String {
    let policy = in_force.policy();
    let mut told = format!("policy {} version {}", policy.name(), policy.version());
    if let Some(inventory) = in_force.inventory() {
        told.push_str(&format!(", inventory version {}", inventory.version()));
    }
    let stopped: Vec<String> = in_force
        .orders()
        .iter()
        .map(|(t, _)| t.to_string())
        .collect();
    if !stopped.is_empty() {
        told.push_str(&format!(", stopped: {}", stopped.join(", ")));
    }
    told
}

fn document(in_force: &InForce) -> Value {
    let orders = in_force.orders();
    let stopped: Vec<Value> = orders
        .iter()
        .map(|(target, stopped)| {
            json!({
                "target": target.to_string(),
                "serial": stopped.serial,
                "issued": stopped.issued.to_rfc3339(),
                "reason": stopped.reason,
            })
        })
        .collect();
    json!({
        "policy": { "name": in_force.policy().name(), "version": in_force.policy().version(),
            "digest": hex::encode(in_force.policy().digest()) },
        "root": in_force.root().map(|root| json!({"version": root.version(), "anchor": hex::encode(root.anchor())})),
        "inventory": in_force.inventory().map(|one| json!({"version": one.version(), "digest": hex::encode(one.digest())})),
        "timestamp": in_force.timestamp().map(|one| json!({"version": one.version, "expires": one.expires.to_rfc3339()})),
        "orders": orders.serial(),
        "stopped": stopped,
    })
}

/// Name, version and window, as a policy has always been told.
fn with_fields(claims: Value, document: &Document) -> Value {
    let Value::Object(mut claims) = claims else {
        return claims;
    };
    claims.extend(document.fields());
    Value::Object(claims)
}
