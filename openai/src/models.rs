//! `GET /v1/models` and `GET /v1/models/{id}`.

use super::ApiError;
use attestation::UnixTime;
use serde_json::{Value, json};

/// The list of the one model served.
pub fn models(name: &str, since: UnixTime) -> Vec<u8> {
    let list = json!({"object": "list", "data": [entry(name, since)]});
    list.to_string().into_bytes()
}

/// The model called `id`.
pub fn model(id: &str, name: &str, since: UnixTime) -> Result<Vec<u8>, ApiError> {
    if id == name {
        Ok(entry(name, since).to_string().into_bytes())
    } else {
        Err(ApiError::model_not_found(id))
    }
}

fn entry(name: &str, since: UnixTime) -> Value {
    json!({"id": name, "object": "model", "created": since.0, "owned_by": "narthex"})
}
