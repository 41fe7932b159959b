//! Where the genuine evidence is that the verifiers get.

use std::{env, error::Error, path::PathBuf, process::Command};

/// Where cargo keeps the package `name`, whose test data are real evidence.
pub fn of_package(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1", "--locked"]);
    let out = command.args(["--manifest-path", manifest]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout)?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata names no packages")?;
    let package = packages.iter().find(|package| package["name"] == name);
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let mut folder = PathBuf::from(manifest.ok_or("the package is not among the dependencies")?);
    folder.pop();
    Ok(folder)
}

/// The folder of real evidence that no package ships; see docs/vectors.md.
pub fn vectors() -> Option<PathBuf> {
    env::var_os("NARTHEX_VECTORS").map(PathBuf::from)
}
