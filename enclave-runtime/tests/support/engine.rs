//! An engine that says what it is told to say.

use engine::{
    Engine, EngineError, FinishReason, Job, ModelCard, Prompt, Sampling, Step, Usage,
    chat::ChatError,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc};

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
    /// A panic that holds the prompt.
    Panic,
}

pub struct ScriptedEngine {
    script: Script,
    card: ModelCard,
    release: Arc<Notify>,
    cancelled: Arc<Notify>,
    refuses_messages: AtomicBool,
    last: Mutex<Option<Seen>>,
}

/// What the engine was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub prompt: Vec<u32>,
    pub max_tokens: Option<u32>,
    pub sampling: Sampling,
    pub stop: Vec<Vec<u8>>,
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
            last: Mutex::default(),
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
        self.last.lock().unwrap().is_some()
    }

    pub fn last(&self) -> Seen {
        self.last.lock().unwrap().clone().unwrap()
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

impl Engine for ScriptedEngine {
    fn submit(&self, job: Job) -> Result<mpsc::Receiver<Step>, EngineError> {
        if self.script == Script::Busy {
            return Err(EngineError::Busy);
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
        *self.last.lock().unwrap() = Some(Seen {
            prompt,
            max_tokens: job.max_tokens,
            sampling: job.sampling.clone(),
            stop: job.stop.clone(),
        });
        let (steps, receiver) = mpsc::channel(8);
        let begun = Step::Begun {
            prompt_tokens,
            cached_tokens: 0,
        };
        steps.try_send(begun).ok();
        let (release, cancelled) = (Arc::clone(&self.release), Arc::clone(&self.cancelled));
        tokio::spawn(run(self.script, steps, prompt_tokens, release, cancelled));
        Ok(receiver)
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

fn usage(prompt_tokens: u32, completion_tokens: u32) -> Usage {
    Usage {
        prompt_tokens,
        cached_tokens: 0,
        completion_tokens,
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
    let end = Step::Done {
        reason: FinishReason::Stop,
        text: "!".to_owned(),
        usage: usage(prompt_tokens, 3),
    };
    let _ = steps.send(end).await;
}

/// Says `text` in each of `tokens` tokens.
async fn say(steps: mpsc::Sender<Step>, prompt_tokens: u32, tokens: u32, gap_ms: u64, text: &str) {
    for id in 0..tokens {
        if gap_ms > 0 {
            tokio::time::sleep(Duration::from_millis(gap_ms)).await;
        }
        let _ = steps.send(token(id, text)).await;
    }
    let end = Step::Done {
        reason: FinishReason::Stop,
        text: String::new(),
        usage: usage(prompt_tokens, tokens),
    };
    let _ = steps.send(end).await;
}
