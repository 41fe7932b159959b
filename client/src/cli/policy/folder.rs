//! A publication's folder, read as hosts read it.

use super::super::{Exit, Failure, files};
use policy::{
    InForce, Publication, Root,
    publication::{Files, PublicationError},
};
use std::path::Path;

/// The files of the folder, each within its cap; those that are not there are absent.
pub(super) fn read(folder: &Path) -> Result<Files, Failure> {
    let mut found = Files::default();
    for name in Files::NAMES {
        let path = folder.join(name);
        if let (true, Some(place)) = (path.exists(), found.get_mut(name)) {
            *place = Some(files::read(&path, Files::max_bytes(name))?);
        }
    }
    Ok(found)
}

/// What a host that pins `root` would obey.
pub(super) fn verify(
    files: &Files,
    root: &Root,
    now: attestation::UnixTime,
) -> Result<InForce, Vec<PublicationError>> {
    Publication::parse(files)?.verify(root, now)
}

/// The failure that the first error means; all of them are told.
pub(super) fn refused(errors: &[PublicationError]) -> Failure {
    let code = errors
        .first()
        .map_or("policy.publication", PublicationError::code);
    let lines: Vec<String> = errors
        .iter()
        .map(|error| format!("{error} [{}]", error.code()))
        .collect();
    Failure::new(Exit::Rejected, code, lines.join("\n"))
        .advice("`narthex policy verify FOLDER` tells who signed what")
}
