//! An engine that says what it is told to say.

use engine::{
    Embeddings, Engine, EngineError, FinishReason, Grammar, Job, Logprob, ModelCard, Prompt,
    Sampling, Step, TenantId, TokenLogprobs, ToolSyntax, Usage, chat::ChatError,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc, oneshot};

pub const MODEL: &str = "scripted-1";
pub const CONTEXT_TOKENS: u32 = 64;

/// What happens to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Three tokens, then the end.
    Answer,
    /// Two tokens, then the channel closes.
    BreakOff,
    /// One token, then nothing until [`ScriptedEngine::release`].
    Wait,
    /// So many tokens of one word, so far apart.
    Paced { tokens: u32, gap_ms: u64 },
    /// So many tokens at once, each of a word said so often.
    Burst { tokens: u32, repeat: usize },
    /// The job is not taken.
    Busy,
    /// Only so many jobs are taken.
    BusyAfter(usize),
    /// The words of an answer, whole and with the end.
    Says(&'static str),
    /// The prompt was taken, but only then found to be impossible.
    RefusesLater,
    /// Text cannot be continued: vectors only.
    Vectors,
    /// A panic that holds the prompt.
    Panic,
}

pub struct ScriptedEngine {
    script: Script,
    card: ModelCard,
    release: Arc<Notify>,
    cancelled: Arc<Notify>,
    refuses_messages: AtomicBool,
    seen: Mutex<Vec<Seen>>,
}

/// What the engine was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub prompt: Vec<u32>,
    pub max_tokens: Option<u32>,
    pub sampling: Sampling,
    pub stop: Vec<Vec<u8>>,
    /// `json`, a JSON schema, or a Lark grammar.
    pub grammar: Option<String>,
    pub logprobs: Option<u8>,
    pub cache_secret: Option<[u8; 32]>,
    pub tenant: TenantId,
    /// The tools that the template gets.
    pub tools: Option<String>,
}

impl Default for ScriptedEngine {
    fn default() -> Self {
        Self::new(Script::Answer)
    }
}

impl ScriptedEngine {
    pub fn new(script: Script) -> Self {
        Self {
            script,
            card: card(),
            release: Arc::default(),
            cancelled: Arc::default(),
            refuses_messages: AtomicBool::new(false),
            seen: Mutex::default(),
        }
    }

    /// Refuses all messages from now on.
    pub fn refuse_messages(&self) {
        self.refuses_messages.store(true, Ordering::SeqCst);
    }

    /// Lets a waiting job end.
    pub fn release(&self) {
        self.release.notify_one();
    }

    /// Returns once a waiting job was cancelled.
    pub async fn cancelled(&self) {
        self.cancelled.notified().await;
    }

    pub fn was_asked(&self) -> bool {
        !self.seen.lock().unwrap().is_empty()
    }

    pub fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }

    /// Everything that it was asked.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn card() -> ModelCard {
    ModelCard {
        name: MODEL.to_owned(),
        model_digest: [1; 32],
        tokenizer_digest: [2; 32],
        template_digest: [3; 32],
        kernels_digest: [4; 32],
        mode: "cpu/scripted".into(),
        isa: "scalar",
        context_tokens: CONTEXT_TOKENS,
    }
}

fn token(id: u32, text: &str) -> Step {
    Step::Token {
        id: Some(id),
        text: text.to_owned(),
        logprobs: None,
    }
}

/// The same, as likely as anything and `top` others.
fn weighed(step: Step, top: u8) -> Step {
    let Step::Token { id, text, .. } = step else {
        return step;
    };
    let logprob = |bytes: &str, logprob| Logprob {
        bytes: bytes.as_bytes().to_vec(),
        logprob,
    };
    let logprobs = TokenLogprobs {
        chosen: logprob(&text, -0.25),
        top: (0..top)
            .map(|n| logprob(&format!("t{n}"), -0.25 - f32::from(n)))
            .collect(),
    };
    Step::Token {
        id,
        text,
        logprobs: Some(logprobs),
    }
}

impl Engine for ScriptedEngine {
    fn submit(&self, job: Job) -> Result<mpsc::Receiver<Step>, EngineError> {
        match self.script {
            Script::Busy => return Err(EngineError::Busy),
            Script::BusyAfter(jobs) if self.seen().len() == jobs => return Err(EngineError::Busy),
            Script::Vectors => return Err(EngineError::Unsupported("text")),
            _ => {}
        }
        let prompt = self.encode(&job.prompt)?;
        let prompt_tokens = u32::try_from(prompt.len()).unwrap();
        let answer = job.max_tokens.unwrap_or(1);
        if prompt.is_empty() {
            return Err(EngineError::BadPrompt);
        }
        if prompt_tokens.saturating_add(answer) > CONTEXT_TOKENS {
            return Err(EngineError::ContextOverflow {
                prompt: prompt.len(),
                answer: answer as usize,
                context: CONTEXT_TOKENS as usize,
            });
        }
        self.seen.lock().unwrap().push(seen(&job, prompt));
        let (steps, receiver) = mpsc::channel(8);
        let begun = Step::Begun {
            prompt_tokens,
            cached_tokens: prompt_tokens / 2,
        };
        steps.try_send(begun).ok();
        let (release, cancelled) = (Arc::clone(&self.release), Arc::clone(&self.cancelled));
        match job.logprobs {
            Some(top) => drop(tokio::spawn(answer_weighed(steps, prompt_tokens, top))),
            None => drop(tokio::spawn(run(
                self.script,
                steps,
                prompt_tokens,
                release,
                cancelled,
            ))),
        }
        Ok(receiver)
    }

