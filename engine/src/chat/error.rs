//! Why messages did not become a prompt.

/// Why messages did not become a prompt, in the order of the checks; `code()` is stable. No variant carries words of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The model file has no template.
    #[error("the model has no chat template")]
    NoTemplate,
    /// The template is not one: found when loading.
    #[error("the chat template does not compile: {0}")]
    Syntax(String),
    /// No messages.
    #[error("there are no messages")]
    Empty,
    /// A role other than `system`, `user`, `assistant`, `tool`.
    #[error("message {0} has an unknown role")]
    Role(usize),
    /// A message uses all characters that could mark where messages begin and end.
    #[error("the messages use too many of the noncharacters U+FDD0 to U+FDEF")]
    Marks,
    /// The template refused these messages or ran out of fuel; the template's own words, never the prompt's.
    #[error("the chat template refused the messages: {0}")]
    Template(String),
    /// The template changes messages in a way that hides which words are whose.
    #[error("the chat template takes messages apart")]
    Entangled,
}

impl ChatError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTemplate => "chat.no_template",
            Self::Syntax(_) => "chat.syntax",
            Self::Empty => "chat.empty",
            Self::Role(_) => "chat.role",
            Self::Marks => "chat.marks",
            Self::Template(_) => "chat.template",
            Self::Entangled => "chat.entangled",
        }
    }
}
