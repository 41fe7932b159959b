//! A machine without a GPU: the program ends at once, and says what to do.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

use gpu::{DeviceError, driver::CudaDevice};

#[test]
fn without_a_driver_there_is_nothing_to_measure() {
    if CudaDevice::open(0).err() != Some(DeviceError::NoDriver) {
        println!("this machine has a CUDA driver, nothing to look at");
        return;
    }
    for arguments in [
        ["machine"].as_slice(),
        &["measure", "no model", "no prompt"],
        &["touch", "no model", "no prompt"],
    ] {
        let program = env!("CARGO_BIN_EXE_bench-gpu");
        let output = Command::new(program).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.starts_with("gpu.no_driver: "), "{told}");
        assert!(told.contains("machine with an NVIDIA GPU"), "{told}");
    }
}

#[test]
fn other_words_are_answered_with_the_usage() {
    let program = env!("CARGO_BIN_EXE_bench-gpu");
    let output = Command::new(program).arg("guess").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.starts_with(b"usage: "));
}
