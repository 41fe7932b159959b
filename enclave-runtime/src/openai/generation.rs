//! From what was asked to jobs that the engine has taken.

use super::{
    ApiError, Asked, Delivery, Stated,
    rendering::{Heading, Rendering},
    tools::CallReader,
};
use engine::{CacheSecret, Engine, EngineError, Job, Prompt, Step, TenantId, chat::ChatError};
use tokio::sync::mpsc::Receiver;

/// What an answer and its receipt need to know. No Debug.
pub(crate) struct Generation {
    /// The choices of the first prompt, of the second, ..
    pub(crate) jobs: Vec<Running>,
    pub(crate) choices_per_prompt: usize,
    pub(crate) stated: Stated,
    pub(crate) delivery: Delivery,
    pub(crate) rendering: Box<dyn Rendering>,
}

/// One job under way; dropping it cancels it.
pub(crate) struct Running {
    pub(crate) steps: Receiver<Step>,
    /// Finds the calls in what is said.
    pub(crate) reader: CallReader,
    pub(crate) input: Input,
}

/// What the engine was given, as far as a refusal has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    parameter: &'static str,
    is_tokens: bool,
}

/// For whom the engine works.
pub(crate) struct Client {
    pub(crate) tenant: TenantId,
    pub(crate) cache_secret: Option<CacheSecret>,
}

/// Whether `model` is the one that is served.
pub(crate) fn check_model(model: &str, engine: &dyn Engine) -> Result<(), ApiError> {
    match model == engine.card().name {
        true => Ok(()),
        false => Err(ApiError::model_not_found(model)),
    }
}

/// Hands every choice to `engine`, or none: the jobs of an answer that is not whole are cancelled.
pub(crate) fn submit(
    mut asked: Asked,
    client: &Client,
    heading: Heading,
    engine: &dyn Engine,
) -> Result<Generation, ApiError> {
    check_model(&asked.model, engine)?;
    let prompts = std::mem::take(&mut asked.prompts);
    let choices = asked.choices;
    let count = prompts.len().saturating_mul(choices);
    let every = prompts
        .iter()
        .flat_map(|prompt| (0..choices).map(move |_| prompt));
    let jobs: Result<Vec<_>, _> = (0..)
        .zip(every)
        .map(|(index, prompt)| run(&asked, client, (index, prompt), engine))
        .collect();
    Ok(Generation {
        jobs: jobs?,
        choices_per_prompt: choices,
        stated: asked.sampling.stated,
        delivery: asked.delivery,
        rendering: asked.surface.rendering(heading, count, asked.logprobs),
    })
}

fn run(
    asked: &Asked,
    client: &Client,
    (index, prompt): (u64, &Prompt),
    engine: &dyn Engine,
) -> Result<Running, ApiError> {
    let (grammar, reader) = match &asked.tools {
        Some(tools) => tools.read_by(engine)?,
        None => (asked.grammar.clone(), CallReader::default()),
    };
    let mut job = Job::new(prompt.clone());
    job.max_tokens = asked.max_tokens;
    job.sampling = asked.sampling.for_engine(index);
    job.stop = asked
        .stop
        .iter()
        .map(|stop| stop.clone().into_bytes())
        .collect();
    job.grammar = grammar;
    job.logprobs = asked.logprobs;
    job.cache_secret = client.cache_secret.clone();
    job.tenant = client.tenant;
    let input = Input::of(asked.surface.input(), prompt);
    let steps = engine.submit(job);
    let steps = steps.map_err(|error| input.refused(error))?;
    Ok(Running {
        steps,
        reader,
        input,
    })
}

impl Input {
    /// `prompt`, which came in `parameter`.
    pub(crate) const fn of(parameter: &'static str, prompt: &Prompt) -> Self {
        Self {
            parameter,
            is_tokens: matches!(prompt, Prompt::Tokens(_)),
        }
    }

    /// Why it was not taken.
    pub(crate) fn refused(self, error: EngineError) -> ApiError {
        let input = self.parameter;
        match error {
            EngineError::Busy => ApiError::busy(),
            EngineError::ContextOverflow {
                prompt,
                answer,
                context,
            } => ApiError::context_length_exceeded(prompt, answer, context).about(input),
            EngineError::Chat(ChatError::Template(why)) => ApiError::template(&why).about(input),
            EngineError::Chat(error) => ApiError::template(&error.to_string()).about(input),
            EngineError::BadPrompt if self.is_tokens => ApiError::unknown_token().about(input),
            EngineError::BadPrompt => ApiError::empty_prompt(input),
            EngineError::BadSampling(error) => ApiError::impossible(&error.to_string()),
            EngineError::BadStop(error) => ApiError::impossible(&error.to_string()).about("stop"),
            EngineError::BadGrammar(why) => ApiError::invalid_schema(why),
            EngineError::TooManyTexts { most } => {
                ApiError::invalid(input, &format!("at most {most} texts"))
            }
            EngineError::Unsupported(what) => ApiError::unsupported_by_model(what),
            EngineError::Refused => ApiError::engine_refused(),
            _stopped => ApiError::engine_failed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{sampler::SamplerError, text::StopError};

    #[test]
    fn engine_errors_have_their_codes() {
        let text = Input::of("prompt", &Prompt::text(""));
        let code = |error: EngineError| text.refused(error).code;
        let overflow = EngineError::ContextOverflow {
            prompt: 9,
            answer: 1,
            context: 8,
        };
        for (error, expected) in [
            (EngineError::Busy, "engine_busy"),
            (EngineError::Stopped, "engine_failed"),
            (EngineError::BadPrompt, "empty_prompt"),
            (overflow, "context_length_exceeded"),
            (ChatError::NoTemplate.into(), "invalid_messages"),
            (SamplerError::TopP.into(), "invalid_value"),
            (StopError::Count.into(), "invalid_value"),
            (EngineError::BadGrammar("why"), "invalid_schema"),
            (EngineError::Unsupported("text"), "unsupported_by_model"),
            (EngineError::TooManyTexts { most: 1 }, "invalid_value"),
            (EngineError::Refused, "engine_refused"),
        ] {
            assert_eq!(code(error), expected);
        }
        let tokens = Input::of("prompt", &Prompt::tokens([1]));
        let unknown = tokens.refused(EngineError::BadPrompt);
        assert_eq!(unknown.code, "invalid_value");
    }
}
