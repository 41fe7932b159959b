//! From what was asked to a job for the engine: model, tokens, limits.

use super::{ApiError, Asked, Delivery, Prompt, Sampling};
use engine::{Engine, EngineError, Job, chat::ChatError};

/// A job, and what its answer and receipt need to know. No Debug: the job holds the prompt.
pub(crate) struct Generation {
    pub(crate) job: Job,
    pub(crate) sampling: Sampling,
    pub(crate) delivery: Delivery,
}

/// A job for `engine`, if it serves the model that was asked for.
pub(crate) fn prepare(asked: Asked, engine: &dyn Engine) -> Result<Generation, ApiError> {
    if asked.model != engine.card().name {
        return Err(ApiError::model_not_found(&asked.model));
    }
    let mut job = Job::new(match asked.prompt {
        Prompt::Chat(messages) => engine::Prompt::Chat(messages.into()),
        Prompt::Text(text) => engine::Prompt::text(text),
    });
    job.max_tokens = asked.max_tokens;
    job.sampling = asked.sampling.for_engine();
    job.stop = asked.stop.into_iter().map(String::into_bytes).collect();
    Ok(Generation {
        job,
        sampling: asked.sampling,
        delivery: asked.delivery,
    })
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
            EngineError::ContextOverflow {
                prompt,
                answer,
                context,
            } => Self::context_length_exceeded(prompt, answer, context),
            EngineError::Chat(error) => error.into(),
            EngineError::BadPrompt => Self::empty_prompt("messages"),
            _stopped => Self::engine_failed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_errors_have_their_codes() {
        let code = |error: EngineError| ApiError::from(error).code;
        assert_eq!(code(EngineError::Busy), "engine_busy");
        assert_eq!(code(EngineError::Stopped), "engine_failed");
        assert_eq!(code(EngineError::BadPrompt), "empty_prompt");
        let overflow = EngineError::ContextOverflow {
            prompt: 9,
            answer: 1,
            context: 8,
        };
        assert_eq!(code(overflow), "context_length_exceeded");
        assert_eq!(
            ApiError::from(ChatError::NoTemplate).code,
            "invalid_messages"
        );
    }
}
