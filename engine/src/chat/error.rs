//! Why messages did not become a prompt.

/// Why messages did not become a prompt, in the order of the checks; `code()` is stable. No variant carries words of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The model file has no template.
    #[error("the model has no chat template")]
    NoTemplate,
    /// The folder has no template where one should be: found when loading.
    #[error("the folder's chat template is refused: {0}")]
    Source(&'static str),
    /// The folder has two templates that differ, or several of which none, or more than one, is the default: found when loading.
    #[error("the folder has several chat templates, and it is not clear which one counts")]
    Ambiguous,
    /// The template is not one: found when loading.
    #[error("the chat template does not compile: {0}")]
    Syntax(String),
    /// No messages.
    #[error("there are no messages")]
    Empty,
    /// A role other than `system`, `user`, `assistant`, `tool`.
    #[error("message {0} has an unknown role")]
    Role(usize),
    /// The tools are not a JSON array of objects.
    #[error("the tools are not a JSON array of objects")]
    Tools,
    /// The calls of a message are not a JSON array of objects, or the arguments of one are not a JSON object.
    #[error("the tool calls of message {0} are not JSON objects with arguments that are one")]
    ToolCalls(usize),
    /// A message uses all characters that could mark where messages begin and end.
    #[error("the messages use too many of the noncharacters U+FDD0 to U+FDEF")]
    Marks,
    /// The template refused these messages or ran out of fuel; the template's own words, never the prompt's.
    #[error("the chat template refused the messages: {0}")]
    Template(String),
    /// The prompt is many times longer than what it was made of.
    #[error("the chat template writes too much")]
    TooLong,
    /// The template changes messages in a way that hides which words are whose.
    #[error("the chat template takes messages apart")]
    Entangled,
}

impl ChatError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTemplate => "chat.no_template",
            Self::Source(_) => "chat.source",
            Self::Ambiguous => "chat.ambiguous",
            Self::Syntax(_) => "chat.syntax",
            Self::Empty => "chat.empty",
            Self::Role(_) => "chat.role",
            Self::Tools => "chat.tools",
            Self::ToolCalls(_) => "chat.tool_calls",
            Self::Marks => "chat.marks",
            Self::Template(_) => "chat.template",
            Self::TooLong => "chat.too_long",
            Self::Entangled => "chat.entangled",
        }
    }
}
