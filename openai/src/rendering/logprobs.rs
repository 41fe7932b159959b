//! Log-probabilities of tokens, as the API's routes write them.

use super::with;
use engine::{Logprob, TokenLogprobs};
use serde_json::{Map, Value, json};

/// As chats and responses have them: each token with its alternatives. A token that is not whole characters is told by its bytes.
pub(crate) fn content(tokens: &[TokenLogprobs]) -> Value {
    let entries = tokens.iter().map(|token| {
        let top: Vec<Value> = token.top.iter().map(entry_of).collect();
        with(entry_of(&token.chosen), json!({"top_logprobs": top}))
    });
    entries.collect()
}

fn entry_of(token: &Logprob) -> Value {
    json!({
        "token": String::from_utf8_lossy(&token.bytes),
        "logprob": finite(token.logprob),
        "bytes": token.bytes,
    })
}

/// As texts have them: columns. `offset` is where the first token begins, in characters of the answer's text.
pub(super) fn columns(tokens: &[TokenLogprobs], offset: &mut usize) -> Value {
    let mut offsets = Vec::new();
    for token in tokens {
        offsets.push(*offset);
        *offset = offset.saturating_add(name(&token.chosen).chars().count());
    }
    let chosen = tokens.iter().map(|token| &token.chosen);
    json!({
        "tokens": chosen.clone().map(name).collect::<Vec<_>>(),
        "token_logprobs": chosen.map(|token| finite(token.logprob)).collect::<Vec<_>>(),
        "top_logprobs": tokens.iter().map(alternatives).collect::<Vec<_>>(),
        "text_offset": offsets,
    })
}

/// The likeliest, and the token itself where it is none of them.
fn alternatives(token: &TokenLogprobs) -> Value {
    let all = token.top.iter().chain([&token.chosen]);
    let entries = all.map(|token| (name(token), json!(finite(token.logprob))));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// The text of a token; the bytes of one that is not whole characters, as OpenAI's API writes them.
fn name(token: &Logprob) -> String {
    match str::from_utf8(&token.bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let bytes = token.bytes.iter().map(|byte| format!("\\x{byte:02x}"));
            format!("bytes:{}", bytes.collect::<String>())
        }
    }
}

/// JSON has no infinity: OpenAI's API says -9999 for what cannot be.
fn finite(logprob: f32) -> f32 {
    match logprob.is_finite() {
        true => logprob,
        false => -9999.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(bytes: &[u8], logprob: f32) -> Logprob {
        Logprob {
            bytes: bytes.to_vec(),
            logprob,
        }
    }

    fn told() -> Vec<TokenLogprobs> {
        let a = token(b"a", -0.5);
        let half = token(&[0xc3], f32::NEG_INFINITY);
        vec![
            TokenLogprobs {
                chosen: a.clone(),
                top: vec![a.clone(), half.clone()],
            },
            TokenLogprobs {
                chosen: half,
                top: vec![a],
            },
        ]
    }

    #[test]
    fn a_chat_tells_bytes() {
        let told = content(&told());
        assert_eq!(told[0]["token"], "a");
        assert_eq!(told[0]["logprob"], -0.5);
        assert_eq!(told[0]["bytes"], json!([97]));
        assert_eq!(told[0]["top_logprobs"][1]["bytes"], json!([0xc3]));
        assert_eq!(told[1]["token"], "\u{fffd}");
        assert_eq!(told[1]["logprob"], -9999.0);
    }

    #[test]
    fn a_text_tells_columns() {
        let mut offset = 5;
        let told = columns(&told(), &mut offset);
        assert_eq!(told["tokens"], json!(["a", "bytes:\\xc3"]));
        assert_eq!(told["token_logprobs"], json!([-0.5, -9999.0]));
        assert_eq!(
            told["top_logprobs"][1],
            json!({"a": -0.5, "bytes:\\xc3": -9999.0})
        );
        assert_eq!(told["text_offset"], json!([5, 6]));
        assert_eq!(offset, 16);
    }
}
