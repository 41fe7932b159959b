//! What a request asked for, as the engine's own types where there are any.

use super::{ApiError, Sampling, Surface, Tools, fields::Fields};
use engine::{Grammar, Prompt};

/// Most answers that one request gets: prompts times choices of each.
pub(crate) const MAX_CHOICES: usize = 8;

/// What a request asked for. No Debug: it holds the prompt.
pub struct Asked {
    pub(crate) model: String,
    pub(crate) prompts: Vec<Prompt>,
    /// Answers to each prompt.
    pub choices: usize,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) sampling: Sampling,
    pub(crate) stop: Vec<String>,
    pub(crate) grammar: Option<Grammar>,
    /// Alternatives told with each token; none: tell nothing.
    pub logprobs: Option<u8>,
    /// Those that may be called.
    pub tools: Option<Tools>,
    pub(crate) delivery: Delivery,
    pub(crate) surface: Surface,
}

/// How the answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// One JSON document.
    Whole,
    /// Server-sent events.
    Events,
}

impl Asked {
    /// A format, which is the parameter `format`, and tools that may be called ask for two grammars at once.
    pub fn check_tools(self, format: &'static str) -> Result<Self, ApiError> {
        match (&self.grammar, &self.tools) {
            (Some(_), Some(_)) => Err(ApiError::unsupported(format)),
            _ => Ok(self),
        }
    }
}

/// Takes `model`.
pub(crate) fn take_model(fields: &mut Fields<'_>) -> Result<String, ApiError> {
    let model: Option<String> = fields.take("model", "a string")?;
    model.ok_or_else(|| ApiError::missing("model"))
}

/// Takes a limit of tokens.
pub(crate) fn take_limit(
    fields: &mut Fields<'_>,
    name: &'static str,
) -> Result<Option<u32>, ApiError> {
    let limit: Option<u32> = fields.take(name, "a positive integer")?;
    match limit {
        Some(0) => Err(ApiError::invalid(name, "a positive integer")),
        limit => Ok(limit),
    }
}

/// Takes `n`: the choices of each of `prompts` prompts.
pub(crate) fn take_choices(fields: &mut Fields<'_>, prompts: usize) -> Result<usize, ApiError> {
    let expected = "1 to 8, times the prompts at most 8";
    let choices: usize = fields.take("n", expected)?.unwrap_or(1);
    let all = choices.saturating_mul(prompts);
    match (1..=MAX_CHOICES).contains(&all) {
        true => Ok(choices),
        false => Err(ApiError::invalid("n", expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_all_prompts_have_one_limit() {
        let take = |body: &str, prompts| {
            take_choices(&mut Fields::of_body(body.as_bytes()).unwrap(), prompts)
        };
        assert_eq!(take("{}", 1), Ok(1));
        assert_eq!(take("{}", 8), Ok(1));
        assert_eq!(take(r#"{"n":8}"#, 1), Ok(8));
        assert_eq!(take(r#"{"n":4}"#, 2), Ok(4));
        for (body, prompts) in [
            (r#"{"n":0}"#, 1),
            (r#"{"n":9}"#, 1),
            (r#"{"n":-1}"#, 1),
            (r#"{"n":1.5}"#, 1),
            (r#"{"n":5}"#, 2),
            ("{}", 9),
        ] {
            assert_eq!(take(body, prompts).unwrap_err().code, "invalid_value");
        }
    }

    #[test]
    fn limits_are_positive() {
        let take =
            |body: &str| take_limit(&mut Fields::of_body(body.as_bytes()).unwrap(), "max_tokens");
        assert_eq!(take(r#"{"max_tokens":5}"#), Ok(Some(5)));
        assert_eq!(take(r#"{"max_tokens":null}"#), Ok(None));
        for body in [r#"{"max_tokens":0}"#, r#"{"max_tokens":-1}"#] {
            assert_eq!(take(body).unwrap_err().code, "invalid_value");
        }
    }
}
