//! The form of the suite: one folder for each case, `case.json` in it, and files that several cases share beside them.

use attestation::UnixTime;
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

/// What a verifier must say.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Accept,
    Reject,
    Incomplete,
    Malformed,
}

/// One case before it is written.
pub(crate) struct Case<'a> {
    pub(crate) title: &'a str,
    pub(crate) specification: &'a str,
    pub(crate) at: UnixTime,
    pub(crate) inputs: Vec<Input>,
    pub(crate) expect: Expect<'a>,
}

/// What a verifier is given under one name.
pub(crate) enum Input {
    /// One file.
    File(&'static str, &'static str, Vec<u8>),
    /// Files in their order; their names are numbered where there are several.
    Files(&'static str, &'static str, Vec<Vec<u8>>),
}

/// The cases of one vendor.
pub(crate) struct Suite {
    folder: PathBuf,
    /// Content to path below the folder.
    shared: HashMap<Vec<u8>, String>,
    cases: usize,
}

#[derive(Serialize)]
struct CaseFile<'a> {
    title: &'a str,
    specification: &'a str,
    at: String,
    inputs: BTreeMap<&'static str, serde_json::Value>,
    expect: Expect<'a>,
}

/// A verdict with what must be told beside it.
#[derive(Serialize)]
pub(crate) struct Expect<'a> {
    verdict: Verdict,
    /// The code of the step that must fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    /// Claims about accepted evidence, as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    claims: BTreeMap<&'a str, &'a str>,
}

impl<'a> Expect<'a> {
    pub(crate) fn accept(claims: &[(&'a str, &'a str)]) -> Self {
        Self {
            verdict: Verdict::Accept,
            code: None,
            claims: claims.iter().copied().collect(),
        }
    }

    pub(crate) fn refuse(verdict: Verdict, code: &'a str) -> Self {
        Self {
            verdict,
            code: Some(code),
            claims: BTreeMap::new(),
        }
    }
}

impl Suite {
    /// An empty suite in place of the one that was there.
    pub(crate) fn new(testdata: &Path, vendor: &str) -> Self {
        let folder = testdata.join(vendor);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("an old suite goes");
        }
        Self {
            folder,
            shared: HashMap::new(),
            cases: 0,
        }
    }

    /// Writes a file that cases refer to wherever an input has its content.
    pub(crate) fn share(&mut self, path: &str, content: &[u8]) {
        write(&self.folder.join(path), content);
        self.shared.insert(content.to_vec(), path.to_owned());
    }

    /// Writes one case.
    pub(crate) fn write(&mut self, case: Case<'_>) {
        let name = format!("{:03}-{}", self.cases, slug(case.title));
        self.cases += 1;
        let folder = self.folder.join(name);
        let inputs = case.inputs.into_iter();
        let file = CaseFile {
            title: case.title,
            specification: case.specification,
            at: case.at.to_rfc3339(),
            inputs: inputs.map(|input| self.input(&folder, input)).collect(),
            expect: case.expect,
        };
        let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers");
        text.push('\n');
        write(&folder.join("case.json"), text.as_bytes());
    }

    fn input(&self, folder: &Path, input: Input) -> (&'static str, serde_json::Value) {
        match input {
            Input::File(key, name, content) => (key, self.place(folder, name, &content).into()),
            Input::Files(key, name, contents) => {
                let several = contents.len() > 1;
                let files = contents.iter().enumerate().map(|(index, content)| {
                    let name = if several {
                        numbered(name, index)
                    } else {
                        name.to_owned()
                    };
                    self.place(folder, &name, content)
                });
                (key, files.collect::<Vec<_>>().into())
            }
        }
    }

    /// The path, from the case's folder, of a file with this content.
    fn place(&self, folder: &Path, name: &str, content: &[u8]) -> String {
        if let Some(shared) = self.shared.get(content) {
            return format!("../{shared}");
        }
        write(&folder.join(name), content);
        name.to_owned()
    }
}

fn write(path: &Path, content: &[u8]) {
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(path, content).expect("the file can be written");
}

/// `crl.der` to `crl-1.der`.
fn numbered(name: &str, index: usize) -> String {
    let (stem, extension) = name.split_once('.').expect("a file has an extension");
    format!("{stem}-{index}.{extension}")
}

/// Lower-case letters and digits, hyphens between words.
fn slug(title: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let words = title.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}
