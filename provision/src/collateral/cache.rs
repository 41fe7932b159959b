//! Answers on disk, each until its own window ends. The folder may be emptied at any time; what cannot be read there is as if absent.

use super::answer::{Answer, Request};
use crate::file;
use attestation::{
    UnixTime,
    cbor::{self, Fields},
};
use ciborium::Value;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

/// Room for the largest answer.
const MAX_FILE_BYTES: usize = 2 * 1024 * 1024;

/// A folder with one file per request.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    directory: PathBuf,
}

impl Cache {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The answer to `request`, if one is kept and holds at `now`.
    pub(super) fn get(&self, request: &Request, now: UnixTime) -> Option<Answer> {
        let bytes = file::read(&self.path(request), MAX_FILE_BYTES).ok()?;
        let mut fields = Fields::decode(&bytes, MAX_FILE_BYTES)?;
        let url = fields.take_text("url")?;
        let until = UnixTime(fields.take_uint("until")?);
        let answer = Answer {
            body: fields.take_bytes("body")?,
            chain: fields.take_text("chain"),
        };
        fields.finish()?;
        (url == request.url && now <= until).then_some(answer)
    }

    /// Keeps `answer` until `until`, whole or not at all.
    pub(super) fn put(
        &self,
        request: &Request,
        answer: &Answer,
        until: UnixTime,
    ) -> io::Result<()> {
        let mut fields = vec![
            ("url", Value::from(request.url.as_str())),
            ("until", Value::from(until.0)),
            ("body", Value::from(answer.body.as_slice())),
        ];
        let chain = answer.chain.as_deref();
        fields.extend(chain.map(|chain| ("chain", Value::from(chain))));
        let path = self.path(request);
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        fs::create_dir_all(&self.directory)?;
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&cbor::encode(&cbor::map(fields)))?;
        fs::rename(&beside, &path)
    }

    fn path(&self, request: &Request) -> PathBuf {
        self.directory
            .join(format!("{}.cbor", hex::encode(request.key())))
    }
}
