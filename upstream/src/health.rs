//! Whether the server is there, is ready, and serves the model.

use crate::{Kind, UpstreamConfig, UpstreamError, connection};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two looks while it starts.
const STARTING: Duration = Duration::from_millis(250);
const MAX_LIST_BYTES: usize = 1 << 20;
const MODELS: &str = "/v1/models";

/// Waits until it is ready and lists the model.
pub(crate) async fn ready(config: &UpstreamConfig) -> Result<(), UpstreamError> {
    let deadline = Instant::now() + config.patience;
    while let Err(error) = probe(config).await {
        if Instant::now() >= deadline || !may_pass(&error) {
            return Err(error);
        }
        sleep(STARTING).await;
    }
    lists_the_model(config).await
}

/// Whether it says that it is well.
pub(crate) async fn probe(config: &UpstreamConfig) -> Result<(), UpstreamError> {
    let path = match config.kind {
        Kind::Vllm | Kind::LlamaCpp => "/health",
        Kind::OpenAi => MODELS,
    };
    let asked = connection::ask(&config.address, connection::request(path, None));
    let answer = timeout(PROBE_TIMEOUT, asked).await;
    let answer = answer.map_err(|_| UpstreamError::TimedOut)??;
    match answer.response.status().as_u16() {
        200 => Ok(()),
        status => Err(UpstreamError::Status(status)),
    }
}

/// What a server that starts does for a while.
const fn may_pass(error: &UpstreamError) -> bool {
    matches!(
        error,
        UpstreamError::Unreachable(_)
            | UpstreamError::TimedOut
            | UpstreamError::Truncated
            | UpstreamError::Status(503)
    )
}

async fn lists_the_model(config: &UpstreamConfig) -> Result<(), UpstreamError> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        id: String,
    }
    let listed = async {
        let request = connection::request(MODELS, None);
        let answer = connection::ask(&config.address, request).await?;
        answer.check("application/json")?;
        answer.whole(MAX_LIST_BYTES).await
    };
    let body = timeout(PROBE_TIMEOUT, listed).await;
    let body = body.map_err(|_| UpstreamError::TimedOut)??;
    let list: List = serde_json::from_slice(&body).map_err(|_| UpstreamError::Malformed)?;
    let found = list.data.iter().any(|listed| listed.id == config.model);
    found.then_some(()).ok_or(UpstreamError::NoModel)
}
