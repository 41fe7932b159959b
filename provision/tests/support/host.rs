//! A host that obeys a team: its pinned root, the folder that is published to, its memory and its clock.

use attestation::{UnixTime, snp::Product};
use policy::{Files, InForce, Inventory, Root};
use provision::{Clock, PolicyKeeper, PolicyKeeperError, PolicySettings, PolicySource, RootSource};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tee_sim::{PolicyText, Publisher, Report};
use tempfile::{TempDir, tempdir};

use super::NOW;

/// A day, in seconds.
pub(crate) const DAY: u64 = 86_400;

/// A clock that is set by hand.
pub(crate) struct Hand(AtomicU64);

impl Hand {
    pub(crate) fn at(time: UnixTime) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(time.0)))
    }

    pub(crate) fn set(&self, time: UnixTime) {
        self.0.store(time.0, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

/// Versions in force: root, policy, inventory, last order, timestamp; 0 for what is absent.
pub(crate) type Standing = [u64; 5];

pub(crate) fn standing(in_force: &InForce) -> Standing {
    let timestamp = in_force.timestamp();
    [
        in_force.root().map_or(0, Root::version),
        in_force.policy().version(),
        in_force.inventory().map_or(0, Inventory::version),
        in_force.orders().serial(),
        timestamp.map_or(0, |timestamp| timestamp.version),
    ]
}

/// The text of a policy; `more` is what it ends with.
pub(crate) fn policy_toml(version: u64, more: &str) -> String {
    let report = Report::of(Product::Genoa);
    let from = UnixTime(NOW.0 - DAY);
    let mut text = PolicyText::admitting(&report, from, NOW.plus(90 * DAY));
    text.version = version;
    format!("{}{more}", text.to_toml())
}

/// A folder with `root.json`, `published/` and `state/`, and a clock that stands at [`NOW`].
pub(crate) struct Host {
    folder: TempDir,
    pub(crate) clock: Arc<Hand>,
}

impl Host {
    pub(crate) fn pinning(team: &Publisher) -> Self {
        let host = Self {
            folder: tempdir().unwrap(),
            clock: Hand::at(NOW),
        };
        fs::create_dir(host.published()).unwrap();
        fs::create_dir(host.state()).unwrap();
        fs::write(host.folder().join("root.json"), team.roots[0].to_json()).unwrap();
        host
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn published(&self) -> PathBuf {
        self.folder().join("published")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    pub(crate) fn publish(&self, files: &Files) {
        publish(&self.published(), files);
    }

    pub(crate) fn settings(&self) -> PolicySettings {
        settings(self.folder())
    }

    pub(crate) async fn open(&self) -> Result<(PolicyKeeper, InForce), PolicyKeeperError> {
        self.open_with(self.settings()).await
    }

    pub(crate) async fn open_with(
        &self,
        settings: PolicySettings,
    ) -> Result<(PolicyKeeper, InForce), PolicyKeeperError> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        PolicyKeeper::open(settings, clock).await
    }

    /// What a restart brings into force, with whatever is published now and with nothing published, is nothing below `floor`.
    pub(crate) async fn assert_never_below(&self, floor: Standing, case: &str) {
        for _ in 0..2 {
            let (_, in_force) = self.open().await.unwrap();
            let found = standing(&in_force);
            let weaker = found.iter().zip(floor).any(|(found, floor)| *found < floor);
            assert!(!weaker, "{case}: {found:?} is in force, below {floor:?}");
            self.publish(&Files::default());
        }
    }
}

/// The settings of a host in this folder.
pub(crate) fn settings(folder: &Path) -> PolicySettings {
    PolicySettings {
        root: RootSource::Document(folder.join("root.json")),
        source: PolicySource::Folder(folder.join("published")),
        state: Some(folder.join("state")),
    }
}

/// Replaces what is in `folder`.
pub(crate) fn publish(folder: &Path, files: &Files) {
    for name in Files::NAMES {
        match files.get(name) {
            Some(bytes) => fs::write(folder.join(name), bytes).unwrap(),
            None => drop(fs::remove_file(folder.join(name))),
        }
    }
}
