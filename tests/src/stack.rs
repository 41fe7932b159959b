//! The whole stack on loopback: a signed policy, a runtime with simulated evidence, a gateway, and the wires between them.
//!
//! Each part is a process of its own, so that "the gateway never saw it" can be looked up in the gateway's memory.

use crate::{
    child::Process,
    fault::FaultPeer,
    fleet::{self, Tees},
    publication::{self, Reader},
    wiretap::Wiretap,
};
use attestation::{UnixTime, crypto::sha256};
use engine::folder::ModelFolder;
use protocol::PaddingProfile;
use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{SystemTime, UNIX_EPOCH},
};
use tee_sim::PolicyText;
use tempfile::TempDir;

/// The public name of the model of demo and tests.
pub const MODEL: &str = "smollm2-135m-instruct";
/// Folders that remember policy versions, one for each that judges.
const STATES: [&str; 6] = [
    "state-runtime",
    "state-gateway",
    "state-releaser",
    "state-client",
    "state-other",
    "state-tdx",
];
/// The file that names the runtimes' padding profile, if it is not the default one.
const PADDING: &str = "padding";
/// How long the demo's policy lasts, in seconds.
const POLICY_SECONDS: u64 = 7 * 24 * 3600;

/// The programs that a stack is made of.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `narthex-demo`: runtime, gateway and client with simulated roots.
    pub demo: PathBuf,
    /// `narthex`, as it ships.
    pub narthex: PathBuf,
}

/// Whether a test may look into the runtime's memory; the runtime that ships never lets anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// The process is hardened, as it ships.
    Refused,
    /// The process is left open: the positive control of a canary test needs it.
    Allowed,
}

impl Inspection {
    const fn flag(self) -> Option<&'static str> {
        match self {
            Self::Refused => None,
            Self::Allowed => Some("--inspectable"),
        }
    }
}

/// Files of one stack, for this user's eyes only.
pub struct Directory {
    root: PathBuf,
    _removed_on_drop: Option<TempDir>,
}

/// A running stack. It ends when it is dropped.
pub struct Stack {
    /// Its programs.
    pub programs: Programs,
    /// Its model's file.
    pub model: PathBuf,
    /// The gateway's process.
    pub gateway: Process,
    /// The runtimes' process; the inner wire leads to the node with SEV-SNP.
    pub runtime: Process,
    /// Stands between gateway and runtime.
    pub fault: FaultPeer,
    /// The wire between client and gateway (TLS).
    pub outer_wire: Wiretap,
    /// The wire between gateway and runtime (sealed).
    pub inner_wire: Wiretap,
    /// Address of the gateway's health and metrics.
    pub admin: SocketAddr,
    /// Its files; last, so that they outlive the processes.
    pub directory: Directory,
}

impl Programs {
    /// The programs beside this one.
    pub fn beside(demo: &Path) -> io::Result<Self> {
        let narthex = demo.with_file_name("narthex");
        if !narthex.is_file() {
            let message = format!("{} is not built: cargo build -p client", narthex.display());
            return Err(io::Error::other(message));
        }
        Ok(Self {
            demo: demo.to_owned(),
            narthex,
        })
    }
}

impl Directory {
    /// A fresh one that goes when this value does.
    pub fn create() -> io::Result<Self> {
        let root = tempfile::Builder::new().prefix("narthex-demo-").tempdir()?;
        Self::filled(root.path().to_owned(), Some(root))
    }

    /// One at `root`, in place of what was there: for a test, whose statics are never dropped.
    pub fn replace(root: PathBuf) -> io::Result<Self> {
        match fs::remove_dir_all(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&root)?,
        }
        Self::filled(root, None)
    }

    fn filled(root: PathBuf, guard: Option<TempDir>) -> io::Result<Self> {
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700))?;
        for state in STATES {
            fs::create_dir(root.join(state))?;
        }
        Ok(Self {
            root,
            _removed_on_drop: guard,
        })
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The same as text, for command lines and configuration files.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Has the runtimes pad in this way.
    pub fn set_padding(&self, padding: PaddingProfile) -> io::Result<()> {
        fs::write(self.file(PADDING), padding.as_str())
    }

    /// Its path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The same as text.
    #[must_use]
    pub fn path(&self) -> String {
        self.root.display().to_string()
    }

    /// Writes the gateway's certificate and key for loopback, and the one API key.
    pub fn write_access(&self) -> io::Result<()> {
        self.write_certificate("gateway")?;
        fs::write(self.file("api-key"), "narthex-demo-key")
    }

    /// Writes a certificate for loopback and its key, `NAME.cert.pem` and `NAME.key.pem`.
    pub(crate) fn write_certificate(&self, name: &str) -> io::Result<()> {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let pair = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
        fs::write(self.file(&format!("{name}.cert.pem")), certificate)?;
        fs::write(self.file(&format!("{name}.key.pem")), key)
    }
}

