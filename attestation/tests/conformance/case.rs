//! One case of the suite, read.

use attestation::{ErrorClass, UnixTime};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A case and where its files are.
pub(crate) struct Case {
    folder: PathBuf,
    file: CaseFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    title: String,
    specification: String,
    at: String,
    inputs: serde_json::Map<String, serde_json::Value>,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    verdict: String,
    code: Option<String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
}

/// What a verifier tells of evidence that it accepts.
pub(crate) type Claims = BTreeMap<&'static str, String>;

/// What a verifier answers when it does not accept.
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) class: ErrorClass,
}

/// A verifier of one vendor's evidence.
pub(crate) type Verify = fn(&Case) -> Result<Claims, Refusal>;

/// Every case of `vendor` in the order of their numbers.
pub(crate) fn cases(vendor: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(vendor);
    let entries = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{}", folder.display()));
    let folders = entries.map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = folders
        .filter(|folder| folder.join("case.json").exists())
        .collect();
    cases.sort();
    cases.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let text = fs::read(folder.join("case.json")).unwrap();
        let file: CaseFile = serde_json::from_slice(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert!(!file.title.is_empty() && !file.specification.is_empty());
        Self { folder, file }
    }

    /// When it is judged.
    pub(crate) fn at(&self) -> UnixTime {
        UnixTime::from_rfc3339(&self.file.at).unwrap()
    }

    /// The code of the step that must fail.
    pub(crate) fn code(&self) -> Option<&str> {
        self.file.expect.code.as_deref()
    }

    /// The file that `key` names.
    pub(crate) fn input(&self, key: &str) -> Vec<u8> {
        self.optional(key)
            .unwrap_or_else(|| panic!("{}: no {key}", self.folder.display()))
    }

    /// The file that `key` names, if it is given.
    pub(crate) fn optional(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.file.inputs.get(key)?.as_str().unwrap();
        Some(self.file(path))
    }

    /// The files that `key` names.
    pub(crate) fn inputs(&self, key: &str) -> Vec<Vec<u8>> {
        let paths = self.file.inputs[key].as_array().unwrap();
        paths
            .iter()
            .map(|path| self.file(path.as_str().unwrap()))
            .collect()
    }

    /// What is wrong if `verify` says something else than the case demands.
    pub(crate) fn verdict_differs(&self, verify: Verify) -> Option<String> {
        let (verdict, code, claims) = match verify(self) {
            Ok(claims) => ("accept", None, claims),
            Err(refusal) => (verdict(refusal.class), Some(refusal.code), Claims::new()),
        };
        let expect = &self.file.expect;
        let mut expected = expect.claims.iter();
        let is_told = expected.all(|(name, text)| claims.get(name.as_str()) == Some(text));
        let agrees = verdict == expect.verdict && code == expect.code.as_deref() && is_told;
        let name = self.folder.file_name().unwrap().display();
        (!agrees).then(|| format!("{name}: {verdict} {code:?} {claims:?}, not {expect:?}"))
    }

    fn file(&self, path: &str) -> Vec<u8> {
        let path = self.folder.join(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// The suite's word for a class: what cannot be told for want of knowledge is as incomplete as what lacks an input.
const fn verdict(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Malformed => "malformed",
        ErrorClass::Rejected => "reject",
        ErrorClass::Unsupported | ErrorClass::Incomplete => "incomplete",
    }
}
