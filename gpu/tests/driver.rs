//! Machines without a CUDA driver, or with something else in its place: a clear refusal, and no panic.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test, which runs itself again as a child whose libraries are others"
)]

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use gpu::{
    Argument, Device, DeviceError, DeviceUuid, Launch,
    driver::{CudaDevice, FUNCTIONS},
};
use tempfile::TempDir;

/// Set in the child.
const CHILD: &str = "NARTHEX_TEST_DRIVER_CHILD";

/// `CUDA_ERROR_NO_DEVICE`, `CUDA_ERROR_SYSTEM_NOT_READY`.
const NO_DEVICE: u32 = 100;
const NOT_READY: u32 = 802;

/// What a process does that finds `folder` first when it looks for libraries.
fn child(folder: &Path, task: &str) -> Output {
    let output: Output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_child_tells_what_it_found", "--nocapture"])
        .env("LD_LIBRARY_PATH", folder)
        .env(CHILD, task)
        .output()
        .unwrap();
    assert!(output.status.success(), "no panic: {output:?}");
    output
}

/// What opening a device says there.
fn refusal(folder: &Path) -> String {
    told(folder, "open")
}

fn told(folder: &Path, task: &str) -> String {
    let told = String::from_utf8(child(folder, task).stdout).unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix("told "));
    line.unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[test]
fn a_child_tells_what_it_found() {
    match env::var(CHILD).as_deref() {
        Ok("open") => tell_opening(),
        Ok("uuid") => tell_which_gpu(),
        Ok("close") => drop(opened().allocate(64).unwrap()),
        Ok("launch") => launch_with_all_kinds_of_arguments(),
        Ok("replay") => replay_anothers_recording(),
        _ => {}
    }
}

fn tell_opening() {
    match CudaDevice::open(0) {
        Ok(_) => println!("\ntold opened"),
        Err(error) => println!("\ntold {} {error}", error.code()),
    }
}

/// As the driver below says it.
fn tell_which_gpu() {
    let told = opened().uuid();
    let expected =
        |last: u8| DeviceUuid::new([0xd0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, last]);
    println!(
        "\ntold {} {}",
        expected(15) == Some(told),
        expected(16) == Some(told)
    );
}

fn opened() -> CudaDevice {
    CudaDevice::open(0).unwrap()
}

/// A launch of an entry point that takes, as the driver below says of all, a pointer and four bytes.
fn launch(arguments: &[Argument]) -> Launch {
    Launch {
        entry: kernels::cubin::entry_points().next().unwrap().to_owned(),
        grid: [1; 3],
        block: [1; 3],
        shared_bytes: 0,
        arguments: arguments.to_vec(),
    }
}

fn launch_with_all_kinds_of_arguments() {
    let device = opened();
    let memory = Argument::Memory(device.allocate(64).unwrap());
    let (word, float) = (Argument::U32(7), Argument::F32(7.0));
    let refused = Err(DeviceError::Arguments(launch(&[]).entry));
    for wrong in [
        &[][..],
        &[memory],
        &[word, memory],
        &[memory, memory],
        &[memory, word, word],
    ] {
        assert_eq!(device.launch(&launch(wrong)), refused, "{wrong:?}");
        let recorded = device.record(&[launch(wrong)]);
        assert_eq!(recorded.err(), refused.clone().err());
    }
    for right in [[memory, word], [memory, float], [Argument::Null, word]] {
        assert_eq!(device.launch(&launch(&right)), Ok(()));
    }
}

fn replay_anothers_recording() {
    let (device, other) = (opened(), opened());
    let memory = Argument::Memory(device.allocate(64).unwrap());
    let step = [launch(&[memory, Argument::U32(0)])];
    let recording = device.record(&step).unwrap();
    assert_eq!(device.replay(&recording), Ok(()));
    assert_eq!(other.replay(&recording), Err(DeviceError::ForeignMemory));
    drop(device);
    assert_eq!(other.replay(&recording), Err(DeviceError::ForeignMemory));
}

/// A library of the driver's name, made of `source`; `None` where there is no C compiler, which is said.
fn library(source: &str) -> Option<TempDir> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("cuda.c");
    fs::write(&file, source).unwrap();
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    for name in ["libcuda.so", "libcuda.so.1"] {
        let built = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-o"])
            .args([folder.path().join(name), file.clone()])
            .status();
        match built {
            Ok(status) => assert!(status.success(), "{source}"),
            Err(error) => {
                println!("no C compiler, nothing to look at: {error}");
                return None;
            }
        }
    }
    Some(folder)
}

/// All functions, of which `changed` are other ones and the rest fail.
fn source(changed: &[(&str, &str)]) -> String {
    let of = |name: &&str| {
        let own = changed.iter().find(|(other, _)| other == name);
        own.map_or_else(
            || format!("int {name}() {{ return 999; }}\n"),
            |(_, body)| (*body).to_owned(),
        )
    };
    FUNCTIONS.iter().map(of).collect()
}

