//! `[model_key]`: `model` is a sealed model, whose key is asked for at start.

use super::section::Section;
use crate::model_key::{KbsResource, KeyServer, KeyServerKind};
use http::Uri;
use std::{path::PathBuf, time::Duration};

const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// `[model_key]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelKeySettings {
    /// `releaser` or `kbs`: who has the key; `ca`: what it is trusted by; `resource`: where it lies in a key broker; `attempts`: 10.
    pub server: KeyServer,
    /// `owner`: files of Ed25519 public keys, PEM, of whoever sealed the model.
    pub owner: Vec<PathBuf>,
    /// `threshold`: how many of them must have signed; all of them if absent.
    pub threshold: Option<usize>,
}

/// Reads the section; none if it has mistakes.
pub(super) fn read(
    mut section: Section<'_>,
    mistakes: &mut Vec<String>,
) -> Option<ModelKeySettings> {
    let server = server(&mut section);
    let owner = section.paths("owner").unwrap_or_default();
    let in_range = |threshold: usize| (1..=owner.len()).contains(&threshold).then_some(threshold);
    let expected = "a positive number, not above that of the owner's keys";
    let threshold = section.optional("threshold", expected, in_range);
    section.finish(mistakes);
    Some(ModelKeySettings {
        server: server?,
        owner,
        threshold,
    })
}

fn server(section: &mut Section<'_>) -> Option<KeyServer> {
    let (address, kind) = if section.has("kbs") {
        section.excluded("releaser", "kbs");
        let resource = |text: String| KbsResource::parse(&text).map(Some);
        let resource = section.required("resource", "REPOSITORY/TYPE/TAG", resource);
        (address(section, "kbs"), resource.map(KeyServerKind::Kbs))
    } else {
        section.excluded("resource", "releaser");
        let address = address(section, "releaser");
        (address, Some(KeyServerKind::Releaser))
    };
    let roots = section.optional_path("ca");
    let attempts = |count: u32| (1..=1000).contains(&count).then_some(count);
    let attempts = section.optional("attempts", "1 to 1000", attempts);
    Some(KeyServer {
        address: address?,
        kind: kind?,
        roots,
        attempts: attempts.unwrap_or(ATTEMPTS),
        first_pause: FIRST_PAUSE,
    })
}

fn address(section: &mut Section<'_>, name: &str) -> Option<String> {
    let expected = "https://HOST[:PORT]; http on loopback only";
    section.required(name, expected, |text: String| parse(&text).map(Some))
}

/// The address without a slash at its end. Plain HTTP would show everyone on the way which node has which model.
fn parse(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('#');
    let is_private = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => matches!(authority.host(), "127.0.0.1" | "[::1]" | "localhost"),
        _ => false,
    };
    let is_plain = !authority.as_str().contains('@');
    (is_bare && is_private && is_plain).then(|| text.trim_end_matches('/').to_owned())
}
