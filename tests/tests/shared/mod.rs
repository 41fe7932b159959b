//! One stack for all tests of a file; it ends with the test's process, since its children end when their parent does.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod node;
pub(crate) mod scene;
pub(crate) mod stream;

use protocol::PaddingProfile;
use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use tests::{
    child::Process,
    fleet::Tees,
    stack::{self, Directory, Inspection, Programs, Stack},
};
use tokio::runtime::Runtime;

/// A stack with what carries its wires.
pub(crate) struct Shared {
    pub(crate) stack: Stack,
    _wires: Runtime,
}

/// The stack.
pub(crate) fn stack() -> &'static Stack {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    &SHARED
        .get_or_init(|| start(Tees::Snp, PaddingProfile::default()))
        .stack
}

/// One with two nodes, in place of the other.
pub(crate) fn stack_of_two() -> &'static Stack {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    &SHARED
        .get_or_init(|| start(Tees::SnpAndTdx, PaddingProfile::default()))
        .stack
}

/// One whose runtime pads in this way.
pub(crate) fn padded(padding: PaddingProfile) -> Shared {
    start(Tees::Snp, padding)
}

fn start(tees: Tees, padding: PaddingProfile) -> Shared {
    let directory = Directory::replace(place(&number())).unwrap();
    stack::publish_policy(&directory, &programs(), &model()).unwrap();
    directory.set_padding(padding).unwrap();
    start_in(directory, tees)
}

pub(crate) fn programs() -> Programs {
    Programs::beside(Path::new(env!("CARGO_BIN_EXE_narthex-demo"))).unwrap()
}

/// A stack that obeys what is published in `directory`.
pub(crate) fn start_in(directory: Directory, tees: Tees) -> Shared {
    let wires = Runtime::new().unwrap();
    let (programs, model) = (programs(), model());
    directory.write_access().unwrap();
    let stack = wires
        .block_on(Stack::start(
            programs,
            directory,
            &model,
            Inspection::Allowed,
            tees,
        ))
        .unwrap();
    Shared {
        stack,
        _wires: wires,
    }
}

/// One for each stack of this test program: tests run beside each other.
fn number() -> String {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    format!("-{}", STARTED.fetch_add(1, Ordering::Relaxed))
}

/// A folder of this test program's own, below the build's, and of one of its tests: it is replaced by the next run.
pub(crate) fn place(test: &str) -> PathBuf {
    let program = env::current_exe().unwrap();
    let mut name = program.file_stem().unwrap().to_owned();
    name.push(test);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The model's file.
pub(crate) fn model() -> PathBuf {
    needed("NARTHEX_MODEL")
}

/// A Python that has the openai SDK and what the foreign clients need.
pub(crate) fn python() -> PathBuf {
    needed("NARTHEX_PYTHON")
}

/// A Python that has schemathesis.
pub(crate) fn schemathesis() -> PathBuf {
    needed("NARTHEX_SCHEMATHESIS")
}

/// The folder of the packages that the foreign client for Node needs.
pub(crate) fn node_modules() -> PathBuf {
    needed("NARTHEX_NODE_MODULES")
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests find what they need through the environment"
)]
fn needed(name: &str) -> PathBuf {
    env::var_os(name)
        .unwrap_or_else(|| {
            panic!("{name} is not set: run ./scripts/test, which fetches what it names")
        })
        .into()
}

/// A running `narthex proxy`.
pub(crate) struct Proxy {
    pub(crate) process: Process,
    /// As an OpenAI client takes it.
    pub(crate) base_url: String,
}

/// Starts `narthex proxy` in the demo's composition.
pub(crate) fn proxy(stack: &Stack) -> Proxy {
    proxy_with(stack, stack.connection("policy.json", "state-client"))
}

/// The same with these arguments.
pub(crate) fn proxy_with(stack: &Stack, connection: Vec<String>) -> Proxy {
    let mut arguments = vec![
        "client".to_owned(),
        stack.directory.path(),
        "proxy".to_owned(),
    ];
    arguments.extend(connection);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let process = Process::start_when(&stack.programs.demo, &arguments, "http://").unwrap();
    let base_url = format!("http://{}", process.ready);
    Proxy { process, base_url }
}