    fn embed(
        &self,
        texts: Vec<Prompt>,
        tenant: TenantId,
    ) -> Result<oneshot::Receiver<Embeddings>, EngineError> {
        match self.script {
            Script::Vectors => {}
            Script::Busy => return Err(EngineError::Busy),
            _ => return Err(EngineError::Unsupported("embeddings")),
        }
        let texts: Result<Vec<_>, _> = texts.iter().map(|text| self.encode(text)).collect();
        let texts = texts?;
        let lengths = texts.iter().map(Vec::len);
        let mut asked = Job::new(Prompt::text(""));
        asked.tenant = tenant;
        self.seen.lock().unwrap().push(seen(&asked, texts.concat()));
        let (told, vectors) = oneshot::channel();
        #[expect(clippy::cast_precision_loss, reason = "a few bytes")]
        let vector = |length: usize| vec![length as f32, -0.1];
        let made = Embeddings {
            prompt_tokens: u32::try_from(texts.concat().len()).unwrap(),
            vectors: lengths.map(vector).collect(),
        };
        let _ = told.send(made);
        Ok(vectors)
    }

    fn tool_syntax(&self) -> Option<ToolSyntax> {
        matches!(self.script, Script::Says(_)).then_some(ToolSyntax::Hermes)
    }

    fn capacity(&self) -> usize {
        1
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}

impl ScriptedEngine {
    /// One token for every byte.
    fn encode(&self, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        let text = match prompt {
            Prompt::Chat(chat) => {
                if self.refuses_messages.load(Ordering::SeqCst) {
                    let reason = "roles must alternate".to_owned();
                    return Err(ChatError::Template(reason).into());
                }
                let texts = chat.messages.iter().map(|message| message.content.as_str());
                texts.collect::<String>()
            }
            Prompt::Text(text) => text.to_string(),
            Prompt::Tokens(ids) => return Ok(ids.to_vec()),
        };
        assert!(self.script != Script::Panic, "cannot encode {text}");
        Ok(text.bytes().map(u32::from).collect())
    }
}

fn seen(job: &Job, prompt: Vec<u32>) -> Seen {
    Seen {
        prompt,
        max_tokens: job.max_tokens,
        sampling: job.sampling.clone(),
        stop: job.stop.clone(),
        grammar: job.grammar.as_ref().map(|grammar| match grammar {
            Grammar::JsonObject => "json".to_owned(),
            Grammar::JsonSchema(text) | Grammar::Lark(text) => text.clone(),
        }),
        logprobs: job.logprobs,
        cache_secret: job.cache_secret.as_ref().map(|secret| secret.0),
        tenant: job.tenant,
        tools: match &job.prompt {
            Prompt::Chat(chat) => chat.tools.as_ref().map(|tools| tools.to_string()),
            Prompt::Text(_) | Prompt::Tokens(_) => None,
        },
    }
}

fn usage(prompt_tokens: u32, completion_tokens: u32) -> Usage {
    Usage {
        prompt_tokens,
        cached_tokens: prompt_tokens / 2,
        completion_tokens,
    }
}

/// As [`Script::Answer`], with log-probabilities.
async fn answer_weighed(steps: mpsc::Sender<Step>, prompt_tokens: u32, top: u8) {
    for (id, text) in [(11, "Hel"), (12, ""), (13, "lo")] {
        let _ = steps.send(weighed(token(id, text), top)).await;
    }
    let _ = steps.send(end("!", usage(prompt_tokens, 3))).await;
}

fn end(text: &str, usage: Usage) -> Step {
    Step::Done {
        reason: FinishReason::Stop,
        text: text.to_owned(),
        usage,
    }
}

async fn run(
    script: Script,
    steps: mpsc::Sender<Step>,
    prompt_tokens: u32,
    release: Arc<Notify>,
    cancelled: Arc<Notify>,
) {
    match script {
        Script::Paced { tokens, gap_ms } => {
            return say(steps, prompt_tokens, tokens, gap_ms, "word ").await;
        }
        Script::Burst { tokens, repeat } => {
            return say(steps, prompt_tokens, tokens, 0, &"word ".repeat(repeat)).await;
        }
        Script::Says(words) => {
            for (id, part) in (0..).zip(words.split_inclusive(' ')) {
                let _ = steps.send(token(id, part)).await;
            }
            let _ = steps.send(end("", usage(prompt_tokens, 1))).await;
            return;
        }
        Script::RefusesLater => {
            let _ = steps.send(Step::Refused(EngineError::Refused)).await;
            return;
        }
        _ => {}
    }
    let _ = steps.send(token(11, "Hel")).await;
    if script == Script::Wait {
        tokio::select! {
            () = steps.closed() => return cancelled.notify_one(),
            () = release.notified() => {}
        }
    }
    let _ = steps.send(token(12, "")).await;
    if script == Script::BreakOff {
        return;
    }
    let _ = steps.send(token(13, "lo")).await;
    let _ = steps.send(end("!", usage(prompt_tokens, 3))).await;
}

/// Says `text` in each of `tokens` tokens.
async fn say(steps: mpsc::Sender<Step>, prompt_tokens: u32, tokens: u32, gap_ms: u64, text: &str) {
    for id in 0..tokens {
        if gap_ms > 0 {
            tokio::time::sleep(Duration::from_millis(gap_ms)).await;
        }
        let _ = steps.send(token(id, text)).await;
    }
    let _ = steps.send(end("", usage(prompt_tokens, tokens))).await;
}
