//! The bill itself: CycloneDX 1.6 (ECMA-424), fields in one order, no time and no serial number.

use super::{
    super::{Exit, Failure},
    Words, cubins,
    folder::{ModelFile, ModelFolder},
    licence,
};
use attestation::Digest;
use serde_json::{Value, json};

const MODEL: &str = "model";
const WEIGHTS: &str = "weights";
const TOKENIZER: &str = "tokenizer";
const TEMPLATE: &str = "chat-template";
const ENGINE: &str = "engine";
const KERNELS: &str = "kernels";

/// The bill of `folder`, served by the executable with digest `runtime` if it is known.
pub(super) fn of(
    folder: &ModelFolder,
    words: &Words,
    runtime: Option<Digest>,
) -> Result<Value, Failure> {
    let parts = parts(folder, runtime);
    let refs: Vec<&Value> = parts
        .iter()
        .filter_map(|part| part.get("bom-ref"))
        .collect();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [{
                "type": "application",
                "name": "narthex",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": model(folder, words)?,
        },
        "dependencies": [{ "ref": MODEL, "dependsOn": refs }],
        "components": parts,
    }))
}

fn model(folder: &ModelFolder, words: &Words) -> Result<Value, Failure> {
    let told = &folder.model;
    let mut component = json!({
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": words.name.as_ref().unwrap_or(&told.public_name),
        "hashes": hashes(&told.model_digest),
        "modelCard": { "modelParameters": {
            "task": "text-generation",
            "architectureFamily": told.architecture,
            "datasets": named(&words.dataset, "data set", dataset)?,
        } },
        "properties": quantization(folder),
    });
    if let Some(fields) = component.as_object_mut() {
        let mut put = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        put(
            "version",
            words.version.as_ref().map(|version| json!(version)),
        );
        let supplier = words.supplier.as_ref().or(told.organization.as_ref());
        put("supplier", supplier.map(|name| json!({ "name": name })));
        let license = words.license.as_ref().or(told.license.as_ref());
        put(
            "licenses",
            license.map(|license| json!([licence::entry(license)])),
        );
        let ancestors = named(&words.base_model, "base model", ancestor)?;
        put(
            "pedigree",
            (!ancestors.is_empty()).then(|| json!({ "ancestors": ancestors })),
        );
    }
    Ok(component)
}

fn quantization(folder: &ModelFolder) -> Vec<Value> {
    let told = &folder.model;
    let mut properties = vec![property("narthex:parameters", &told.parameters.to_string())];
    properties.extend(told.base.iter().map(|base| property("narthex:base", base)));
    properties.extend(told.quantization.iter().map(|(kind, weights)| {
        property(
            &format!("narthex:quantization:{kind}"),
            &weights.to_string(),
        )
    }));
    properties
}

fn parts(folder: &ModelFolder, runtime: Option<Digest>) -> Vec<Value> {
    let told = &folder.model;
    let mut engine = json!({
        "type": "application",
        "bom-ref": ENGINE,
        "name": "narthex-runtime",
        "version": env!("CARGO_PKG_VERSION"),
        "description": told.mode,
    });
    with_hashes(&mut engine, runtime);
    let mut parts = vec![
        file(WEIGHTS, &folder.weights),
        part(
            "data",
            TOKENIZER,
            &told.tokenizer_digest,
            "tokens, merges, types and special ids in canonical form",
        ),
        part(
            "data",
            TEMPLATE,
            &told.template_digest,
            "text of the chat template",
        ),
        engine,
        part(
            "library",
            KERNELS,
            &told.kernels_digest,
            "sources of the kernels and their version",
        ),
        cubins::component(),
    ];
    parts.extend(
        folder
            .others
            .iter()
            .map(|other| file(&format!("file:{}", other.name), other)),
    );
    parts
}

fn part(kind: &str, name: &str, digest: &Digest, description: &str) -> Value {
    json!({
        "type": kind,
        "bom-ref": name,
        "name": name,
        "description": description,
        "hashes": hashes(digest),
    })
}

fn file(reference: &str, file: &ModelFile) -> Value {
    json!({
        "type": "file",
        "bom-ref": reference,
        "name": file.name,
        "hashes": hashes(&file.sha256),
        "properties": [property("narthex:size_bytes", &file.size_bytes.to_string())],
    })
}

fn ancestor(name: &str, digest: Option<Digest>) -> Value {
    let mut ancestor = json!({ "type": "machine-learning-model", "name": name });
    with_hashes(&mut ancestor, digest);
    ancestor
}

/// A data set's digest goes among its properties: CycloneDX has no place for hashes there.
fn dataset(name: &str, digest: Option<Digest>) -> Value {
    let mut dataset = json!({ "type": "dataset", "name": name });
    if let (Some(fields), Some(digest)) = (dataset.as_object_mut(), digest) {
        let digest = property("narthex:sha256", &hex::encode(digest));
        fields.insert("contents".to_owned(), json!({ "properties": [digest] }));
    }
    dataset
}

fn with_hashes(component: &mut Value, digest: Option<Digest>) {
    if let (Some(fields), Some(digest)) = (component.as_object_mut(), digest) {
        fields.insert("hashes".to_owned(), hashes(&digest));
    }
}

/// What `make` makes of each `NAME[@SHA256]`.
fn named(
    given: &[String],
    what: &str,
    make: fn(&str, Option<Digest>) -> Value,
) -> Result<Vec<Value>, Failure> {
    given
        .iter()
        .map(|text| {
            let (name, digest) = split(text).ok_or_else(|| unnamed(text, what))?;
            Ok(make(name, digest))
        })
        .collect()
}

fn split(text: &str) -> Option<(&str, Option<Digest>)> {
    let (name, digest) = match text.rsplit_once('@') {
        None => (text, None),
        Some((name, hexadecimal)) => {
            let mut digest = Digest::default();
            hex::decode_to_slice(hexadecimal, &mut digest).ok()?;
            (name, Some(digest))
        }
    };
    (!name.is_empty()).then_some((name, digest))
}

fn unnamed(text: &str, what: &str) -> Failure {
    let message = format!("{text:?} is no {what}: NAME, or NAME@ and 64 hexadecimal digits");
    Failure::new(Exit::Usage, "aibom.lineage", message)
}

pub(super) fn hashes(digest: &Digest) -> Value {
    json!([{ "alg": "SHA-256", "content": hex::encode(digest) }])
}

pub(super) fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}
