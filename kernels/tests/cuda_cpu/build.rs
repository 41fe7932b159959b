//! Compiles the library, once for each state of its sources.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use sha2::{Digest, Sha256};

/// Where the kernels are, from a folder above the crate that takes this in.
const SOURCES: &str = "kernels/cuda";
/// No contraction: `a * b + c` rounds twice, as nvcc's `-fmad=false` has it. Accesses beyond an array's end and at addresses that a GPU refuses are traps.
const FLAGS: &[&str] = &[
    "-std=c++17",
    "-O2",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fsanitize=bounds,alignment",
    "-fsanitize-undefined-trap-on-error",
    "-shared",
    "-fPIC",
    "-pthread",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unknown-pragmas",
];

/// Path of the library, built now if it was not built of these sources before.
pub(super) fn built() -> PathBuf {
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let flags: Vec<&str> = FLAGS.iter().chain(machine_flags()).copied().collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = digest(&compiler, &flags);
    let target = folder.join(format!("narthex-cuda-cpu-{name}.so"));
    if !target.exists() {
        let own = folder.join(format!("narthex-cuda-cpu-{name}.{}", process::id()));
        compile(&compiler, &flags, &own);
        fs::rename(own, &target).unwrap();
    }
    target
}

/// A fused multiply-add is one instruction where the machine has it: the same bits, without a call.
fn machine_flags() -> &'static [&'static str] {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("fma") {
        return &["-mfma"];
    }
    &[]
}

fn compile(compiler: &str, flags: &[&str], target: &Path) {
    let output = Command::new(compiler)
        .args(flags)
        .arg(sources().join("cpu/library.cpp"))
        .arg("-o")
        .arg(target)
        .output()
        .unwrap_or_else(|error| panic!("a C++ compiler is needed (CXX={compiler}): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler}: {said}");
}

/// Of compiler, flags and sources, as far as a file's name needs it.
fn digest(compiler: &str, flags: &[&str]) -> String {
    let version = Command::new(compiler).arg("--version").output();
    let version = version.map(|output| output.stdout).unwrap_or_default();
    let mut hasher = Sha256::new();
    hasher.update(compiler);
    hasher.update(version);
    hasher.update(flags.join(" "));
    let mut paths = Vec::new();
    files(&sources(), &mut paths);
    paths.sort();
    for path in paths {
        hasher.update(path.to_str().unwrap());
        hasher.update(fs::read(path).unwrap());
    }
    let digest = hasher.finalize();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn sources() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.find(|folder| folder.join(SOURCES).is_dir());
    found.unwrap().join(SOURCES)
}

fn files(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, paths);
        } else {
            paths.push(path);
        }
    }
}
