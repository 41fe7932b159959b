//! A security team that publishes into a folder, and a client that follows it.

#![allow(
    dead_code,
    reason = "every test binary uses another part of this module"
)]

use crate::fake::{self, Gateway, MODEL, Node};
use attestation::UnixTime;
use client::{
    Client, ClientError, Clock, Event, GatewayUrl, Judge, Observer, PolicyUpdates, Request, Roots,
    SeenPolicies, Settings, UpdatesFrom,
};
use policy::{
    Action, Appraiser, Target,
    publication::{INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP},
};
use provision::{
    PolicyKeeper,
    policy_keeper::{PolicySettings, PolicySource, RootSource},
};
use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tee_sim::Publisher;

/// The root document, as those who trust the team keep it.
const PINNED: &str = "root.json";

pub(crate) struct HandClock(pub(crate) AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::Relaxed))
    }
}

/// What the user is told, in lines.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn observe(&self, event: &Event) {
        let line = match event {
            Event::Check(check) => format!("{:?} {} {}", check.outcome, check.id, check.detail),
            Event::Notice(text) => format!("note {text}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Seen {
    pub(crate) fn count(&self, part: &str) -> usize {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|line| line.contains(part)).count()
    }

    /// Waits, within bounds, until a line with `part` has been told `times` times.
    pub(crate) async fn until(&self, part: &str, times: usize) {
        for _ in 0..1000 {
            if self.count(part) >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let lines = self.0.lock().unwrap().join("\n");
        panic!("{part:?} was not told {times} times:\n{lines}");
    }
}

/// A gateway, and a team whose policy admits its nodes.
pub(crate) struct Bench {
    pub(crate) gateway: Gateway,
    pub(crate) publisher: Publisher,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) seen: Arc<Seen>,
}

impl Bench {
    pub(crate) async fn of(names: &[&str]) -> Self {
        Self::with_policy(names, |policy| policy).await
    }

    /// The same with another policy than the one that admits the first node.
    pub(crate) async fn with_policy(names: &[&str], change: impl FnOnce(String) -> String) -> Self {
        let nodes: Vec<_> = names.iter().map(|name| Node::new(name)).collect();
        let policy = change(nodes[0].policy_text().to_toml());
        let bench = Self {
            gateway: Gateway::start(nodes).await,
            publisher: Publisher::new(fake::now(), &policy),
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(HandClock(AtomicU64::new(fake::now().0))),
            seen: Arc::default(),
        };
        let pinned = bench.publisher.roots[0].to_json();
        fs::write(bench.folder.path().join(PINNED), pinned).unwrap();
        bench.publish();
        bench
    }

    pub(crate) fn pinned(&self) -> PathBuf {
        self.folder.path().join(PINNED)
    }

    pub(crate) fn published(&self) -> PathBuf {
        self.folder.path().join("published")
    }

    /// Writes what the team has published so far into its folder.
    pub(crate) fn publish(&self) {
        let folder = self.published();
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in self.files() {
            // Whole or not at all: the client may look at any time.
            let fresh = folder.join(format!("{name}.fresh"));
            fs::write(&fresh, bytes).unwrap();
            fs::rename(fresh, folder.join(name)).unwrap();
        }
    }

    pub(crate) fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let files = self.publisher.files();
        let named = [
            (ROOTS, files.roots),
            (INVENTORY, files.inventory),
            (ORDERS, files.orders),
            (TIMESTAMP, files.timestamp),
            (POLICY, files.policy),
        ];
        let named = named.into_iter();
        named
            .filter_map(|(name, bytes)| Some((name, bytes?)))
            .collect()
    }

    /// Publishes an order.
    pub(crate) fn order(&mut self, action: Action, target: Target) {
        self.publisher.order(fake::now(), action, &[target]);
        self.publish();
    }

    /// Publishes an order to stop, and waits until the client obeys it.
    pub(crate) async fn stop(&mut self, target: Target) {
        let before = self.seen.count("is in force now");
        self.order(Action::Stop, target);
        self.seen.until("is in force now", before + 1).await;
    }

    /// A client that looks for newer documents in the folder all the time.
    pub(crate) async fn connect(&self, settings: Settings) -> Result<Client, ClientError> {
        let source = PolicySource::Folder(self.published());
        self.connect_from(source, UpdatesFrom::Source, settings)
            .await
    }

    /// The same, with another source.
    pub(crate) async fn connect_from(
        &self,
        source: PolicySource,
        from: UpdatesFrom,
        settings: Settings,
    ) -> Result<Client, ClientError> {
        let node = &self.gateway.nodes[0];
        let (keeper, in_force) = self.keeper(source).await;
        let in_force = in_force.map_policy(fake::accepting_custom);
        let judge = Judge {
            appraiser: Appraiser::new(node.machine.verifier(), in_force),
            clock: self.clock.clone(),
            seen: SeenPolicies::default(),
        };
        let client = Client::connect_with(&self.at(), judge, settings, self.seen.clone()).await?;
        Ok(client.following(PolicyUpdates {
            keeper,
            every: Duration::from_millis(20),
            from,
            policy: fake::accepting_custom,
        }))
    }

    async fn keeper(&self, source: PolicySource) -> (PolicyKeeper, policy::InForce) {
        let settings = PolicySettings {
            root: RootSource::Document(self.pinned()),
            source,
            state: None,
        };
        let files = self.publisher.files();
        let opened = PolicyKeeper::open_with(settings, self.clock.clone(), files);
        opened.await.unwrap()
    }

    fn at(&self) -> client::Gateway {
        client::Gateway {
            url: GatewayUrl::parse(&self.gateway.url).unwrap(),
            roots: Roots::System,
            api_key: None,
        }
    }
}

pub(crate) fn chat() -> Request {
    let body = format!(r#"{{"model":"{MODEL}","stream":true,"messages":[]}}"#);
    Request::post("/v1/chat/completions", body.into_bytes(), MODEL.to_owned())
}

/// The name of the node that answered whole.
pub(crate) async fn ask(client: &Client) -> Result<String, ClientError> {
    let mut exchange = client.send(&chat()).await?;
    exchange.collect().await?;
    Ok(exchange.node().name().to_owned())
}
