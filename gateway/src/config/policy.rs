//! `[policy]`: whose policies are obeyed, where they come from and how often somebody looks.

use super::{document::Policy, mistakes::Checks};
use provision::{
    PolicySettings, PolicySource, RootSource,
    policy_keeper::{PolicyUrl, PolicyUrlError},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// An hour: who waits longer does not want to know.
const MAX_REFRESH_SECONDS: u64 = 3600;

/// What nodes are judged by.
#[derive(Clone, Debug)]
pub struct PolicyConfig {
    /// Who may sign.
    pub root: RootSource,
    /// Where the documents are published.
    pub source: Source,
    /// Folder that remembers what was obeyed.
    pub state: PathBuf,
    /// Between two looks at the source.
    pub refresh: Duration,
}

/// Where documents are published.
#[derive(Clone, Debug)]
pub enum Source {
    /// Under an address of a static server.
    Url(PolicyUrl),
    /// A folder, or a policy's envelope by itself.
    Path(PathBuf),
}

impl PolicyConfig {
    /// What a keeper of policies wants to know; looks whether the source is a folder.
    #[must_use]
    pub fn settings(&self) -> PolicySettings {
        PolicySettings {
            root: self.root.clone(),
            source: match self.source.clone() {
                Source::Url(url) => PolicySource::Url(url),
                Source::Path(path) if path.is_dir() => PolicySource::Folder(path),
                Source::Path(path) => PolicySource::File(path),
            },
            state: Some(self.state.clone()),
        }
    }

    pub(super) fn relative_to(&mut self, folder: &Path) {
        let root = match &mut self.root {
            RootSource::Keys { files, .. } => files.as_mut_slice(),
            RootSource::Document(path) => std::slice::from_mut(path),
        };
        let source = match &mut self.source {
            Source::Path(path) => Some(path),
            Source::Url(_) => None,
        };
        for path in root.iter_mut().chain(source).chain([&mut self.state]) {
            *path = folder.join(&*path);
        }
    }
}

impl Policy {
    pub(super) fn check(self, checks: &Checks) -> Option<PolicyConfig> {
        let refresh_seconds = (1..=MAX_REFRESH_SECONDS)
            .contains(&self.refresh_seconds)
            .then_some(self.refresh_seconds);
        let wanted = "needs 1 to 3600";
        let refresh_seconds = checks.some("policy.refresh_seconds", refresh_seconds, wanted);
        let (source, root) = (self.source(checks), self.root(checks));
        Some(PolicyConfig {
            root: root?,
            source: source?,
            state: self.state,
            refresh: Duration::from_secs(refresh_seconds?),
        })
    }

    fn source(&self, checks: &Checks) -> Option<Source> {
        if self.envelope.is_some() {
            let renamed = "is called source, and may be a file, a folder or an address";
            checks.note("policy.envelope", renamed);
            return None;
        }
        let source = self.source.as_deref();
        let source = source.filter(|text| !text.is_empty() && *text != "gateway");
        let wanted = "needs a file, a folder or an address: this is the gateway";
        let source = checks.some("policy.source", source, wanted)?;
        let parsed = parse_source(source).map_err(|error| error.to_string());
        parsed
            .inspect_err(|problem| checks.note("policy.source", problem))
            .ok()
    }

    /// A root document says itself how many must sign.
    fn root(&self, checks: &Checks) -> Option<RootSource> {
        match (&self.root, &self.keys, self.threshold) {
            (Some(root), None, None) => Some(RootSource::Document(root.clone())),
            (None, Some(keys), threshold) => check_keys(checks, keys, threshold),
            _ => {
                let wanted = "needs root, or else keys and their threshold";
                checks.note("policy.root", wanted);
                None
            }
        }
    }
}

fn parse_source(text: &str) -> Result<Source, PolicyUrlError> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return PolicyUrl::parse(text).map(Source::Url);
    }
    Ok(Source::Path(text.into()))
}

fn check_keys(checks: &Checks, files: &[PathBuf], threshold: Option<usize>) -> Option<RootSource> {
    let threshold = threshold.unwrap_or(files.len());
    let possible = (1..=files.len()).contains(&threshold);
    let wanted = "needs at least one key and a threshold from 1 to their number";
    checks.some("policy.keys", possible.then_some(()), wanted)?;
    Some(RootSource::Keys {
        files: files.to_vec(),
        threshold: Some(threshold),
    })
}
