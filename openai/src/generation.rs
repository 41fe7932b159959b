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
    let mut jobs = Vec::with_capacity(count);
    for choices in all_choices(&asked, engine)? {
        jobs.extend(choices.run(client, engine)?);
    }
    asked.prompts.clear();
    Ok(Generation {
        jobs,
        choices_per_prompt: choices,
        stated: asked.sampling.stated,
        delivery: asked.delivery,
        rendering: asked.surface.rendering(heading, count, asked.logprobs),
    })
}

/// The choices of one prompt that are not under way yet: the same job under several seeds. No Debug.
pub(crate) struct Choices {
    job: Job,
    seeds: Vec<u64>,
    readers: Vec<CallReader>,
    input: Input,
}

/// The choices of each prompt.
pub(crate) fn all_choices(asked: &Asked, engine: &dyn Engine) -> Result<Vec<Choices>, ApiError> {
    let firsts = (0u64..).step_by(asked.choices.max(1));
    let prompts = firsts.zip(&asked.prompts);
    prompts
        .map(|(first, prompt)| choices(asked, (first, prompt), engine))
        .collect()
}

/// The choices of `prompt`, of which `first` is the index of the first.
fn choices(
    asked: &Asked,
    (first, prompt): (u64, &Prompt),
    engine: &dyn Engine,
) -> Result<Choices, ApiError> {
    let (grammar, reader) = match &asked.tools {
        Some(tools) => tools.read_by(engine)?,
        None => (asked.grammar.clone(), CallReader::default()),
    };
    let mut job = Job::new(prompt.clone());
    job.max_tokens = asked.max_tokens;
    job.sampling = asked.sampling.for_engine(first);
    let stop = asked.stop.iter();
    job.stop = stop.map(|stop| stop.clone().into_bytes()).collect();
    job.grammar = grammar;
    job.logprobs = asked.logprobs;
    let indices = (first..).take(asked.choices);
    Ok(Choices {
        job,
        seeds: indices
            .map(|index| asked.sampling.for_engine(index).seed)
            .collect(),
        readers: vec![reader; asked.choices],
        input: Input::of(asked.surface.input(), prompt),
    })
}

impl Choices {
    /// Hands all of them to `engine` at once.
    fn run(mut self, client: &Client, engine: &dyn Engine) -> Result<Vec<Running>, ApiError> {
        self.job.cache_secret = client.cache_secret.clone();
        self.job.tenant = client.tenant;
        let input = self.input;
        let running = engine.submit_choices(self.job, &self.seeds);
        let running = running.map_err(|error| input.refused(error))?;
        let running = running.into_iter().zip(self.readers);
        let running = running.map(|(steps, reader)| Running {
            steps,
            reader,
            input,
        });
        Ok(running.collect())
    }

    /// One job for each.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = Job> {
        self.seeds.iter().map(|seed| self.job.with_seed(*seed))
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
            EngineError::PromptTooLong { context } => {
                ApiError::prompt_too_long(context).about(input)
            }
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
    use crate::Route;
    use engine::{ModelCard, sampler::SamplerError, text::StopError};
    use std::sync::Mutex;

    /// Notes which seeds it is asked for together.
    struct Asking(ModelCard, Mutex<Vec<Vec<u64>>>);

    impl Engine for Asking {
        fn submit(&self, _: Job) -> Result<Receiver<Step>, EngineError> {
            Err(EngineError::Stopped)
        }

        fn submit_choices(
            &self,
            _: Job,
            seeds: &[u64],
        ) -> Result<Vec<Receiver<Step>>, EngineError> {
            self.1.lock().unwrap().push(seeds.to_vec());
            let steps = seeds.iter().map(|_| tokio::sync::mpsc::channel(1).1);
            Ok(steps.collect())
        }

        fn capacity(&self) -> usize {
            0
        }

        fn card(&self) -> &ModelCard {
            &self.0
        }
    }

    #[test]
    fn choices_of_a_prompt_are_asked_for_together() {
        let card = ModelCard {
            name: "m".to_owned(),
            model_digest: [0; 32],
            tokenizer_digest: [0; 32],
            template_digest: [0; 32],
            kernels_digest: [0; 32],
            mode: "cpu/asking".into(),
            isa: "-",
            context_tokens: 8,
        };
        let engine = Asking(card, Mutex::default());
        let Ok(Route::Completion(completion)) = Route::find("POST", "/v1/completions") else {
            unreachable!("the route is there");
        };
        let body = br#"{"model":"m","prompt":["a","b"],"n":3,"seed":5}"#;
        let asked = completion.read(body).ok().unwrap();
        let client = Client {
            tenant: TenantId::default(),
            cache_secret: None,
        };
        let heading = Heading {
            request_id: [0; 16],
            created: attestation::UnixTime(0),
            model: "m".to_owned(),
            fingerprint: String::new(),
        };
        let generation = submit(asked, &client, heading, &engine).ok().unwrap();
        assert_eq!(generation.jobs.len(), 6);
        assert_eq!(*engine.1.lock().unwrap(), [[5, 6, 7], [8, 9, 10]]);
    }

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
            (
                EngineError::PromptTooLong { context: 8 },
                "context_length_exceeded",
            ),
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
