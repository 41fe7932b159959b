//! Which of the API's routes an answer is for, and what its parts repeat.

use super::{
    rendering::{ChatRendering, Heading, Rendering, TextRendering},
    responses::{Echo, ResponseRendering},
};

/// A route's shape of an answer. No Debug: an echo is the client's words.
pub(crate) enum Surface {
    /// Of chats; `counts`: an event before the last counts tokens.
    Chat { counts: bool },
    /// Of texts.
    Text { counts: bool },
    /// Of responses, which repeat what was asked.
    Response(Box<Echo>),
}

impl Surface {
    /// The parameter that the prompt is in.
    pub(crate) const fn input(&self) -> &'static str {
        match self {
            Self::Chat { .. } => "messages",
            Self::Text { .. } => "prompt",
            Self::Response(_) => "input",
        }
    }

    /// What renders an answer of so many choices.
    pub(crate) fn rendering(
        self,
        heading: Heading,
        choices: usize,
        logprobs: Option<u8>,
    ) -> Box<dyn Rendering> {
        match self {
            Self::Chat { counts } => Box::new(ChatRendering {
                heading,
                choices,
                counts,
                tells_logprobs: logprobs.is_some(),
            }),
            Self::Text { counts } => {
                let offsets = logprobs.map(|_| vec![0; choices]);
                Box::new(TextRendering::new(heading, counts, offsets))
            }
            Self::Response(echo) => Box::new(ResponseRendering::new(heading, *echo)),
        }
    }
}
