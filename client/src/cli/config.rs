//! The only reader of the environment (beside clap's own), and of the policy that the user names.

use super::{Context, Exit, Failure, Global, evidence_file, files};
use crate::{Judge, SeenPolicies};
use attestation::{CollateralBundle, Verifier};
use policy::{Appraiser, Envelope, Policy, PolicyError, TrustRoot, signature::MAX_ENVELOPE_BYTES};
use provision::{MemoryError, PolicyMemory, PublicKeyError};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Whether <https://no-color.org> leaves colours to us.
pub(super) fn color_wanted() -> bool {
    environment("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// `--state`, or the directory that the XDG base directory specification gives; `None` without a home.
pub(super) fn state_directory(context: &Context<'_>) -> Option<PathBuf> {
    let given = context.global.state.clone();
    given.or_else(|| {
        let base = environment("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(PathBuf::from(environment("HOME")?).join(".local/state")))?;
        Some(base.join("narthex"))
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "this file is the command's reader of the environment"
)]
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Verifier and policy for commands that talk to a node: a policy is not optional there, and none older than the newest one used counts.
pub(super) fn judge(context: &Context<'_>, collateral: Option<&Path>) -> Result<Judge, Failure> {
    let policy = policy(context)?.ok_or_else(|| {
        Failure::usage("policy.absent", "no policy says which machines may see the prompt")
            .advice("give --policy FILE and --policy-key FILE; `narthex policy --help` shows how to make them")
    })?;
    remember(&policy, context)?;
    Ok(Judge {
        appraiser: Appraiser::new(verifier(context, collateral)?, policy),
        clock: Arc::clone(&context.composition.clock),
        seen: SeenPolicies::default(),
    })
}

/// The composition's verifier with the collateral in the file, if one is named.
pub(super) fn verifier(
    context: &Context<'_>,
    collateral: Option<&Path>,
) -> Result<Verifier, Failure> {
    let verifier = context.composition.verifier.clone();
    let Some(path) = collateral else {
        return Ok(verifier);
    };
    let collateral = CollateralBundle::from_cbor(&evidence_file::collateral(path)?)
        .map_err(|error| Failure::new(Exit::Malformed, error.code(), error.to_string()))?;
    Ok(verifier.with_collateral(collateral))
}

/// The policy that `--policy` names, its signatures verified; `None` if none is named.
pub(super) fn policy(context: &Context<'_>) -> Result<Option<Policy>, Failure> {
    let Some(path) = &context.global.policy else {
        return no_policy(&context.global);
    };
    let root = trust_root(context)?;
    let envelope = read_envelope(path)?;
    let policy =
        Policy::from_envelope(&envelope, &root).map_err(|errors| policy_failure(&errors))?;
    Ok(Some((context.composition.policy)(policy)))
}

/// Keys without a policy are a policy forgotten.
fn no_policy(global: &Global) -> Result<Option<Policy>, Failure> {
    if global.policy_key.is_empty() && global.policy_threshold.is_none() {
        return Ok(None);
    }
    let message =
        "--policy-key and --policy-threshold say who signs a policy, and no policy is given";
    Err(Failure::usage("policy.absent", message).advice("give --policy FILE too"))
}

/// A policy's envelope, parsed, not verified.
pub(super) fn read_envelope(path: &Path) -> Result<Envelope, Failure> {
    parse_envelope(&files::read(path, MAX_ENVELOPE_BYTES)?)
}

/// The same from bytes.
pub(super) fn parse_envelope(bytes: &[u8]) -> Result<Envelope, Failure> {
    Envelope::from_json(bytes).map_err(|error| {
        Failure::new(Exit::Malformed, error.code(), error.to_string())
            .advice("a policy is given as a signed envelope: make one with `narthex policy sign`")
    })
}

/// The keys that `--policy-key` names, under `--policy-threshold` (default: all of them).
pub(super) fn trust_root(context: &Context<'_>) -> Result<TrustRoot, Failure> {
    let Global {
        policy_key: paths,
        policy_threshold: threshold,
        ..
    } = &context.global;
    if paths.is_empty() {
        return Err(
            Failure::usage("policy.root.no_keys", "no key says whose policies count")
                .advice("give --policy-key FILE, once for each key"),
        );
    }
    provision::read_trust_root(paths, *threshold).map_err(|error| {
        let exit = match error {
            PublicKeyError::File(_) | PublicKeyError::Root(_) => Exit::Usage,
            _ => Exit::Malformed,
        };
        Failure::new(exit, error.code(), error.to_string())
            .advice("`narthex policy keygen` makes a pair; give its NAME.pub.pem here")
    })
}

/// Durably takes note of `policy`; refuses it if a newer one was used before.
fn remember(policy: &Policy, context: &Context<'_>) -> Result<(), Failure> {
    let Some(directory) = state_directory(context) else {
        context
            .output
            .notice("without --state, HOME or XDG_STATE_HOME nobody notices an older policy");
        return Ok(());
    };
    fs::create_dir_all(&directory).map_err(|error| files::unwritable(&directory, &error))?;
    let memory = PolicyMemory::new(&directory, &trust_root(context)?);
    memory.remember(policy).map_err(|error| {
        let exit = match error {
            MemoryError::Rollback { .. } | MemoryError::Equivocation { .. } => Exit::Rejected,
            _ => Exit::Internal,
        };
        Failure::new(exit, error.code(), error.to_string())
    })
}

/// Every mistake, one a line, with its code where that is another than the first's.
pub(super) fn policy_failure(errors: &[PolicyError]) -> Failure {
    let signature = errors
        .iter()
        .any(|error| matches!(error, PolicyError::Signature(_)));
    let (exit, advice) = if signature {
        (
            Exit::Rejected,
            "check that --policy and --policy-key belong together; `narthex policy verify` tells more",
        )
    } else {
        (
            Exit::Malformed,
            "correct the document and have it signed; `narthex policy lint` tells its mistakes one by one",
        )
    };
    let code = errors.first().map_or("policy.document", PolicyError::code);
    let lines: Vec<String> = errors.iter().map(|error| mistake(error, code)).collect();
    Failure::new(exit, code, lines.join("\n")).advice(advice)
}

fn mistake(error: &PolicyError, told: &str) -> String {
    if error.code() == told {
        error.to_string()
    } else {
        format!("{error} [{}]", error.code())
    }
}
