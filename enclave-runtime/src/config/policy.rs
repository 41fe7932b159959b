//! `[policy]`: what this runtime obeys, and who signs it.

use super::section::Section;
use std::{path::PathBuf, time::Duration};

/// Time between two looks at the source of the policy.
const REFRESH: Duration = Duration::from_secs(30);

/// `[policy]`: what this runtime obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySettings {
    /// `root`, or `keys` and `threshold`.
    pub root: PolicyRoot,
    /// `source`: a policy's file, the folder of a publication, or its address.
    pub source: String,
    /// `refresh_seconds`: time between two looks at the source; 30.
    pub refresh: Duration,
}

/// Who signs what this runtime obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyRoot {
    /// `root`: a root document.
    Document(PathBuf),
    /// Keys given by hand.
    Keys {
        /// `keys`: files of Ed25519 public keys, PEM.
        files: Vec<PathBuf>,
        /// `threshold`: how many of them must have signed; all of them if absent.
        threshold: Option<usize>,
    },
}

/// Reads the section.
pub(super) fn read(mut section: Section<'_>, mistakes: &mut Vec<String>) -> PolicySettings {
    section.renamed("envelope", "source");
    let settings = PolicySettings {
        root: policy_root(&mut section),
        source: section.source("source").unwrap_or_default(),
        refresh: section.seconds("refresh_seconds", REFRESH),
    };
    section.finish(mistakes);
    settings
}

/// One of the two ways to say who signs, not both.
fn policy_root(section: &mut Section<'_>) -> PolicyRoot {
    match section.optional_path("root") {
        Some(root) => {
            section.excluded("keys", "root");
            section.excluded("threshold", "root");
            PolicyRoot::Document(root)
        }
        None => policy_keys(section),
    }
}

fn policy_keys(section: &mut Section<'_>) -> PolicyRoot {
    let files = section.paths("keys").unwrap_or_default();
    let expected = "a positive number, not above that of the keys";
    let in_range = |threshold: usize| (1..=files.len()).contains(&threshold).then_some(threshold);
    let threshold = section.optional("threshold", expected, in_range);
    PolicyRoot::Keys { files, threshold }
}
