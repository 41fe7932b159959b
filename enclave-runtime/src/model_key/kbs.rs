//! Trustee's key broker, protocol 0.4.0 (confidential-containers, "KBS Attestation Protocol"): request, challenge, attestation, and the
//! resource as a JWE to a key that the evidence binds. Written from the document; **not run against the service**. TDX guests only: what
//! the service reads of SNP is another crate's own serialization.

use super::{
    Asker, ModelKeyError,
    jwe::{self, PublicKey, Recipient},
};
use attestation::{CpuEvidence, ForeignReportData};
use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Request, Response,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, SET_COOKIE},
};
use protocol::{
    key_release::MODEL_KEY_BYTES,
    secret::{KeptSecret, SecretMemory},
};
use provision::Https;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const VERSION: &str = "0.4.0";
const TEE: &str = "tdx";
const SESSION: &str = "kbs-session-id";
/// Largest answer: a token with the results of an attestation is the largest.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// Longest nonce and session, in bytes.
const MAX_WORD_BYTES: usize = 1024;
const JSON: &str = "application/json";

/// Where a key lies in a key broker: `REPOSITORY/TYPE/TAG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbsResource(String);

impl KbsResource {
    /// Parses; each part is 1 to 64 of `a-z A-Z 0-9 - _ .`, and not dots alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_part = |part: &str| {
            let is_word = (1..=64).contains(&part.len()) && part.bytes().all(allowed);
            is_word && part.bytes().any(|byte| byte != b'.')
        };
        let parts: Vec<&str> = text.split('/').collect();
        let is_path = parts.len() == 3 && parts.iter().all(|part| is_part(part));
        is_path.then(|| Self(text.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One session with a key broker.
struct Session<'a> {
    https: &'a Https,
    address: &'a str,
    cookie: Option<HeaderValue>,
}

/// What the key broker wants evidence to carry; `extra-params` are other TEEs'.
#[derive(Deserialize)]
struct Challenge {
    nonce: String,
}

/// Asks once, with a key of its own.
pub(super) async fn ask(
    https: &Https,
    address: &str,
    asker: &Arc<Asker>,
    resource: &KbsResource,
) -> Result<Box<dyn KeptSecret>, ModelKeyError> {
    let mut session = Session {
        https,
        address,
        cookie: None,
    };
    let nonce = session.challenge().await?;
    let recipient = Recipient::generate().ok_or(ModelKeyError::Jwe("no randomness"))?;
    let key = recipient.public().ok_or(ModelKeyError::Jwe("tee-pubkey"))?;
    let proving = Arc::clone(asker);
    let proved = tokio::task::spawn_blocking(move || attestation(&proving, &nonce, &key)).await;
    let attestation = proved.map_err(|_| ModelKeyError::BrokenOff)??;
    session.post("attest", &attestation).await?;
    let answer = session.get(resource).await?;
    let key = recipient.open(answer.body())?;
    match key.len() == MODEL_KEY_BYTES {
        true => Ok(asker.memory().keep(&key)),
        false => Err(ModelKeyError::Length),
    }
}

impl Session<'_> {
    async fn challenge(&mut self) -> Result<String, ModelKeyError> {
        let request = json!({"version": VERSION, "tee": TEE, "extra-params": {}});
        let answer = self.post("auth", &request).await?;
        let challenge: Challenge =
            serde_json::from_slice(answer.body()).map_err(|_| ModelKeyError::Challenge)?;
        let is_word = (1..=MAX_WORD_BYTES).contains(&challenge.nonce.len());
        match is_word && self.cookie.is_some() {
            true => Ok(challenge.nonce),
            false => Err(ModelKeyError::Challenge),
        }
    }

    async fn post(&mut self, step: &str, body: &Value) -> Result<Response<Bytes>, ModelKeyError> {
        let url = format!("{}/kbs/v0/{step}", self.address);
        let request = Request::post(url).header(CONTENT_TYPE, JSON);
        self.send(request, body.to_string().into()).await
    }

    async fn get(&mut self, resource: &KbsResource) -> Result<Response<Bytes>, ModelKeyError> {
        let url = format!("{}/kbs/v0/resource/{}", self.address, resource.0);
        self.send(Request::get(url), Bytes::new()).await
    }

    /// Sends with the session, and keeps the one that comes back.
    async fn send(
        &mut self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Response<Bytes>, ModelKeyError> {
        let mut request = request.header(ACCEPT, JSON);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(body).map_err(|_| ModelKeyError::Address)?;
        let answer = self.https.send(request, MAX_ANSWER_BYTES).await?;
        if answer.status().as_u16() != 200 {
            return Err(ModelKeyError::Refused {
                status: answer.status().as_u16(),
                code: None,
            });
        }
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        if let Some(session) = cookies.filter_map(session_of).next() {
            self.cookie = Some(session);
        }
        Ok(answer)
    }
}

/// The session of a Set-Cookie header, as it goes back: name and value, without attributes.
fn session_of(cookie: &HeaderValue) -> Option<HeaderValue> {
    let pair = cookie.to_str().ok()?.split(';').next()?.trim();
    let (name, value) = pair.split_once('=')?;
    let is_session = name == SESSION && (1..=MAX_WORD_BYTES).contains(&value.len());
    is_session.then(|| HeaderValue::from_str(pair).ok())?
}

/// The payload of `attest`: the key, the nonce, and evidence over both.
fn attestation(asker: &Asker, nonce: &str, key: &PublicKey) -> Result<Value, ModelKeyError> {
    let bound = ForeignReportData(sha384(runtime_data(nonce, key).as_bytes()));
    let evidence = match asker.provider().foreign_evidence(&bound)? {
        CpuEvidence::Tdx(evidence) => evidence,
        _ => return Err(ModelKeyError::Tee),
    };
    let log = evidence.event_log.map(|log| BASE64_STANDARD.encode(log));
    Ok(json!({
        "runtime-data": {"nonce": nonce, "tee-pubkey": jwk(key)},
        "tee-evidence": {
            "primary_evidence": {
                "cc_eventlog": log,
                "quote": BASE64_STANDARD.encode(evidence.quote),
            },
            "additional_evidence": "",
        },
    }))
}

fn jwk(key: &PublicKey) -> Value {
    json!({"alg": jwe::ALG, "crv": "P-256", "kty": "EC", "x": key.x, "y": key.y})
}

/// What the evidence carries the digest of. The service builds the same JSON, whose members it sorts: they are written here in that order,
/// whatever order a map has.
fn runtime_data(nonce: &str, key: &PublicKey) -> String {
    let PublicKey { x, y } = key;
    format!(
        r#"{{"additional-evidence":"","nonce":{},"tee-pubkey":{{"alg":"{}","crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}}}"#,
        Value::from(nonce),
        jwe::ALG,
    )
}

fn sha384(data: &[u8]) -> [u8; 48] {
    let mut bytes = [0; 48];
    let digest = digest::digest(&digest::SHA384, data);
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests;
