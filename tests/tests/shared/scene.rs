//! A stack that obeys a team's root document, and the team, which publishes while it runs.

use super::{Proxy, Shared, place, proxy_with, start_in};
use attestation::UnixTime;
use policy::{Action, Target};
use protocol::PaddingProfile;
use std::{
    array, fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Output,
    slice,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tee_sim::{PolicySigner, Publisher};
use tests::{
    child::Process,
    fleet::{SNP_NODE, Tees},
    publication::{self, Reader},
    stack::{self, Directory, Stack},
};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);
/// How long a timestamp lasts beside the policy's lease.
const STAMP_SECONDS: u64 = 3600;

/// A running stack and its team.
pub(crate) struct Scene {
    pub(crate) team: Publisher,
    shared: Shared,
    stamping: Option<Stamping>,
}

/// Signs a timestamp every second, until it is told to end.
struct Stamping {
    team: Arc<Mutex<Publisher>>,
    ended: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The policy of these tests with `more` behind it.
pub(crate) fn policy(more: &str) -> String {
    stack::policy(&super::model()).unwrap().to_toml() + more
}

/// The policy of these tests as its `version`.
pub(crate) fn policy_of_version(version: u64) -> String {
    let mut text = stack::policy(&super::model()).unwrap();
    text.version = version;
    text.to_toml()
}

#[expect(clippy::disallowed_methods, reason = "documents are signed now")]
pub(crate) fn now() -> UnixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime(since_epoch.unwrap().as_secs())
}

/// Three keys that no root knows.
pub(crate) fn strangers() -> [PolicySigner; 3] {
    array::from_fn(|_| PolicySigner::generate())
}

impl Scene {
    /// A stack that obeys `policy`, in a folder of this test's `name`.
    pub(crate) fn begin(name: &str, policy: &str) -> Self {
        Self::with(name, policy, |_| None)
    }

    /// The same while its team signs timestamps, until it is [`Scene::cut_off`].
    pub(crate) fn stamped(name: &str, policy: &str) -> Self {
        Self::with(name, policy, |(directory, team)| {
            Some(Stamping::begin(directory, team))
        })
    }

    fn with(
        name: &str,
        policy: &str,
        stamping: impl FnOnce((&Path, &Publisher)) -> Option<Stamping>,
    ) -> Self {
        let directory = Directory::replace(place(&format!("-{name}"))).unwrap();
        directory.set_padding(PaddingProfile::Off).unwrap();
        let team = Publisher::new(UnixTime(now().0 - 60), policy);
        publication::publish(directory.root(), &team).unwrap();
        let stamping = stamping((directory.root(), &team));
        Self {
            shared: start_in(directory, Tees::Snp),
            team,
            stamping,
        }
    }

    pub(crate) const fn stack(&self) -> &Stack {
        &self.shared.stack
    }

    /// `narthex proxy` as a client of this stack.
    pub(crate) fn proxy(&self) -> Proxy {
        proxy_with(self.stack(), self.stack().obeying("state-other"))
    }

    /// A short question by a client of this stack.
    pub(crate) fn ask(&self) -> Output {
        let mut chat = self.stack().client();
        chat.arg("chat").args(self.stack().obeying("state-client"));
        chat.args(["--max-tokens", "2", "Hello"]).output().unwrap()
    }

    /// Has the team order `action`, and publishes it to all.
    pub(crate) fn order(&mut self, action: Action, target: &Target) {
        self.team.order(now(), action, slice::from_ref(target));
        self.publish(&self.team);
    }

    /// Has the team publish another policy to all.
    pub(crate) fn publish_policy(&mut self, policy: &str) {
        self.team.publish_policy(policy);
        self.publish(&self.team);
    }

    /// Shows all of them what `team` has published.
    pub(crate) fn publish(&self, team: &Publisher) {
        publication::publish(self.directory(), team).unwrap();
    }

