//! Under whom documents are verified: a pinned root with the rotations that lie beside the documents, or keys given by hand.

use super::{
    super::{Context, Exit, Failure, config, files},
    jsonl,
};
use policy::{
    Envelope, PayloadType, PolicyError, Role, Root, TrustRoot, publication,
    root::{MAX_ROOT_BYTES, RootDocument},
};
use std::path::Path;

/// The root that `--policy-root` pins, or the keys of `--policy-key`.
pub(super) fn pinned(context: &Context<'_>) -> Result<Root, Failure> {
    let Some(path) = &context.global.policy_root else {
        return config::trust_root(context).map(Root::of_keys);
    };
    pin(&config::parse_envelope(&files::read(
        path,
        2 * MAX_ROOT_BYTES,
    )?)?)
}

/// The root in `envelope`, if its own role `root` has signed it.
pub(super) fn pin(envelope: &Envelope) -> Result<Root, Failure> {
    Root::pinned(envelope).map_err(|errors| {
        let failure = refused(&errors);
        let document = RootDocument::from_toml(envelope.unverified_payload());
        let Ok(document) = document else {
            return failure;
        };
        let name = |key: &[u8; 32]| {
            let mut keys = document.keys().iter();
            keys.find(|named| named.key == *key)
                .map(|named| named.name.clone())
        };
        match document.role(Role::Root) {
            Some(keys) if is_too_few(&failure.code) => {
                failure.advice(to_sign((keys, PayloadType::Root), envelope, name))
            }
            _ => failure,
        }
    })
}

/// The pinned root, and those that follow it in `roots.jsonl` of `folder`.
pub(super) fn newest(context: &Context<'_>, folder: &Path) -> Result<Root, Failure> {
    follow(
        pinned(context)?,
        &jsonl::read(&folder.join(publication::ROOTS))?,
    )
}

/// The last of `rotations` from `root` on; those that led to it are behind it.
pub(super) fn follow(mut root: Root, rotations: &[Envelope]) -> Result<Root, Failure> {
    for envelope in rotations {
        if is_later(&root, envelope)? {
            root = root.rotated(envelope).map_err(|errors| refused(&errors))?;
        }
    }
    Ok(root)
}

fn is_later(root: &Root, envelope: &Envelope) -> Result<bool, Failure> {
    let document = RootDocument::from_toml(envelope.unverified_payload());
    let document = document.map_err(|errors| config::policy_failure(&errors))?;
    Ok(document.version() > root.version())
}

/// The folder in which `file` lies.
pub(super) fn folder_of(file: &Path) -> &Path {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

/// A document that those who must have not signed, or that does not follow what was before it.
pub(super) fn refused(errors: &[PolicyError]) -> Failure {
    let failure = config::policy_failure(errors);
    let is_malformed = errors.iter().any(|error| error.position().is_some());
    Failure {
        exit: if is_malformed {
            Exit::Malformed
        } else {
            Exit::Rejected
        },
        ..failure
    }
}

/// Who of `root` signed `envelope` in `role`: by name, or by key id.
pub(super) fn signers(root: &Root, role: Role, envelope: &Envelope) -> Result<String, Failure> {
    let keys = root.role(role).ok_or_else(|| {
        let message = format!("the root gives nobody the role {role}");
        Failure::new(Exit::Rejected, "policy.root.no_role", message)
            .advice("pin a root document (--policy-root) that gives the role to somebody")
    })?;
    let signed = envelope.signers(role.signs(), keys);
    let signed = signed.map_err(|error| {
        let failure = refused(&[error.into()]);
        if !is_too_few(&failure.code) {
            return failure;
        }
        let name = |key: &[u8; 32]| root.name_of(key).map(str::to_owned);
        failure.advice(to_sign((keys, role.signs()), envelope, name))
    })?;
    let names: Vec<String> = signed.iter().map(|key| name(root, key)).collect();
    Ok(format!(
        "{} of {}: {}",
        keys.threshold(),
        keys.keys().len(),
        names.join(", ")
    ))
}

/// Whether another signature would help.
fn is_too_few(code: &str) -> bool {
    let codes = ["unsigned", "too_few", "doubled"].map(|step| format!("policy.signature.{step}"));
    codes.iter().any(|one| one == code)
}

/// Whose signatures `envelope` lacks, for people: by name, or by key id.
fn to_sign(
    (keys, kind): (&TrustRoot, PayloadType),
    envelope: &Envelope,
    name: impl Fn(&[u8; 32]) -> Option<String>,
) -> String {
    let any = TrustRoot::new(keys.keys().to_vec(), 1);
    let signed = any.and_then(|any| envelope.signers(kind, &any));
    let signed = signed.unwrap_or_default();
    let missing = keys.keys().iter().filter(|key| !signed.contains(*key));
    let missing: Vec<String> = missing
        .map(|key| name(key).unwrap_or_else(|| policy::signature::keyid(key)))
        .collect();
    format!(
        "{} of {} must sign and {} did; not yet: {}. Each signs with `narthex policy sign --key K FILE -o FILE`",
        keys.threshold(),
        keys.keys().len(),
        signed.len(),
        missing.join(", ")
    )
}

fn name(root: &Root, key: &[u8; 32]) -> String {
    let name = root.name_of(key).map(str::to_owned);
    name.unwrap_or_else(|| policy::signature::keyid(key))
}
