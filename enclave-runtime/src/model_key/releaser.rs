//! `narthex-releaser`'s protocol: a nonce, evidence that answers it, the key sealed to what the evidence binds.

use super::{Asker, ModelKeyError, Wanted};
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use protocol::{
    key_release::{
        KEY_REQUEST_MEDIA_TYPE, KeyRecipient, KeyRequest, ReleaseStatement, SEALED_KEY_MEDIA_TYPE,
    },
    secret::KeptSecret,
};
use provision::Https;
use std::sync::Arc;

const CHALLENGE: &str = "/narthex/v1/model-key/challenge";
const RELEASE: &str = "/narthex/v1/model-key/release";
/// Largest answer: a sealed key or a problem document.
const MAX_ANSWER_BYTES: usize = 4096;

/// Asks once, with an identity and a key of its own.
pub(super) async fn ask(
    https: &Https,
    address: &str,
    asker: &Arc<Asker>,
    wanted: Wanted,
) -> Result<Box<dyn KeptSecret>, ModelKeyError> {
    let answer = post(https, &format!("{address}{CHALLENGE}"), "", Vec::new()).await?;
    let nonce = <[u8; 32]>::try_from(&*answer.into_body());
    let nonce = attestation::Nonce(nonce.map_err(|_| ModelKeyError::Challenge)?);
    let proving = Arc::clone(asker);
    // A platform may take its time for a quote.
    let proved = tokio::task::spawn_blocking(move || prove(&proving, nonce, wanted)).await;
    let (recipient, request, statement) = proved.map_err(|_| ModelKeyError::BrokenOff)??;
    let url = format!("{address}{RELEASE}");
    let answer = post(https, &url, KEY_REQUEST_MEDIA_TYPE, request.to_cbor()).await?;
    check_media_type(&answer)?;
    Ok(recipient.open(&statement, answer.body(), asker.memory())?)
}

/// Someone to seal the key to, the request with its evidence, and what the answer must have been sealed for.
fn prove(
    asker: &Asker,
    nonce: attestation::Nonce,
    wanted: Wanted,
) -> Result<(KeyRecipient, KeyRequest, ReleaseStatement), ModelKeyError> {
    let recipient = asker.recipient();
    let (bundle, binding_id) = asker.bundle(&recipient, &nonce)?;
    let request = KeyRequest {
        nonce,
        key_id: wanted.key_id,
        model: wanted.model,
        evidence: bundle.to_cbor(),
    };
    let statement = ReleaseStatement {
        nonce,
        binding_id,
        key_id: wanted.key_id,
        model: wanted.model,
    };
    Ok((recipient, request, statement))
}

async fn post(
    https: &Https,
    url: &str,
    media_type: &str,
    body: Vec<u8>,
) -> Result<Response<Bytes>, ModelKeyError> {
    let mut request = Request::post(url);
    if !media_type.is_empty() {
        request = request.header(CONTENT_TYPE, media_type);
    }
    let request = request.body(Bytes::from(body));
    let request = request.map_err(|_| ModelKeyError::Address)?;
    let answer = https.send(request, MAX_ANSWER_BYTES).await?;
    match answer.status().as_u16() {
        200 => Ok(answer),
        status => Err(ModelKeyError::Refused {
            status,
            code: problem_code(answer.body()),
        }),
    }
}

fn check_media_type(answer: &Response<Bytes>) -> Result<(), ModelKeyError> {
    let named = answer.headers().get(CONTENT_TYPE);
    match named.is_some_and(|named| named == SEALED_KEY_MEDIA_TYPE) {
        true => Ok(()),
        false => Err(ModelKeyError::Refused {
            status: 200,
            code: None,
        }),
    }
}

/// The code of a problem document, if it looks like one of ours: the rest of an answer is not repeated in a log.
fn problem_code(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = problem.get("code")?.as_str()?;
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'.' | b'_');
    (code.len() <= 64 && code.bytes().all(allowed)).then(|| code.to_owned())
}