    /// Shows one of them what `team` has published.
    pub(crate) fn publish_to(&self, reader: Reader, team: &Publisher) {
        publication::publish_to(reader, self.directory(), team).unwrap();
    }

    /// Keeps all of them from whatever is published: there is nothing where they look.
    pub(crate) fn cut_off(&mut self) {
        if let Some(stamping) = self.stamping.take() {
            self.team = stamping.end();
        }
        for folder in self.folders() {
            fs::rename(&folder, folder.with_extension("away")).unwrap();
        }
    }

    /// Takes that back, with a new timestamp.
    pub(crate) fn reconnect(&mut self) {
        for folder in self.folders() {
            fs::rename(folder.with_extension("away"), &folder).unwrap();
        }
        self.stamping = Some(Stamping::begin(self.directory(), &self.team));
    }

    /// Has the node begin anew, on the same machine.
    pub(crate) fn restart_node(&self) {
        let line = format!("restart {SNP_NODE}");
        self.stack().runtime.say(&line).unwrap();
    }

    pub(crate) fn until_the_runtime_says(&self, text: &str) {
        until(text, || said(&self.stack().runtime, text));
    }

    pub(crate) fn until_the_gateway_says(&self, text: &str) {
        until(text, || said(&self.stack().gateway, text));
    }

    /// Waits for this answer of the node itself to a question for its readiness.
    pub(crate) fn until_the_runtime_answers(&self, status: u16, code: &str) {
        let expected = format!("HTTP/1.1 {status}");
        until(&format!("{status} {code}"), || {
            let answer = self.readiness().unwrap_or_default();
            answer.starts_with(&expected) && answer.contains(code)
        });
    }

    /// Waits until a question is answered: the gateway may have to admit the node first.
    pub(crate) fn until_asking_succeeds(&self) {
        until("an answer", || self.ask().status.success());
    }

    /// Waits until a client is refused with this in its message.
    pub(crate) fn until_asking_is_refused(&self, code: &str) {
        until(code, || {
            let output = self.ask();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            !output.status.success() && told.contains(code)
        });
    }

    /// Waits until a client says this, however its question went.
    pub(crate) fn until_asking_tells(&self, text: &str) {
        until(text, || {
            let output = self.ask();
            let told = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&told).contains(text)
        });
    }

    fn readiness(&self) -> std::io::Result<String> {
        let mut connection = TcpStream::connect(self.stack().runtime.ready.as_str())?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(b"GET /readyz HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn directory(&self) -> &Path {
        self.stack().directory.root()
    }

    fn folders(&self) -> [std::path::PathBuf; 4] {
        Reader::ALL.map(|reader| reader.folder(self.directory()))
    }
}

impl Stamping {
    fn begin(directory: &Path, team: &Publisher) -> Self {
        let stamping = Self {
            team: Arc::new(Mutex::new(team.clone())),
            ended: Arc::new(AtomicBool::new(false)),
            thread: None,
        };
        stamp(&stamping.team, directory);
        let (team, ended) = (Arc::clone(&stamping.team), Arc::clone(&stamping.ended));
        let directory = directory.to_owned();
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                stamp(&team, &directory);
                thread::sleep(Duration::from_secs(1));
            }
        });
        Self {
            thread: Some(thread),
            ..stamping
        }
    }

    /// Ends it; what was published by then.
    fn end(self) -> Publisher {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread {
            thread.join().unwrap();
        }
        self.team.lock().unwrap().clone()
    }
}

fn stamp(team: &Mutex<Publisher>, directory: &Path) {
    let mut team = team.lock().unwrap();
    team.stamp(now(), now().plus(STAMP_SECONDS));
    publication::publish(directory, &team).unwrap();
}

/// Whether `process` has printed `text` by now.
pub(crate) fn said(process: &Process, text: &str) -> bool {
    String::from_utf8_lossy(&process.output()).contains(text)
}

/// Waits until it holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it does not come: {what}");
        thread::sleep(PAUSE);
    }
}
