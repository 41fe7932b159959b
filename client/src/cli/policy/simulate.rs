//! `narthex policy simulate`: a draft judges recorded evidence, or what the fleet offers now, before anybody signs it.

mod outcome;
mod sources;

use super::{
    super::{Context, Exit, Failure, config, gateway_args::GatewayArgs, in_force, time},
    case,
};
use attestation::UnixTime;
use clap::Args;
use outcome::{Outcome, Outcomes};
use policy::{InForce, Inventory, Order, Policy, Trial, trial::Beside};
use sources::Evidence;
use std::path::PathBuf;

/// Try a draft on recorded evidence or on the live fleet: who would be refused, and why, and who newly admitted
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy simulate draft.toml --evidence recorded/ --at 2026-12-01T00:00:00Z
  narthex policy simulate draft.toml --evidence a.bundle b.bundle --inventory inventory.toml --order stop.toml
  narthex policy simulate draft.toml --gateway https://gw.example --policy published/ --policy-root root.json

With --policy the outcome is compared with what is in force, whose inventory and orders stand beside the draft too unless others are
given. Status 0: nobody would be refused; 10: somebody would.")]
pub(crate) struct Simulate {
    /// The draft (TOML or envelope); its signatures are not looked at
    draft: PathBuf,
    /// Evidence bundles, or folders of them (*.bundle), as `narthex chat --bundle` saves them
    #[arg(long, value_name = "FILE|FOLDER", num_args = 1.., conflicts_with = "gateway")]
    evidence: Vec<PathBuf>,
    /// Judge recorded evidence as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
    /// Inventory (TOML or envelope) that stands beside the draft
    #[arg(long, value_name = "FILE")]
    inventory: Option<PathBuf>,
    /// Order (TOML or envelope), from the first on; repeatable
    #[arg(long, value_name = "FILE")]
    order: Vec<PathBuf>,
    #[command(flatten)]
    gateway: Option<GatewayArgs>,
}

impl Simulate {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let now = time::or_now(self.at, context);
        let in_force = in_force::read(context)?;
        let draft = case::document(&self.draft, Policy::from_toml)?;
        let draft = self.trial((context.composition.policy)(draft), in_force.as_ref())?;
        let collateral = self.gateway.as_ref().and_then(GatewayArgs::collateral);
        let verifier = config::verifier(context, collateral.as_deref())?;
        let evidence = match self.gateway {
            Some(gateway) if self.evidence.is_empty() => sources::live(gateway)?,
            _ => sources::recorded(&self.evidence)?,
        };
        let in_force = in_force.map(Trial::of);
        let trials = (&draft, in_force.as_ref());
        let judged = evidence
            .into_iter()
            .map(|one| judge(one, &verifier, trials, now));
        let outcomes = Outcomes {
            draft: self.draft,
            all: judged.collect(),
        };
        context.output.either(&outcomes.json(), &outcomes.text())?;
        Ok(outcomes.exit())
    }

    fn trial(&self, policy: Policy, in_force: Option<&InForce>) -> Result<Trial, Failure> {
        let is_given = self.inventory.is_some() || !self.order.is_empty();
        if let (Some(in_force), false) = (in_force, is_given) {
            return Ok(Trial::in_place_of(in_force, policy));
        }
        let inventory = self.inventory.as_ref();
        let beside = Beside {
            inventory: inventory
                .map(|path| case::document(path, Inventory::from_toml))
                .transpose()?,
            orders: self
                .order
                .iter()
                .map(|path| case::document(path, Order::from_toml))
                .collect::<Result<_, _>>()?,
            timestamp: in_force.and_then(|in_force| in_force.timestamp().cloned()),
        };
        Trial::new(policy, beside).map_err(|error| config::policy_failure(&[error]))
    }
}

fn judge(
    one: Evidence,
    verifier: &attestation::Verifier,
    (draft, in_force): (&Trial, Option<&Trial>),
    now: UnixTime,
) -> Outcome {
    let bundle = match one.bundle {
        Ok(bundle) => bundle,
        Err((code, why)) => return Outcome::without_evidence(one.name, code, why),
    };
    match verifier.verify(&bundle, one.nonce.as_ref(), now) {
        Err(error) => Outcome::without_evidence(one.name, error.code(), error.to_string()),
        Ok(verified) => {
            let reasons = |trial: &Trial| {
                let mut reasons = trial.judge(verified.claims(), verified.at(), now);
                reasons.extend(one.node.as_ref().and_then(|node| trial.judge_name(node)));
                reasons
            };
            Outcome::judged(one.name, reasons(draft), in_force.map(reasons))
        }
    }
}
