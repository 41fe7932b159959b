//! Chat messages to text through the template in the model file (minijinja, with fuel).

/// One message. No Debug: it is the prompt.
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
}

/// Why messages did not become a prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The model file has no template.
    #[error("the model has no chat template")]
    NoTemplate,
    /// The template refused these messages or ran out of fuel; the template's own words, never the prompt's.
    #[error("the chat template refused the messages: {0}")]
    Template(String),
}