#[test]
fn no_driver_is_a_refusal() {
    // On a machine that has one, the child finds it.
    if CudaDevice::open(0).err() != Some(DeviceError::NoDriver) {
        println!("this machine has a CUDA driver, nothing to look at");
        return;
    }
    let folder = TempDir::new().unwrap();
    assert!(refusal(folder.path()).starts_with("gpu.no_driver "));
}

#[test]
fn a_file_that_is_no_library_is_no_driver() {
    if CudaDevice::open(0).err() != Some(DeviceError::NoDriver) {
        println!("this machine has a CUDA driver, nothing to look at");
        return;
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("libcuda.so.1"), "garbage").unwrap();
    assert!(refusal(folder.path()).starts_with("gpu.no_driver "));
}

#[test]
fn a_library_without_the_drivers_functions_is_refused() {
    let Some(folder) = library("int something_else;") else {
        return;
    };
    let told = refusal(folder.path());
    assert!(told.starts_with("gpu.driver_function "), "{told}");
    assert!(told.contains("cuInit"), "{told}");
}

#[test]
fn a_library_that_lacks_one_function_is_refused() {
    let source = source(&[("cuGraphLaunch", "")]);
    let Some(folder) = library(&source) else {
        return;
    };
    let told = refusal(folder.path());
    assert!(told.starts_with("gpu.driver_function "), "{told}");
    assert!(told.contains("cuGraphLaunch"), "{told}");
}

#[test]
fn a_driver_that_does_not_start_is_refused() {
    for (number, code) in [(NOT_READY, "gpu.driver "), (NO_DEVICE, "gpu.no_device ")] {
        let init = format!("int cuInit(unsigned flags) {{ return {number}; }}\n");
        let Some(folder) = library(&source(&[("cuInit", &init)])) else {
            return;
        };
        let told = refusal(folder.path());
        assert!(told.starts_with(code), "{told}");
    }
}

/// A driver that starts and counts `devices` devices, of compute capability `major`.0.
fn starting(devices: u32, major: u32) -> String {
    let count = format!("int cuDeviceGetCount(int *count) {{ *count = {devices}; return 0; }}\n");
    let attribute = format!(
        "int cuDeviceGetAttribute(int *value, int attribute, int device) {{ *value = attribute == 75 ? {major} : 0; return 0; }}\n"
    );
    source(&[
        ("cuInit", "int cuInit(unsigned flags) { return 0; }\n"),
        ("cuDeviceGetCount", &count),
        (
            "cuDeviceGet",
            "int cuDeviceGet(int *device, int index) { *device = index; return 0; }\n",
        ),
        ("cuDeviceGetAttribute", &attribute),
        (
            "cuDeviceGetUuid_v2",
            "int cuDeviceGetUuid_v2(unsigned char *uuid, int device) { for (int at = 0; at < 16; at++) uuid[at] = at ? at : 0xd0; return 0; }\n",
        ),
        (
            "cuDevicePrimaryCtxRetain",
            "int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &context; return 0; }\n",
        ),
        (
            "cuDevicePrimaryCtxRelease_v2",
            "int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }\n",
        ),
        (
            "cuCtxGetCurrent",
            "int cuCtxGetCurrent(void **context) { *context = 0; return 0; }\n",
        ),
        (
            "cuCtxSetCurrent",
            "int cuCtxSetCurrent(void *context) { return 0; }\n",
        ),
    ])
}

/// Says to standard error when it was called.
fn noted(name: &str, note: &str) -> String {
    let length = note.len() + 1;
    format!("int {name}() {{ write(2, \"{note}\\n\", {length}); return 0; }}\n")
}

/// A driver that does nothing right, and says what it was told; every entry point takes a pointer and four bytes.
fn working() -> String {
    const SIZES: &str = "int cuFuncGetParamInfo(void *function, unsigned long at, unsigned long *offset, unsigned long *bytes) { *offset = 8 * at; *bytes = at ? 4 : 8; return at < 2 ? 0 : 1; }\n";
    const ADDRESS: &str = "int cuMemAlloc_v2(unsigned long long *address, unsigned long bytes) { *address = 4096; return 0; }\n";
    const CAPTURED: &str =
        "int cuStreamEndCapture(void *stream, void **graph) { *graph = &graph; return 0; }\n";
    let handle = |name: &str| {
        let body = format!("int {name}(void **handle) {{ *handle = &handle; return 0; }}\n");
        (name.to_owned(), body)
    };
    let mut all: Vec<_> = [
        "cuStreamCreate",
        "cuModuleLoadData",
        "cuModuleGetFunction",
        "cuGraphInstantiateWithFlags",
    ]
    .map(handle)
    .into();
    for (name, body) in [
        ("cuFuncGetParamInfo", SIZES),
        ("cuMemAlloc_v2", ADDRESS),
        ("cuStreamEndCapture", CAPTURED),
    ] {
        all.push((name.to_owned(), body.to_owned()));
    }
    for (name, note) in [
        ("cuStreamDestroy_v2", "stream"),
        ("cuStreamSynchronize", "wait"),
        ("cuStreamBeginCapture_v2", "capture"),
        ("cuGraphDestroy", "graph"),
        ("cuGraphExecDestroy", "graph"),
        ("cuGraphUpload", "upload"),
        ("cuGraphLaunch", "replay"),
        ("cuMemFree_v2", "free"),
        ("cuMemsetD8Async", "clear"),
        ("cuModuleUnload", "unload"),
        ("cuLaunchKernel", "launch"),
        ("cuPrimaryRelease", "release"),
    ] {
        all.push((name.to_owned(), noted(name, note)));
    }
    let started = starting(1, 9);
    let kept = started.lines().filter(|line| {
        let defines = |(name, _): &(String, String)| line.contains(&format!("int {name}("));
        !all.iter().any(defines)
    });
    let kept: Vec<_> = kept.collect();
    let release = "int cuDevicePrimaryCtxRelease_v2(int device) {";
    let noting = format!("{release} cuPrimaryRelease();");
    let bodies: String = all.iter().map(|(_, body)| body.as_str()).collect();
    format!(
        "#include <unistd.h>\n{bodies}{}\n",
        kept.join("\n").replace(release, &noting)
    )
}

