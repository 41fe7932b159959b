//! Gets the files of a publication from where they are.

use super::{PolicyKeeperError, PolicySource, PolicyUrl, succession::Offer};
use crate::{
    FileError,
    collateral::{Current, Fault, Transport},
    file,
};
use policy::{
    publication::{Files, INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP},
    signature::MAX_ENVELOPE_BYTES,
};
use std::{collections::HashMap, fmt, path::Path, time::Duration};

/// For each file of an address.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Largest log of roots or orders, and largest inventory, in bytes.
const MAX_LARGE_FILE_BYTES: usize = 32 * 1024 * 1024;

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
            (PolicySource::File(path), _) => Files {
                policy: Some(file::read_public(path, MAX_ENVELOPE_BYTES)?),
                ..Files::default()
            },
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

/// The policy last: it must be there, the others may be absent.
fn read_folder(folder: &Path) -> Result<Files, FileError> {
    let optional = |name| {
        let read = file::read_public(&folder.join(name), max_bytes(name));
        match read {
            Err(error) if error.is_absent() => Ok(None),
            read => read.map(Some),
        }
    };
    Ok(Files {
        roots: optional(ROOTS)?,
        inventory: optional(INVENTORY)?,
        orders: optional(ORDERS)?,
        timestamp: optional(TIMESTAMP)?,
        policy: Some(file::read_public(&folder.join(POLICY), max_bytes(POLICY))?),
    })
}

fn max_bytes(name: &str) -> usize {
    match name {
        POLICY | TIMESTAMP => MAX_ENVELOPE_BYTES,
        _ => MAX_LARGE_FILE_BYTES,
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
        Ok(Files {
            roots: self.optional(ROOTS).await?,
            inventory: self.optional(INVENTORY).await?,
            orders: self.optional(ORDERS).await?,
            timestamp: self.optional(TIMESTAMP).await?,
            policy: Some(
                self.file(POLICY)
                    .await
                    .map_err(|fault| self.failed(POLICY, fault))?,
            ),
        })
    }

    async fn optional(&mut self, name: &'static str) -> Result<Option<Vec<u8>>, PolicyKeeperError> {
        match self.file(name).await {
            Err(Fault::NotFound) => Ok(None),
            Err(fault) => Err(self.failed(name, fault)),
            Ok(bytes) => Ok(Some(bytes)),
        }
    }

    async fn file(&mut self, name: &'static str) -> Result<Vec<u8>, Fault> {
        let url = self.url.of(name);
        let known = self.known.get(name);
        let etag = known.map(|(etag, _)| etag.as_str());
        let current = self.transport.get(&url, etag, max_bytes(name)).await?;
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
