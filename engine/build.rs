//! Lists this crate's sources for its digest, so that none can be left out.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told by the environment where it is"
)]

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::var_os("CARGO_MANIFEST_DIR").ok_or("no manifest folder")?;
    let target = env::var_os("OUT_DIR").ok_or("no output folder")?;
    let root = PathBuf::from(folder).join("src");
    let mut paths = Vec::new();
    sources(&root, "", &mut paths)?;
    paths.sort();
    let entry = |path: &String| format!("({path:?}, include_str!({:?})),\n", root.join(path));
    let list: String = paths.iter().map(entry).collect();
    fs::write(
        Path::new(&target).join("sources.rs"),
        format!("&[\n{list}]"),
    )?;
    println!("cargo::rerun-if-changed=src");
    Ok(())
}

/// Paths of all files but tests (`tests.rs`, folders `tests`) under `folder`, from the root of the sources on, with `/`
/// between their parts.
fn sources(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| "a source's name is not UTF-8")?;
        if matches!(name.as_str(), "tests" | "tests.rs") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            sources(&entry.path(), &format!("{prefix}{name}/"), paths)?;
        } else {
            paths.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}
