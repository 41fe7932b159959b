//! A job as the server is asked it: OpenAI's fields, and beyond them only what [`Kind`] is known to understand.

use crate::{Kind, UpstreamConfig, salt::salt};
use engine::{
    EngineError, Grammar, Job, Prompt, Sampling,
    chat::{Chat, Message},
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const TEXT: &str = "/v1/completions";

/// What is posted where. No Debug: it is the prompt. Wiped when dropped.
pub(crate) struct Asked {
    pub(crate) path: &'static str,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(flatten)]
    prompt: Input<'a>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Box<RawValue>>,
    #[serde(flatten)]
    logprobs: Option<Logprobs>,
    #[serde(flatten)]
    sampling: Chosen,
    #[serde(flatten)]
    cache: Cache,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Input<'a> {
    Chat {
        messages: Vec<Said<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tools: Option<&'a RawValue>,
    },
    Text {
        prompt: &'a str,
    },
    Tokens {
        prompt: &'a [u32],
    },
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'a str,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Logprobs {
    Chat { logprobs: bool, top_logprobs: u8 },
    Text { logprobs: u8 },
}

#[derive(Serialize)]
struct Chosen {
    temperature: f32,
    top_p: f32,
    seed: u64,
    frequency_penalty: f32,
    presence_penalty: f32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    logit_bias: BTreeMap<String, f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_p: Option<f32>,
}

/// How the server's own cache is kept apart.
#[derive(Serialize)]
#[serde(untagged)]
enum Cache {
    Salted { cache_salt: String },
    Unused { cache_prompt: bool },
    Absent {},
}

/// The request for `job`, or why this kind of server cannot be asked it.
pub(crate) fn asked(job: &Job, config: &UpstreamConfig) -> Result<Asked, EngineError> {
    let path = match job.prompt {
        Prompt::Chat(_) => CHAT,
        Prompt::Text(_) | Prompt::Tokens(_) => TEXT,
    };
    let body = Body {
        model: &config.model,
        prompt: input(&job.prompt)?,
        stream: true,
        stream_options: StreamOptions {
            include_usage: true,
        },
        max_tokens: job.max_tokens,
        stop: stop(job)?,
        response_format: job.grammar.as_ref().map(response_format).transpose()?,
        logprobs: job.logprobs.map(|count| logprobs(path, count)),
        sampling: chosen(&job.sampling, config.kind)?,
        cache: cache(job, config.kind)?,
    };
    let body = serde_json::to_vec(&body).map_err(|_| EngineError::BadPrompt)?;
    Ok(Asked {
        path,
        body: Zeroizing::new(body),
    })
}

fn input(prompt: &Prompt) -> Result<Input<'_>, EngineError> {
    match prompt {
        Prompt::Chat(chat) => chat_input(chat),
        Prompt::Text(text) if text.is_empty() => Err(EngineError::BadPrompt),
        Prompt::Text(text) => Ok(Input::Text { prompt: text }),
        Prompt::Tokens(ids) if ids.is_empty() => Err(EngineError::BadPrompt),
        Prompt::Tokens(ids) => Ok(Input::Tokens { prompt: ids }),
    }
}

fn chat_input(chat: &Chat) -> Result<Input<'_>, EngineError> {
    let messages = chat.messages.iter().map(said);
    Ok(Input::Chat {
        messages: messages.collect::<Result<_, _>>()?,
        tools: chat.tools.as_ref().map(|tools| raw(tools)).transpose()?,
    })
}

fn said(message: &Message) -> Result<Said<'_>, EngineError> {
    Ok(Said {
        role: &message.role,
        content: &message.content,
        tool_calls: message.tool_calls.as_deref().map(raw).transpose()?,
        tool_call_id: message.tool_call_id.as_deref(),
    })
}

/// JSON that was handed over as text.
fn raw(json: &str) -> Result<&RawValue, EngineError> {
    serde_json::from_str(json).map_err(|_| EngineError::BadPrompt)
}

fn stop(job: &Job) -> Result<Vec<&str>, EngineError> {
    let text = |bytes: &'_ Vec<u8>| str::from_utf8(bytes.as_slice()).ok().map(|_| ());
    if job.stop.iter().any(|bytes| text(bytes).is_none()) {
        return Err(EngineError::Unsupported("stop strings that are not UTF-8"));
    }
    let texts = job
        .stop
        .iter()
        .filter_map(|bytes| str::from_utf8(bytes).ok());
    Ok(texts.collect())
}

fn response_format(grammar: &Grammar) -> Result<Box<RawValue>, EngineError> {
    #[derive(Serialize)]
    struct Format<'a> {
        r#type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        json_schema: Option<Schema<'a>>,
    }
    #[derive(Serialize)]
    struct Schema<'a> {
        name: &'static str,
        strict: bool,
        schema: &'a RawValue,
    }
    let malformed = EngineError::BadGrammar("the schema is not JSON");
    let format = match grammar {
        Grammar::JsonObject => Format {
            r#type: "json_object",
            json_schema: None,
        },
        Grammar::JsonSchema(schema) => Format {
            r#type: "json_schema",
            json_schema: Some(Schema {
                name: "answer",
                strict: true,
                schema: serde_json::from_str(schema).map_err(|_| malformed.clone())?,
            }),
        },
        Grammar::Lark(_) => return Err(EngineError::Unsupported("grammars other than JSON's")),
    };
    to_raw_value(&format).map_err(|_| malformed)
}

fn logprobs(path: &str, count: u8) -> Logprobs {
    if path == CHAT {
        Logprobs::Chat {
            logprobs: true,
            top_logprobs: count,
        }
    } else {
        Logprobs::Text { logprobs: count }
    }
}

fn chosen(sampling: &Sampling, kind: Kind) -> Result<Chosen, EngineError> {
    if kind == Kind::OpenAi && (sampling.top_k > 0 || sampling.min_p > 0.0) {
        return Err(EngineError::Unsupported("top_k and min_p"));
    }
    let bias = sampling.logit_bias.iter();
    Ok(Chosen {
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        seed: seed(sampling.seed, kind),
        frequency_penalty: sampling.frequency_penalty,
        presence_penalty: sampling.presence_penalty,
        logit_bias: bias.map(|(id, bias)| (id.to_string(), *bias)).collect(),
        top_k: (sampling.top_k > 0).then_some(sampling.top_k),
        min_p: (sampling.min_p > 0.0).then_some(sampling.min_p),
    })
}

/// Seeds as wide as the server takes them.
fn seed(seed: u64, kind: Kind) -> u64 {
    match kind {
        Kind::LlamaCpp => seed & u64::from(u32::MAX),
        Kind::Vllm | Kind::OpenAi => seed & (u64::MAX >> 1),
    }
}

fn cache(job: &Job, kind: Kind) -> Result<Cache, EngineError> {
    Ok(match kind {
        Kind::Vllm => Cache::Salted {
            cache_salt: salt(job).map_err(|_| EngineError::Stopped)?,
        },
        Kind::LlamaCpp => Cache::Unused {
            cache_prompt: false,
        },
        Kind::OpenAi => Cache::Absent {},
    })
}

#[cfg(test)]
mod tests;
