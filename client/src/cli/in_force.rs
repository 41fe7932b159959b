//! What the user's flags put in force: the documents that `--policy` names, verified under `--policy-root` or `--policy-key`.

use super::{Context, Exit, Failure, block_on, config, files, inputs};
use crate::{
    Check, Gateway, Judge, PolicyUpdates, SeenPolicies, UpdatesFrom, alarm,
    publication::publication,
};
use policy::{
    Appraiser, InForce, Policy,
    publication::{Files, INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP},
    signature::MAX_ENVELOPE_BYTES,
};
use provision::{
    Clock, PolicyKeeper,
    policy_keeper::{PolicyKeeperError, PolicySettings, PolicySource, RootSource},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// What commands judge evidence from files by; `None` if no policy is named. Nothing is remembered: an auditor may need the policy of then.
pub(super) fn read(context: &Context<'_>) -> Result<Option<InForce>, Failure> {
    let Some(settings) = config::policy_settings(context, None)? else {
        return Ok(None);
    };
    match &settings.source {
        PolicySource::Gateway => {
            let message = "--policy gateway is for commands that talk to one";
            return Err(Failure::usage("policy.source", message)
                .advice("give a file, a folder or an address"));
        }
        PolicySource::Url(_) => {
            let text = format!("the policy is fetched from {}", settings.source);
            context.output.notice(&text);
        }
        PolicySource::File(_) | PolicySource::Folder(_) => {}
    }
    let clock = Arc::clone(&context.composition.clock);
    let source = settings.source.clone();
    note_root(&settings.root)?;
    let (keeper, in_force) = block_on(async {
        let opened = PolicyKeeper::open(settings, clock).await;
        opened.map_err(|error| failure(&error))
    })?;
    note_files(&source, keeper.files());
    Ok(Some(in_force.map_policy(context.composition.policy)))
}

/// The policy alone, for evidence that is less than a node.
pub(super) fn policy(context: &Context<'_>) -> Result<Option<Policy>, Failure> {
    let in_force = read(context)?;
    Ok(in_force.map(|in_force| in_force.policy().clone()))
}

/// What judges for commands that talk to a node, and how it is kept current: a policy is not optional there, and none older than the newest
/// one used counts.
pub(super) async fn follow(
    context: &Context<'_>,
    gateway: &Gateway,
    (collateral, every): (Option<&Path>, Duration),
) -> Result<(Judge, PolicyUpdates), Failure> {
    let (keeper, in_force, from) = open(context, gateway).await?;
    let policy = context.composition.policy;
    let judge = Judge {
        appraiser: Appraiser::new(
            config::verifier(context, collateral)?,
            in_force.map_policy(policy),
        ),
        clock: Arc::clone(keeper.clock()) as Arc<dyn Clock>,
        seen: SeenPolicies::default(),
    };
    let updates = PolicyUpdates {
        keeper,
        every,
        from,
        policy,
    };
    Ok((judge, updates))
}

async fn open(
    context: &Context<'_>,
    gateway: &Gateway,
) -> Result<(PolicyKeeper, InForce, UpdatesFrom), Failure> {
    let settings = config::policy_settings(context, memory(context)?)?.ok_or_else(no_policy)?;
    let clock = Arc::clone(&context.composition.clock);
    let (opened, from) = match settings.source {
        PolicySource::Gateway => (
            through_gateway(settings, clock, gateway, context).await,
            UpdatesFrom::Gateway,
        ),
        _ => (
            PolicyKeeper::open(settings, clock).await,
            UpdatesFrom::Source,
        ),
    };
    let (keeper, in_force) = opened.map_err(|error| failure(&error))?;
    if let Some(trouble) = keeper.alarm() {
        tell(context, &trouble.message, trouble.code);
    }
    Ok((keeper, in_force, from))
}

/// What the gateway hands out; the last good publication where it hands out nothing.
async fn through_gateway(
    settings: PolicySettings,
    clock: Arc<dyn Clock>,
    gateway: &Gateway,
    context: &Context<'_>,
) -> Result<(PolicyKeeper, InForce), PolicyKeeperError> {
    match publication(gateway).await {
        Ok(files) => PolicyKeeper::open_with(settings, clock, files).await,
        Err(error) => {
            tell(context, &error.to_string(), error.code());
            PolicyKeeper::open(settings, clock).await
        }
    }
}

fn tell(context: &Context<'_>, message: &str, code: &str) {
    let title = "the policy offered is not obeyed; the last good one is in force";
    let check = Check::info(alarm::POLICY, title).detail(format!("{message} [{code}]"));
    alarm::raise(&*context.output, check);
}

fn no_policy() -> Failure {
    Failure::usage("policy.absent", "no policy says which machines may see the prompt")
        .advice("give --policy with --policy-root FILE or --policy-key FILE; `narthex policy --help` shows how to make them")
}

/// The directory of the memory, made if there is none.
fn memory(context: &Context<'_>) -> Result<Option<PathBuf>, Failure> {
    let Some(directory) = config::state_directory(context) else {
        let text = "without --state, HOME or XDG_STATE_HOME nobody notices an older policy";
        context.output.notice(text);
        return Ok(None);
    };
    fs::create_dir_all(&directory).map_err(|error| files::unwritable(&directory, &error))?;
    Ok(Some(directory))
}

/// Reports list the root document with its digest.
fn note_root(root: &RootSource) -> Result<(), Failure> {
    match root {
        RootSource::Document(path) => files::read(path, MAX_ENVELOPE_BYTES).map(drop),
        RootSource::Keys { .. } => Ok(()),
    }
}

/// Reports list what was judged by: the bytes that were, wherever they came from.
fn note_files(source: &PolicySource, files: &Files) {
    let name = |file: &str| match source {
        PolicySource::File(path) => path.clone(),
        PolicySource::Folder(path) => path.join(file),
        _ => PathBuf::from(format!("{source}{file}")),
    };
    for (file, bytes) in [
        (ROOTS, &files.roots),
        (POLICY, &files.policy),
        (INVENTORY, &files.inventory),
        (ORDERS, &files.orders),
        (TIMESTAMP, &files.timestamp),
    ] {
        if let Some(bytes) = bytes {
            inputs::note(&name(file), bytes);
        }
    }
}

/// What the keeper says, as a command ends with it.
fn failure(error: &PolicyKeeperError) -> Failure {
    match error {
        PolicyKeeperError::Keys(error) => config::keys_failure(error),
        PolicyKeeperError::Root { mistakes, .. } => config::policy_failure(mistakes),
        PolicyKeeperError::Publication { mistakes, .. } => config::publication_failure(mistakes),
        PolicyKeeperError::File(error) => Failure::new(Exit::Usage, "file.read", error.to_string())
            .advice("check the path and its permissions"),
        PolicyKeeperError::Succession { .. } => {
            Failure::new(Exit::Rejected, error.code(), error.to_string()).advice(
                "newer documents were in force here before: get the newest ones of those who publish them",
            )
        }
        _ if error.retryable() => Failure::new(Exit::Internal, error.code(), error.to_string())
            .advice("retryable: try again later, or give --policy with files that are here"),
        _ => Failure::new(Exit::Internal, error.code(), error.to_string())
            .advice("the message names what is wrong; nothing was sent"),
    }
}