/// Writes the policy that admits the simulated machine with this model and has both keys sign it, all with the shipped `narthex`.
pub fn publish_policy(directory: &Directory, programs: &Programs, model: &Path) -> io::Result<()> {
    publish_policy_text(directory, programs, &policy(model)?)
}

/// The same for a policy of this `text`.
pub fn publish_policy_text(
    directory: &Directory,
    programs: &Programs,
    text: &PolicyText,
) -> io::Result<()> {
    for key in ["alice", "bob"] {
        succeed(narthex(
            programs,
            &["policy", "keygen", &directory.text(key)],
        )?)?;
    }
    fs::write(directory.file("policy.toml"), text.to_toml())?;
    sign_policy(directory, programs, "policy")
}

/// The policy that admits both simulated machines with this model, from an hour ago on.
pub fn policy(model: &Path) -> io::Result<PolicyText> {
    let digest = model_digest(model)?;
    let now = now();
    let begins = UnixTime(now.0.saturating_sub(3600));
    let mut policy = PolicyText::admitting(&fleet::snp_report(), begins, now.plus(POLICY_SECONDS));
    policy.tdx = Some(fleet::tdx_text());
    policy.gpu = Some(fleet::gpu_text());
    Ok(policy.model(MODEL, digest))
}

/// What policies know the model at `path` by: the digest of a file or of a folder.
pub fn model_digest(path: &Path) -> io::Result<[u8; 32]> {
    match path.is_dir() {
        true => Ok(ModelFolder::open(path).map_err(io::Error::other)?.digest()),
        false => Ok(sha256(&fs::read(path)?)),
    }
}

/// Signs `NAME.toml` with both keys into `NAME.json`.
pub fn sign_policy(directory: &Directory, programs: &Programs, name: &str) -> io::Result<()> {
    let mut source = directory.text(&format!("{name}.toml"));
    let target = directory.text(&format!("{name}.json"));
    for key in ["alice.pem", "bob.pem"] {
        let key = directory.text(key);
        let arguments = [
            "policy", "sign", "--key", &key, &source, "--output", &target,
        ];
        succeed(narthex(programs, &arguments)?)?;
        source.clone_from(&target);
    }
    Ok(())
}

impl Stack {
    /// Starts everything; must be called within a tokio runtime, which carries the wires.
    pub async fn start(
        programs: Programs,
        directory: Directory,
        model: &Path,
        inspection: Inspection,
        tees: Tees,
    ) -> io::Result<Self> {
        let runtime = start_runtimes(&programs, &directory, model, (inspection, tees))?;
        let mut upstreams = addresses(&runtime.ready)?;
        let fault = FaultPeer::start(upstreams.remove(0)).await?;
        let inner_wire = Wiretap::start(fault.address).await?;
        upstreams.insert(0, inner_wire.address);
        let config = gateway_config(&directory, tees, &upstreams);
        fs::write(directory.file("gateway.toml"), config)?;
        let gateway = Process::start(&programs.demo, &["gateway", &directory.path()])?;
        let (public, admin) = two_addresses(&gateway.ready)?;
        let outer_wire = Wiretap::start(public).await?;
        Ok(Self {
            programs,
            model: model.to_owned(),
            gateway,
            runtime,
            fault,
            outer_wire,
            inner_wire,
            admin,
            directory,
        })
    }

    /// The gateway's URL, as clients reach it.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        format!("https://{}", self.outer_wire.address)
    }

    /// The client of the demo's composition, which knows the simulated vendor's roots.
    #[must_use]
    pub fn client(&self) -> Command {
        let mut command = Command::new(&self.programs.demo);
        command.args(["client", &self.directory.path()]);
        command
    }

    /// As [`Stack::connection`], for a client that obeys what is published under the root document.
    #[must_use]
    pub fn obeying(&self, state: &str) -> Vec<String> {
        let mut arguments = self.reaching(state);
        let path = |path: PathBuf| path.display().to_string();
        let directory = &self.directory.root;
        arguments.extend([
            "--policy-root".to_owned(),
            path(publication::root(directory)),
            "--policy".to_owned(),
            path(Reader::Client.folder(directory)),
        ]);
        arguments
    }

    /// Arguments of `chat` and `proxy`: where the gateway is, the policy file of this name, the state folder of this name.
    #[must_use]
    pub fn connection(&self, policy: &str, state: &str) -> Vec<String> {
        let file = |name| self.directory.text(name);
        let mut arguments = self.reaching(state);
        arguments.extend(flags([
            ("--policy", file(policy)),
            ("--policy-key", file("alice.pub.pem")),
            ("--policy-key", file("bob.pub.pem")),
        ]));
        arguments
    }

    fn reaching(&self, state: &str) -> Vec<String> {
        let file = |name| self.directory.text(name);
        let flags = flags([
            ("--gateway", self.gateway_url()),
            ("--ca", file("gateway.cert.pem")),
            ("--api-key-file", file("api-key")),
            ("--state", file(state)),
        ]);
        flags.collect()
    }
}

