//! From what was asked to jobs that the engine has taken.

use super::{
    ApiError, Asked, Delivery, Stated,
    rendering::{Heading, Rendering},
    tools::CallReader,
};
use engine::{CacheSecret, Engine, EngineError, Job, Prompt, Step, TenantId, chat::ChatError};
use tokio::sync::mpsc::Receiver;

/// What an answer and its receipt need to know. No Debug.
pub struct Generation {
    /// The choices of the first prompt, of the second, ..
    pub jobs: Vec<Running>,
    /// How many choices each prompt has.
    pub choices_per_prompt: usize,
    /// The sampling that a receipt states.
    pub stated: Stated,
    /// How the answer travels.
    pub delivery: Delivery,
    /// What it looks like.
    pub rendering: Box<dyn Rendering>,
}

/// One job under way; dropping it cancels it.
pub struct Running {
    /// What the engine makes.
    pub steps: Receiver<Step>,
    /// Finds the calls in what is said.
    pub reader: CallReader,
    /// What it was made of.
    pub input: Input,
}

/// What the engine was given, as far as a refusal has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    parameter: &'static str,
    is_tokens: bool,
}

/// For whom the engine works.
pub struct Client {
    /// Whose turn it takes.
    pub tenant: TenantId,
    /// With whom computed prefixes may be shared.
    pub cache_secret: Option<CacheSecret>,
}

/// Whether `model` is the one that is served.
pub fn check_model(model: &str, engine: &dyn Engine) -> Result<(), ApiError> {
    match model == engine.card().name {
        true => Ok(()),
        false => Err(ApiError::model_not_found(model)),
    }
}

/// Hands every choice to `engine`, or none: the jobs of an answer that is not whole are cancelled.
pub fn submit(
    mut asked: Asked,
    client: &Client,
    heading: Heading,
    engine: &dyn Engine,
) -> Result<Generation, ApiError> {
    check_model(&asked.model, engine)?;
    let (choices, count) = (
        asked.choices,
        asked.prompts.len().saturating_mul(asked.choices),
    );
    let jobs = jobs(&asked, engine)?.into_iter();
    let jobs: Result<Vec<_>, _> = jobs.map(|job| job.run(client, engine)).collect();
    asked.prompts.clear();
    Ok(Generation {
        jobs: jobs?,
        choices_per_prompt: choices,
        stated: asked.sampling.stated,
        delivery: asked.delivery,
        rendering: asked.surface.rendering(heading, count, asked.logprobs),
    })
}

/// One choice that is not under way yet. No Debug.
pub(crate) struct Choice {
    pub(crate) job: Job,
    reader: CallReader,
    input: Input,
}

/// The choices of the first prompt, of the second, ..
pub(crate) fn jobs(asked: &Asked, engine: &dyn Engine) -> Result<Vec<Choice>, ApiError> {
    let choices = asked.choices;
    let every = asked.prompts.iter();
    let every = every.flat_map(|prompt| (0..choices).map(move |_| prompt));
    let numbered = (0..).zip(every);
    numbered
        .map(|(index, prompt)| choice(asked, (index, prompt), engine))
        .collect()
}

fn choice(
    asked: &Asked,
    (index, prompt): (u64, &Prompt),
    engine: &dyn Engine,
) -> Result<Choice, ApiError> {
    let (grammar, reader) = match &asked.tools {
        Some(tools) => tools.read_by(engine)?,
        None => (asked.grammar.clone(), CallReader::default()),
    };
    let mut job = Job::new(prompt.clone());
    job.max_tokens = asked.max_tokens;
    job.sampling = asked.sampling.for_engine(index);
    let stop = asked.stop.iter();
    job.stop = stop.map(|stop| stop.clone().into_bytes()).collect();
    job.grammar = grammar;
    job.logprobs = asked.logprobs;
    Ok(Choice {
        job,
        reader,
        input: Input::of(asked.surface.input(), prompt),
    })
}

impl Choice {
    fn run(mut self, client: &Client, engine: &dyn Engine) -> Result<Running, ApiError> {
        self.job.cache_secret = client.cache_secret.clone();
        self.job.tenant = client.tenant;
        let steps = engine.submit(self.job);
        let steps = steps.map_err(|error| self.input.refused(error))?;
        Ok(Running {
            steps,
            reader: self.reader,
            input: self.input,
        })
    }
}

impl Input {
    /// `prompt`, which came in `parameter`.
    pub const fn of(parameter: &'static str, prompt: &Prompt) -> Self {
        Self {
            parameter,
            is_tokens: matches!(prompt, Prompt::Tokens(_)),
        }
    }

    /// Why it was not taken.
    pub fn refused(self, error: EngineError) -> ApiError {
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
