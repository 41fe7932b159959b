//! The code for GPUs in a bill: the cubins of this program, and what they were compiled with.

use super::document::{hashes, property};
use attestation::Digest;
use engine::describe::cubin;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CUBINS: &str = "cubins";

/// What `kernels/cubin/MANIFEST.toml` says of the compiler; the rest is told by the cubins themselves.
#[derive(Deserialize)]
struct Build {
    compiler: String,
    flags: String,
    sources_sha256: String,
    /// `NAME==VERSION`, and SHA-256 of its wheels.
    toolchain: BTreeMap<String, Vec<String>>,
}

/// All cubins as one library: its digest is the manifest's `cubins-digest`.
pub(super) fn component() -> Value {
    let files = cubin::all().iter().map(|cubin| {
        let name = format!("{}.cubin", cubin.architecture());
        json!({ "type": "file", "name": name, "hashes": hashes(&cubin.digest()) })
    });
    let digest: Digest = cubin::digest();
    let mut component = json!({
        "type": "library",
        "bom-ref": CUBINS,
        "name": CUBINS,
        "description": "code for GPUs, compiled ahead for each architecture",
        "hashes": hashes(&digest),
        "components": files.collect::<Vec<_>>(),
    });
    // The tests read what is embedded.
    if let (Some(fields), Ok(build)) = (component.as_object_mut(), toml::from_str(cubin::MANIFEST))
    {
        fields.insert("properties".to_owned(), properties(&build).into());
    }
    component
}

fn properties(build: &Build) -> Vec<Value> {
    let mut properties = vec![
        property("narthex:compiler", &build.compiler),
        property("narthex:flags", &build.flags),
        property("narthex:sources_sha256", &build.sources_sha256),
    ];
    let wheels = build.toolchain.iter().flat_map(|(package, wheels)| {
        let name = format!("narthex:toolchain:{package}");
        wheels.iter().map(move |sha256| property(&name, sha256))
    });
    properties.extend(wheels);
    properties
}
