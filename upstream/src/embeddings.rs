//! `POST /v1/embeddings`.

use crate::{Kind, UpstreamConfig, UpstreamError, connection, salt::random_salt};
use bytes::Bytes;
use engine::{Embeddings, EngineError, Prompt};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use zeroize::Zeroizing;

const PATH: &str = "/v1/embeddings";
const MAX_ANSWER_BYTES: usize = 256 << 20;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: Vec<Input<'a>>,
    encoding_format: &'static str,
    /// vLLM caches prefixes of texts that are embedded too.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_salt: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Input<'a> {
    Text(&'a str),
    Tokens(&'a [u32]),
}

#[derive(Deserialize)]
struct Answered {
    data: Vec<Vector>,
    usage: Counted,
}

#[derive(Deserialize)]
struct Vector {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: u32,
}

/// The body that asks for the vectors of `texts`, all of one kind.
pub(crate) fn body(
    texts: &[Prompt],
    config: &UpstreamConfig,
) -> Result<Zeroizing<Vec<u8>>, EngineError> {
    let input = texts.iter().map(|text| match text {
        Prompt::Text(text) if !text.is_empty() => Ok(Input::Text(text)),
        Prompt::Tokens(ids) if !ids.is_empty() => Ok(Input::Tokens(ids)),
        Prompt::Chat(_) => Err(EngineError::Unsupported("embeddings of messages")),
        Prompt::Text(_) | Prompt::Tokens(_) => Err(EngineError::BadPrompt),
    });
    let body = Body {
        model: &config.model,
        input: input.collect::<Result<_, _>>()?,
        encoding_format: "float",
        cache_salt: salt(config)?,
    };
    if body.input.is_empty() {
        return Err(EngineError::BadPrompt);
    }
    let body = serde_json::to_vec(&body).map_err(|_| EngineError::BadPrompt)?;
    Ok(Zeroizing::new(body))
}

/// A fresh one for each request: nothing is shared.
fn salt(config: &UpstreamConfig) -> Result<Option<String>, EngineError> {
    match config.kind {
        Kind::Vllm => random_salt().map(Some).map_err(|_| EngineError::Stopped),
        Kind::LlamaCpp | Kind::OpenAi => Ok(None),
    }
}

/// Asks for `count` vectors.
pub(crate) async fn embed(
    config: &UpstreamConfig,
    body: Zeroizing<Vec<u8>>,
    count: usize,
) -> Result<Embeddings, UpstreamError> {
    let request = connection::request(PATH, Bytes::from_owner(body));
    let answered = async {
        let answer = connection::ask(&config.address, request).await?;
        answer.check("application/json")?;
        answer.whole(MAX_ANSWER_BYTES).await
    };
    let answer = timeout(config.patience, answered).await;
    let answer = answer.map_err(|_| UpstreamError::TimedOut)??;
    read(&answer, count)
}

fn read(answer: &[u8], count: usize) -> Result<Embeddings, UpstreamError> {
    let answered: Answered =
        serde_json::from_slice(answer).map_err(|_| UpstreamError::Malformed)?;
    let mut data = answered.data;
    data.sort_by_key(|vector| vector.index);
    let ordered = data
        .iter()
        .enumerate()
        .all(|(at, vector)| vector.index == at);
    if !ordered || data.len() != count {
        return Err(UpstreamError::Malformed);
    }
    let vectors = data.into_iter().map(|vector| unit(vector.embedding));
    Ok(Embeddings {
        vectors: vectors
            .collect::<Option<_>>()
            .ok_or(UpstreamError::Malformed)?,
        prompt_tokens: answered.usage.prompt_tokens,
    })
}

/// The vector at length one; none if it has no direction.
fn unit(vector: Vec<f32>) -> Option<Vec<f32>> {
    let square: f64 = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    let length = square.sqrt();
    #[expect(clippy::cast_possible_truncation, reason = "parts of a unit vector")]
    let scaled = |x: f32| (f64::from(x) / length) as f32;
    (length.is_finite() && length > 0.0).then(|| vector.into_iter().map(scaled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_in_order_and_at_length_one() {
        let answer = br#"{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}],"usage":{"prompt_tokens":7}}"#;
        let embeddings = read(answer, 2).ok().unwrap();
        assert_eq!(embeddings.vectors, [[0.6, 0.8], [0.0, 1.0]]);
        assert_eq!(embeddings.prompt_tokens, 7);
    }

    #[test]
    fn what_is_not_what_was_asked_is_refused() {
        for answer in [
            "{}",
            r#"{"data":[],"usage":{"prompt_tokens":7}}"#,
            r#"{"data":[{"index":1,"embedding":[1]}],"usage":{"prompt_tokens":7}}"#,
            r#"{"data":[{"index":0,"embedding":[0]}],"usage":{"prompt_tokens":7}}"#,
            r#"{"data":[{"index":0,"embedding":[]}],"usage":{"prompt_tokens":7}}"#,
            r#"{"data":[{"index":0,"embedding":[1]}]}"#,
        ] {
            assert!(
                read(answer.as_bytes(), 1).err() == Some(UpstreamError::Malformed),
                "{answer}"
            );
        }
    }
}
