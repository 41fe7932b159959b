//! Gets the files of a publication from where they are.

use super::{PolicyKeeperError, PolicySource, PolicyUrl, succession::Offer};
use crate::{
    FileError,
    collateral::{Current, Fault, Transport},
    file,
};
use policy::{Files, publication::POLICY};
use std::{collections::HashMap, fmt, path::Path, time::Duration};

/// For each file of an address.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A source and what is needed to ask it.
pub(super) struct Supplier {
    source: PolicySource,
    server: Option<Server>,
}

/// A static server.
struct Server {
    url: PolicyUrl,
    transport: Transport,
    /// What it gave last for each file, with the validator that it gave along.
    known: HashMap<&'static str, (String, Vec<u8>)>,
}

impl Supplier {
    pub(super) fn new(source: PolicySource) -> Result<Self, PolicyKeeperError> {
        let server = match &source {
            PolicySource::Url(url) => Some(Server::new(url.clone())?),
            _ => None,
        };
        Ok(Self { source, server })
    }

    /// What the source has now.
    pub(super) async fn offer(&mut self) -> Result<Offer, PolicyKeeperError> {
        let files = match (&self.source, &mut self.server) {
            (PolicySource::File(path), _) => {
                Files::of_policy(file::read_public(path, Files::max_bytes(POLICY))?)
            }
            (PolicySource::Folder(path), _) => read_folder(path)?,
            (PolicySource::Url(_), Some(server)) => server.files().await?,
            _ => return Err(PolicyKeeperError::NothingOffered),
        };
        let from = self.to_string();
        Ok(Offer { files, from })
    }
}

impl fmt::Display for Supplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// The policy must be there, the others may be absent.
fn read_folder(folder: &Path) -> Result<Files, FileError> {
    let mut files = Files::default();
    for name in Files::NAMES {
        match file::read_public(&folder.join(name), Files::max_bytes(name)) {
            Err(error) if error.is_absent() && name != POLICY => {}
            read => set(&mut files, name, read?),
        }
    }
    Ok(files)
}

fn set(files: &mut Files, name: &str, bytes: Vec<u8>) {
    if let Some(place) = files.get_mut(name) {
        *place = Some(bytes);
    }
}

impl Server {
    fn new(url: PolicyUrl) -> Result<Self, PolicyKeeperError> {
        let transport = Transport::new(TIMEOUT).map_err(PolicyKeeperError::Tls)?;
        Ok(Self {
            url,
            transport,
            known: HashMap::new(),
        })
    }

    async fn files(&mut self) -> Result<Files, PolicyKeeperError> {
        let mut files = Files::default();
        for name in Files::NAMES {
            match self.file(name).await {
                Err(Fault::NotFound) if name != POLICY => {}
                Err(fault) => return Err(self.failed(name, fault)),
                Ok(bytes) => set(&mut files, name, bytes),
            }
        }
        Ok(files)
    }

    async fn file(&mut self, name: &'static str) -> Result<Vec<u8>, Fault> {
        let url = self.url.of(name);
        let known = self.known.get(name);
        let etag = known.map(|(etag, _)| etag.as_str());
        let current = self
            .transport
            .get(&url, etag, Files::max_bytes(name))
            .await?;
        match (current, known) {
            (Current::Same, Some((_, bytes))) => Ok(bytes.clone()),
            (Current::Same, None) => Err(Fault::Refused(304)),
            (Current::New { body, etag }, _) => {
                self.known.remove(name);
                let kept = etag.map(|etag| (name, (etag, body.clone())));
                self.known.extend(kept);
                Ok(body)
            }
        }
    }

    fn failed(&self, name: &str, fault: Fault) -> PolicyKeeperError {
        let url = self.url.of(name);
        PolicyKeeperError::Fetch { url, fault }
    }
}
