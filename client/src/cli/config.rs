//! The only reader of the environment (beside clap's own), and what the flags of every command say of policies.

use super::{Context, Exit, Failure, Global, evidence_file, files};
use attestation::{CollateralBundle, Verifier};
use policy::{
    Envelope, PayloadType, PolicyError, PublicationError, SignatureError, TrustRoot,
    signature::MAX_ENVELOPE_BYTES,
};
use provision::{
    PublicKeyError,
    policy_keeper::{PolicySettings, PolicySource, RootSource},
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
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

/// Whose policy is obeyed and where it comes from; `None` if none is named. What was obeyed is remembered in `state`.
pub(super) fn policy_settings(
    context: &Context<'_>,
    state: Option<PathBuf>,
) -> Result<Option<PolicySettings>, Failure> {
    let global = &context.global;
    let Some(source) = &global.policy else {
        return no_policy(global);
    };
    Ok(Some(PolicySettings {
        root: root_source(global)?,
        source: source.clone(),
        state,
    }))
}

/// Keys without a policy are a policy forgotten.
fn no_policy(global: &Global) -> Result<Option<PolicySettings>, Failure> {
    let is_signed = !global.policy_key.is_empty()
        || global.policy_threshold.is_some()
        || global.policy_root.is_some();
    if !is_signed {
        return Ok(None);
    }
    let message = "--policy-root, --policy-key and --policy-threshold say who signs a policy, and no policy is given";
    Err(Failure::usage("policy.absent", message).advice("give --policy too"))
}

fn root_source(global: &Global) -> Result<RootSource, Failure> {
    match &global.policy_root {
        Some(path) => Ok(RootSource::Document(path.clone())),
        None if global.policy_key.is_empty() => Err(no_keys()),
        None => Ok(RootSource::Keys {
            files: global.policy_key.clone(),
            threshold: global.policy_threshold,
        }),
    }
}

fn no_keys() -> Failure {
    Failure::usage("policy.root.no_keys", "nothing says whose policies count")
        .advice("give --policy-root FILE, or --policy-key FILE once for each key")
}

/// The names of the files that a policy on this machine consists of.
pub(super) fn policy_files(global: &Global) -> Vec<PathBuf> {
    match &global.policy {
        Some(PolicySource::File(path)) => vec![path.clone()],
        Some(PolicySource::Folder(path)) => vec![path.join(policy::publication::POLICY)],
        _ => Vec::new(),
    }
}

/// A policy's envelope, parsed, not verified.
pub(super) fn read_envelope(path: &Path) -> Result<Envelope, Failure> {
    parse_envelope(&files::read(path, MAX_ENVELOPE_BYTES)?)
}

/// The same from bytes.
pub(super) fn parse_envelope(bytes: &[u8]) -> Result<Envelope, Failure> {
    parse_envelope_of(PayloadType::Policy, bytes)
}

/// The same, within the cap of `kind`.
pub(super) fn parse_envelope_of(kind: PayloadType, bytes: &[u8]) -> Result<Envelope, Failure> {
    Envelope::from_json_of(kind, bytes).map_err(|error| {
        Failure::new(Exit::Malformed, error.code(), error.to_string()).advice(SIGNED_ENVELOPE)
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
        return Err(no_keys());
    }
    provision::read_trust_root(paths, *threshold).map_err(|error| keys_failure(&error))
}

/// Keys that are none, or no root together.
pub(super) fn keys_failure(error: &PublicKeyError) -> Failure {
    let exit = match error {
        PublicKeyError::File(_) | PublicKeyError::Root(_) => Exit::Usage,
        _ => Exit::Malformed,
    };
    Failure::new(exit, error.code(), error.to_string())
        .advice("`narthex policy keygen` makes a pair; give its NAME.pub.pem here")
}

/// Every mistake, one a line, with its code where that is another than the first's.
pub(super) fn policy_failure(errors: &[PolicyError]) -> Failure {
    let told = errors.iter().map(|error| (error, error.to_string()));
    failure_of(&told.collect::<Vec<_>>())
}

/// The same of everything that is published together; each mistake names its file.
pub(super) fn publication_failure(errors: &[PublicationError]) -> Failure {
    let told = errors.iter().map(|error| (&error.error, error.to_string()));
    failure_of(&told.collect::<Vec<_>>())
}

fn failure_of(told: &[(&PolicyError, String)]) -> Failure {
    let (exit, advice) = if told.iter().any(|(error, _)| is_no_envelope(error)) {
        (Exit::Malformed, SIGNED_ENVELOPE)
    } else if told.iter().any(|(error, _)| is_refusal(error)) {
        (
            Exit::Rejected,
            "check that --policy and --policy-root or --policy-key belong together; `narthex policy verify` tells more",
        )
    } else {
        (
            Exit::Malformed,
            "correct the document and have it signed; `narthex policy lint` tells its mistakes one by one",
        )
    };
    let first = told.first();
    let code = first.map_or("policy.document", |(error, _)| error.code());
    let lines = told.iter().map(|(error, text)| mistake(error, text, code));
    Failure::new(exit, code, lines.collect::<Vec<_>>().join("\n")).advice(advice)
}

const SIGNED_ENVELOPE: &str =
    "a policy is given as a signed envelope: make one with `narthex policy sign`";

/// A document that is well-formed and still does not count.
fn is_refusal(error: &PolicyError) -> bool {
    !error.code().starts_with("policy.document.")
}

const fn is_no_envelope(error: &PolicyError) -> bool {
    matches!(
        error,
        PolicyError::Signature(
            SignatureError::TooLarge { .. }
                | SignatureError::Malformed(_)
                | SignatureError::TooManySignatures { .. }
        )
    )
}

fn mistake(error: &PolicyError, text: &str, told: &str) -> String {
    if error.code() == told {
        text.to_owned()
    } else {
        format!("{text} [{}]", error.code())
    }
}