/// What the driver was told, of `of`.
fn notes(output: &Output, of: &[&str]) -> Vec<String> {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    let lines = told.lines().filter(|line| of.contains(line));
    lines.map(str::to_owned).collect()
}

#[test]
fn memory_is_freed_before_its_context_is_let_go() {
    let Some(folder) = library(&working()) else {
        return;
    };
    let output = child(folder.path(), "close");
    let told = notes(&output, &["wait", "free", "unload", "stream", "release"]);
    assert_eq!(told, ["wait", "free", "unload", "stream", "release"]);
}

#[test]
fn other_arguments_than_an_entry_point_has_never_reach_the_driver() {
    let Some(folder) = library(&working()) else {
        return;
    };
    let output = child(folder.path(), "launch");
    assert_eq!(notes(&output, &["launch"]).len(), 3);
}

#[test]
fn a_recording_is_its_own_devices_only() {
    let Some(folder) = library(&working()) else {
        return;
    };
    let output = child(folder.path(), "replay");
    assert_eq!(notes(&output, &["replay"]).len(), 1);
}

#[test]
fn a_device_says_which_gpu_it_is() {
    let Some(folder) = library(&working()) else {
        return;
    };
    assert_eq!(told(folder.path(), "uuid"), "true false");
}

/// A driver that refuses, and one that says yes and tells nothing.
#[test]
fn a_device_that_does_not_say_which_gpu_it_is_is_refused() {
    const ASKED: &str = "int cuDeviceGetUuid_v2(unsigned char *uuid, int device) {";
    for (answer, number) in [(999, "999"), (0, "0")] {
        let telling = starting(1, 9);
        let line = telling.lines().find(|line| line.starts_with(ASKED));
        let silent = format!("{ASKED} return {answer}; }}");
        let Some(folder) = library(&telling.replace(line.unwrap(), &silent)) else {
            return;
        };
        let told = refusal(folder.path());
        assert!(told.starts_with("gpu.uuid "), "{told}");
        assert!(told.ends_with(&format!("(error {number})")), "{told}");
    }
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let Some(folder) = library(&starting(0, 9)) else {
        return;
    };
    let told = refusal(folder.path());
    assert!(told.starts_with("gpu.no_device "), "{told}");
}

#[test]
fn an_architecture_without_kernels_is_refused() {
    let Some(folder) = library(&starting(1, 3)) else {
        return;
    };
    let told = refusal(folder.path());
    assert!(told.starts_with("gpu.unsupported_architecture "), "{told}");
    assert!(told.contains("3.0"), "{told}");
}

#[test]
fn a_device_that_gives_no_stream_is_refused() {
    let Some(folder) = library(&starting(1, 9)) else {
        return;
    };
    let told = refusal(folder.path());
    assert!(told.starts_with("gpu.open "), "{told}");
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let all = [
        DeviceError::NoDriver,
        DeviceError::DriverFunction("cuInit"),
        DeviceError::Driver(1),
        DeviceError::NoDevice {
            index: 0,
            devices: 0,
        },
        DeviceError::Open(1),
        DeviceError::Uuid(1),
        DeviceError::UnsupportedArchitecture { major: 3, minor: 0 },
        DeviceError::Module(1),
        DeviceError::EntryPoint(String::new()),
        DeviceError::Arguments(String::new()),
        DeviceError::Plan,
        DeviceError::OutOfMemory { bytes: 1 },
        DeviceError::ForeignMemory,
        DeviceError::Copy(1),
        DeviceError::Launch(1),
        DeviceError::Graph(1),
        DeviceError::Execution(1),
    ];
    let mut codes: Vec<_> = all.iter().map(DeviceError::code).collect();
    assert!(codes.iter().all(|code| code.starts_with("gpu.")));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
}
