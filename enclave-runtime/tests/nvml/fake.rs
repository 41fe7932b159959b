//! The fake library: compiled once for each set of functions, copied for each test, so that each has a state of its own.

use attestation::{GpuNonce, UnixTime, danger, roots::NvidiaRoots};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use enclave_runtime::evidence::{Nvml, NvmlError, SelfCheck};
use libloading::Library;
use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex},
};
use tee_sim::nvidia::Nvidia;
use tempfile::TempDir;

/// 2026-11-22T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_795_305_600);
/// As the invented reports name it.
pub(crate) const DRIVER: &str = "550.90.07";
/// Of the first GPU.
pub(crate) const UUID: &str = "GPU-d0010203-0405-0607-0809-0a0b0c0d0e00";
pub(crate) const NONCE: GpuNonce = GpuNonce([0x5a; 32]);

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nvml/fake.c");

pub(crate) static NVIDIA: LazyLock<Nvidia> = LazyLock::new(|| Nvidia::invent(NOW));
static COMPILED: LazyLock<Mutex<HashMap<&'static str, PathBuf>>> = LazyLock::new(Mutex::default);
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

/// `struct fake` of `fake.c`.
#[repr(C)]
pub(crate) struct State {
    pub(crate) init: u32,
    pub(crate) state: u32,
    pub(crate) settings: u32,
    pub(crate) ready: u32,
    pub(crate) set_ready: u32,
    pub(crate) driver: u32,
    pub(crate) cuda: u32,
    pub(crate) count: u32,
    pub(crate) handle: u32,
    pub(crate) vbios: u32,
    pub(crate) uuid: u32,
    pub(crate) report: u32,
    pub(crate) certificate: u32,
    pub(crate) environment: u32,
    pub(crate) cc_feature: u32,
    pub(crate) dev_tools: u32,
    pub(crate) settings_environment: u32,
    pub(crate) settings_cc_feature: u32,
    pub(crate) settings_dev_tools: u32,
    pub(crate) multi_gpu: u32,
    pub(crate) is_ready: u32,
    pub(crate) sets_in_vain: u32,
    pub(crate) times_set: u32,
    pub(crate) times_shut_down: u32,
    pub(crate) cuda_version: i32,
    pub(crate) gpus: u32,
    pub(crate) driver_version: [u8; 80],
    pub(crate) vbios_version: [u8; 32],
    pub(crate) uuid_text: [u8; 96],
    pub(crate) same_uuid: u32,
    pub(crate) cec_present: u32,
    pub(crate) report_size: u32,
    pub(crate) cec_size: u32,
    pub(crate) chain_size: u32,
    pub(crate) report_bytes: [u8; 8192],
    pub(crate) chain: [u8; 5120],
    pub(crate) sign: Option<extern "C" fn(*const [u8; 32], *mut [u8; 8192]) -> u32>,
}

/// One copy of the library, kept open so that its state outlives what is tested.
pub(crate) struct Fake {
    path: PathBuf,
    library: Library,
    _folder: TempDir,
}

impl Fake {
    /// A well-kept machine with one invented GPU that signs for every nonce.
    pub(crate) fn good() -> Self {
        Self::without("")
    }

    /// As [`Self::good`], of a library that lacks `function`.
    pub(crate) fn without(function: &'static str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("libnvidia-ml.so.1");
        fs::copy(compiled(function), &path).unwrap();
        // SAFETY: the library has no initialisers.
        let library = unsafe { Library::new(&path) }.unwrap();
        let fake = Self {
            path,
            library,
            _folder: folder,
        };
        fake.set(well_kept);
        fake
    }

    /// Changes what the library answers.
    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        // SAFETY: the symbol is the struct that is mirrored here, and no call is under way.
        let state = unsafe {
            let symbol = self.library.get::<*mut State>(b"fake\0").unwrap();
            &mut **symbol
        };
        change(state);
    }

    /// Reads what it was told.
    pub(crate) fn get<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        let mut told = None;
        self.set(|state| told = Some(read(state)));
        told.unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn open(&self) -> Result<Nvml, NvmlError> {
        Nvml::open(&self.path)
    }

    /// Opened, checked and ready.
    pub(crate) fn ready(&self) -> Nvml {
        let nvml = self.open().unwrap();
        nvml.make_ready(&self_check()).unwrap();
        nvml
    }
}

/// Under the invented vendor's roots.
pub(crate) fn self_check() -> SelfCheck {
    SelfCheck::new(NONCE, roots(), NOW)
}

pub(crate) fn roots() -> NvidiaRoots {
    let issued = NVIDIA.issue(&[0; 32]);
    danger::nvidia_roots(&issued.device_root, &issued.rim_root)
}

/// The chain as the library hands it out.
pub(crate) fn pem(chain: &[Vec<u8>]) -> String {
    let one = |der: &Vec<u8>| {
        let text = STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(str::from_utf8).collect();
        let lines: Vec<_> = lines.into_iter().map(Result::unwrap).collect();
        let body = lines.join("\n");
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    };
    chain.iter().map(one).collect()
}

/// `text` at the start of a buffer.
pub(crate) fn filled<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut buffer = [0; N];
    buffer[..text.len()].copy_from_slice(text);
    buffer
}

fn well_kept(state: &mut State) {
    let chain = pem(&NVIDIA.issue(&[0; 32]).chain);
    state.environment = 2;
    state.cc_feature = 1;
    state.settings_environment = 2;
    state.settings_cc_feature = 1;
    state.cuda_version = 13_000;
    state.gpus = 1;
    state.driver_version = filled(DRIVER.as_bytes());
    state.vbios_version = filled(b"96.00.9F.00.01");
    state.uuid_text = filled(UUID.as_bytes());
    state.chain_size = u32::try_from(chain.len()).unwrap();
    state.chain = filled(chain.as_bytes());
    state.sign = Some(sign);
}

extern "C" fn sign(nonce: *const [u8; 32], report: *mut [u8; 8192]) -> u32 {
    // SAFETY: the library passes its own buffers, which live until this returns.
    let (nonce, report) = unsafe { (&*nonce, &mut *report) };
    let signed = NVIDIA.issue(nonce).report;
    report[..signed.len()].copy_from_slice(&signed);
    u32::try_from(signed.len()).unwrap()
}

/// The library without `function`, compiled when it is first asked for.
fn compiled(function: &'static str) -> PathBuf {
    let mut compiled = COMPILED.lock().unwrap();
    let path = compiled.entry(function).or_insert_with(|| {
        let path = FOLDER.path().join(format!("fake-{function}.so"));
        let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let status = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
            .arg(&path)
            .arg(format!("-DWITHOUT_{function}"))
            .arg(SOURCE)
            .status()
            .unwrap();
        assert!(status.success(), "{compiler} failed");
        path
    });
    path.clone()
}