fn flags<const N: usize>(given: [(&str, String); N]) -> impl Iterator<Item = String> {
    given
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
}

/// Starts the runtimes' process alone.
pub fn start_runtimes(
    programs: &Programs,
    directory: &Directory,
    model: &Path,
    (inspection, tees): (Inspection, Tees),
) -> io::Result<Process> {
    let (root, model) = (directory.path(), model.display().to_string());
    let mut arguments = vec!["runtime", &root, "--model", &model, "--tees", tees.word()];
    arguments.extend(inspection.flag());
    Process::start(&programs.demo, &arguments)
}

pub(crate) fn gateway_config(
    directory: &Directory,
    tees: Tees,
    upstreams: &[SocketAddr],
) -> String {
    let file = |name| directory.text(name);
    let digest = fs::read(directory.file("api-key")).map(|key| hex::encode(sha256(&key)));
    format!(
        r#"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"

[tls]
certificate = {:?}
key = {:?}

[policy]
{}
state = {:?}
refresh_seconds = 1

[[api_keys]]
name = "demo"
sha256 = "{}"
{}"#,
        file("gateway.cert.pem"),
        file("gateway.key.pem"),
        obeyed(directory, Reader::Gateway),
        file("state-gateway"),
        digest.unwrap_or_default(),
        nodes_config(tees, upstreams),
    )
}

/// Whose documents count for `reader`, and where they are.
pub(crate) fn obeyed(directory: &Directory, reader: Reader) -> String {
    let file = |name| directory.text(name);
    if publication::has_root(&directory.root) {
        let (root, folder) = (
            publication::root(&directory.root),
            reader.folder(&directory.root),
        );
        return format!("root = {root:?}\nsource = {folder:?}");
    }
    let keys = [file("alice.pub.pem"), file("bob.pub.pem")];
    format!(
        "source = {:?}\nkeys = {keys:?}\nthreshold = 2",
        file("policy.json")
    )
}

/// The first node is the first choice, so that the demonstration goes the same way each time.
fn nodes_config(tees: Tees, upstreams: &[SocketAddr]) -> String {
    let nodes = tees.nodes().iter().zip(upstreams).zip([1000, 1]);
    nodes
        .map(|((name, upstream), weight)| {
            format!("\n[[nodes]]\nname = {name:?}\nupstream = \"{upstream}\"\nweight = {weight}\n")
        })
        .collect()
}

/// How the runtimes of the stack in `directory` pad.
pub fn padding(directory: &Path) -> io::Result<PaddingProfile> {
    let name = match fs::read_to_string(directory.join(PADDING)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(PaddingProfile::default());
        }
        name => name?,
    };
    PaddingProfile::parse(&name)
        .ok_or_else(|| io::Error::other(format!("no padding profile: {name}")))
}

/// Runs the shipped `narthex`.
pub fn narthex(programs: &Programs, arguments: &[&str]) -> io::Result<Output> {
    Command::new(&programs.narthex).args(arguments).output()
}

/// The output of a command that must succeed.
pub fn succeed(output: Output) -> io::Result<Output> {
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}: {said}", output.status)))
}

pub(crate) fn two_addresses(text: &str) -> io::Result<(SocketAddr, SocketAddr)> {
    match addresses(text)?.as_slice() {
        [first, second] => Ok((*first, *second)),
        _ => Err(io::Error::other(format!("not two addresses: {text:?}"))),
    }
}

fn addresses(text: &str) -> io::Result<Vec<SocketAddr>> {
    text.split(' ').map(address).collect()
}

fn address(text: &str) -> io::Result<SocketAddr> {
    let address = text.parse();
    address.map_err(|_| io::Error::other(format!("not an address: {text:?}")))
}

#[expect(clippy::disallowed_methods, reason = "policies begin now")]
pub(crate) fn now() -> UnixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime(since_epoch.map_or(0, |elapsed| elapsed.as_secs()))
}
