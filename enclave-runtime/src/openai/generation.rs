//! From what was asked to a job for the engine: model, tokens, limits.

use super::{ApiError, Asked, Delivery, Prompt, Sampling};
use engine::{Engine, EngineError, Job, chat::ChatError};

/// A job, and what its answer and receipt need to know. No Debug: the job holds the prompt.
pub(crate) struct Generation {
    pub(crate) job: Job,
    pub(crate) prompt_tokens: u32,
    pub(crate) sampling: Sampling,
    pub(crate) delivery: Delivery,
}

/// Tokenizes and checks the limits. Takes as long as the prompt is long.
pub(crate) fn prepare(asked: Asked, engine: &dyn Engine) -> Result<Generation, ApiError> {
    let card = engine.card();
    if asked.model != card.name {
        return Err(ApiError::model_not_found(&asked.model));
    }
    let prompt = tokens(&asked.prompt, engine)?;
    let prompt_tokens = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
    let max_tokens = answer_limit(asked.max_tokens, prompt_tokens, card.context_tokens)?;
    Ok(Generation {
        job: Job {
            prompt,
            max_tokens,
            sampling: asked.sampling.for_engine(),
            stop: asked.stop.into_iter().map(String::into_bytes).collect(),
        },
        prompt_tokens,
        sampling: asked.sampling,
        delivery: asked.delivery,
    })
}

fn tokens(prompt: &Prompt, engine: &dyn Engine) -> Result<Vec<u32>, ApiError> {
    let (tokens, param) = match prompt {
        Prompt::Chat(messages) => (engine.encode_chat(messages)?, "messages"),
        Prompt::Text(text) => (engine.encode_text(text), "prompt"),
    };
    if tokens.is_empty() {
        return Err(ApiError::empty_prompt(param));
    }
    Ok(tokens)
}

/// What was asked, or all that the context has left.
fn answer_limit(asked: Option<u32>, prompt: u32, context: u32) -> Result<u32, ApiError> {
    let left = context.saturating_sub(prompt);
    let needed = asked.unwrap_or(left).max(1);
    if needed <= left {
        Ok(needed)
    } else {
        let count = |tokens| usize::try_from(tokens).unwrap_or(usize::MAX);
        Err(ApiError::context_length_exceeded(
            count(prompt),
            count(needed),
            count(context),
        ))
    }
}

impl From<ChatError> for ApiError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Template(reason) => Self::template(&reason),
            other => Self::template(&other.to_string()),
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Busy => Self::busy(),
            EngineError::ContextOverflow { prompt, context } => {
                Self::context_length_exceeded(prompt, 1, context)
            }
            EngineError::BadPrompt => Self::empty_prompt("messages"),
            _stopped => Self::engine_failed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_gets_what_is_left_of_the_context() {
        assert_eq!(answer_limit(None, 10, 100).unwrap(), 90);
        assert_eq!(answer_limit(Some(90), 10, 100).unwrap(), 90);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (asked, prompt) in [(Some(91), 10), (None, 100), (None, 101), (Some(1), 100)] {
            let error = answer_limit(asked, prompt, 100).unwrap_err();
            assert_eq!((error.status, error.code), (400, "context_length_exceeded"));
        }
    }

    #[test]
    fn engine_errors_have_their_codes() {
        let code = |error: EngineError| ApiError::from(error).code;
        assert_eq!(code(EngineError::Busy), "engine_busy");
        assert_eq!(code(EngineError::Stopped), "engine_failed");
        assert_eq!(code(EngineError::BadPrompt), "empty_prompt");
        let overflow = EngineError::ContextOverflow {
            prompt: 9,
            context: 8,
        };
        assert_eq!(code(overflow), "context_length_exceeded");
        assert_eq!(
            ApiError::from(ChatError::NoTemplate).code,
            "invalid_messages"
        );
    }
}
