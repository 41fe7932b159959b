//! What the gateway hands out of its policy, as it came: unverified.

use crate::{ClientError, Gateway, transport::Transport};
use policy::publication::{Files, INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP};

/// Where a gateway hands out its publication.
const PATH: &str = "/narthex/v1/policy/";
/// The largest of them is an inventory of 16 MiB in base64.
const MAX_FILE_BYTES: usize = 32 * 1024 * 1024;
/// For error messages.
const WHAT: &str = "its policy";

/// What `gateway` hands out, for a client that has no policy yet.
pub(crate) async fn publication(gateway: &Gateway) -> Result<Files, ClientError> {
    Transport::new(gateway)?.publication().await
}

impl Transport {
    /// Every file that there is.
    pub(crate) async fn publication(&self) -> Result<Files, ClientError> {
        Ok(Files {
            roots: self.published(ROOTS).await?,
            policy: self.published(POLICY).await?,
            inventory: self.published(INVENTORY).await?,
            orders: self.published(ORDERS).await?,
            timestamp: self.published(TIMESTAMP).await?,
        })
    }

    async fn published(&self, name: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let path = format!("{PATH}{name}");
        let file = self.fetch(WHAT, &path, MAX_FILE_BYTES).await?;
        Ok(file.map(Vec::from))
    }
}
