//! An engine that says the same few words to everyone and counts what it was asked.

use engine::{Engine, EngineError, FinishReason, Job, ModelCard, Prompt, Step, Usage};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::mpsc;

pub(crate) const MODEL: &str = "synthetic-1";
/// What it says, token by token.
pub(crate) const WORDS: [&str; 6] = ["Whole", ",", " in", " order", ",", " once"];

/// How often each prompt was run, over all engines that share it.
#[derive(Default)]
pub(crate) struct Tally(Mutex<BTreeMap<String, usize>>);

impl Tally {
    /// Runs of this prompt.
    pub(crate) fn of(&self, prompt: &str) -> usize {
        *self.0.lock().unwrap().get(prompt).unwrap_or(&0)
    }

    /// Runs of all prompts.
    pub(crate) fn total(&self) -> usize {
        self.0.lock().unwrap().values().sum()
    }

    fn count(&self, prompt: String) {
        *self.0.lock().unwrap().entry(prompt).or_default() += 1;
    }
}

pub(crate) struct Synthetic {
    card: ModelCard,
    /// Between two tokens.
    pace: Duration,
    tally: Arc<Tally>,
}

impl Synthetic {
    pub(crate) fn new(pace: Duration, tally: Arc<Tally>) -> Arc<Self> {
        let card = ModelCard {
            name: MODEL.to_owned(),
            model_digest: [1; 32],
            tokenizer_digest: [2; 32],
            template_digest: [3; 32],
            kernels_digest: [4; 32],
            mode: "cpu/synthetic".into(),
            isa: "scalar",
            context_tokens: 4096,
        };
        Arc::new(Self { card, pace, tally })
    }
}

impl Engine for Synthetic {
    fn submit(&self, job: Job) -> Result<mpsc::Receiver<Step>, EngineError> {
        let prompt: String = match &job.prompt {
            Prompt::Chat(chat) => chat.messages.iter().map(|m| m.content.as_str()).collect(),
            Prompt::Text(text) => text.to_string(),
            Prompt::Tokens(_) => return Err(EngineError::BadPrompt),
        };
        let usage = Usage {
            prompt_tokens: u32::try_from(prompt.len()).unwrap(),
            cached_tokens: 0,
            completion_tokens: u32::try_from(WORDS.len()).unwrap(),
        };
        self.tally.count(prompt);
        let (steps, receiver) = mpsc::channel(8);
        tokio::spawn(say(steps, self.pace, usage));
        Ok(receiver)
    }

    fn capacity(&self) -> usize {
        1
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}

async fn say(steps: mpsc::Sender<Step>, pace: Duration, usage: Usage) {
    for (id, word) in (1..).zip(WORDS) {
        tokio::time::sleep(pace).await;
        let step = Step::Token {
            id: Some(id),
            text: word.to_owned(),
            logprobs: None,
        };
        if steps.send(step).await.is_err() {
            return;
        }
    }
    let end = Step::Done {
        reason: FinishReason::Stop,
        text: ".".to_owned(),
        usage,
    };
    let _ = steps.send(end).await;
}
