//! `prompt` of completions: a string or token ids, or an array of either.

use super::{ApiError, asked::MAX_CHOICES, elements::elements, fields::Fields};
use engine::Prompt;
use serde_json::value::RawValue;

const EXPECTED: &str = "a string, an array of token ids, or an array of up to 8 of either";

/// Takes `prompt`, as many as there are.
pub(crate) fn take_prompts(fields: &mut Fields<'_>) -> Result<Vec<Prompt>, ApiError> {
    let value = fields
        .take_raw("prompt")
        .ok_or_else(|| ApiError::missing("prompt"))?;
    read_prompts(value, "prompt", MAX_CHOICES)
        .ok_or_else(|| ApiError::invalid("prompt", EXPECTED))?
        .into_iter()
        .map(|prompt| not_empty(prompt, "prompt"))
        .collect()
}

/// The texts or token ids in `value`: one, or an array of at most `most`.
pub(crate) fn read_prompts(value: &RawValue, name: &str, most: usize) -> Option<Vec<Prompt>> {
    match first_in_array(value.get()) {
        None | Some('0'..='9') => Some(vec![read_prompt(value)?]),
        Some('"' | '[') => {
            let values = elements(value, name, most).ok()?;
            values.into_iter().map(read_prompt).collect()
        }
        Some(_) => None,
    }
}

/// What stands first in an array; none: the text is no array.
fn first_in_array(text: &str) -> Option<char> {
    text.strip_prefix('[')?.trim_start().chars().next()
}

fn read_prompt(value: &RawValue) -> Option<Prompt> {
    let text = value.get();
    match text.starts_with('[') {
        true => serde_json::from_str::<Vec<u32>>(text)
            .ok()
            .map(Prompt::tokens),
        false => serde_json::from_str::<String>(text).ok().map(Prompt::text),
    }
}

/// `prompt`, if there is anything in it.
pub(crate) fn not_empty(prompt: Prompt, param: &'static str) -> Result<Prompt, ApiError> {
    let is_empty = match &prompt {
        Prompt::Text(text) => text.is_empty(),
        Prompt::Tokens(ids) => ids.is_empty(),
        Prompt::Chat(_) => false,
    };
    match is_empty {
        true => Err(ApiError::empty_prompt(param)),
        false => Ok(prompt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(prompt: &str) -> Result<Vec<String>, ApiError> {
        let body = format!(r#"{{"prompt":{prompt}}}"#);
        let prompts = take_prompts(&mut Fields::of_body(body.as_bytes()).unwrap())?;
        Ok(prompts.iter().map(shown).collect())
    }

    fn shown(prompt: &Prompt) -> String {
        match prompt {
            Prompt::Text(text) => text.to_string(),
            Prompt::Tokens(ids) => format!("{:?}", &ids[..]),
            Prompt::Chat(_) => unreachable!("no chat was given"),
        }
    }

    #[test]
    fn takes_each_form() {
        assert_eq!(take(r#""a""#).unwrap(), ["a"]);
        assert_eq!(take(r#"["a","b"]"#).unwrap(), ["a", "b"]);
        assert_eq!(take("[1, 2]").unwrap(), ["[1, 2]"]);
        assert_eq!(take("[ [1],[2]]").unwrap(), ["[1]", "[2]"]);
        assert_eq!(take(r#"[[1],"b"]"#).unwrap(), ["[1]", "b"]);
    }

    #[test]
    fn refuses_others() {
        let nine = format!("[{}]", ["\"a\""; 9].join(","));
        for (prompt, code) in [
            ("null", "missing_required_parameter"),
            ("5", "invalid_value"),
            ("{}", "invalid_value"),
            ("[]", "invalid_value"),
            ("[null]", "invalid_value"),
            ("[-1]", "invalid_value"),
            ("[4294967296]", "invalid_value"),
            (r#"[1,"a"]"#, "invalid_value"),
            (&nine, "invalid_value"),
            (r#""""#, "empty_prompt"),
            (r#"["a",""]"#, "empty_prompt"),
            ("[[]]", "empty_prompt"),
        ] {
            assert_eq!(take(prompt).unwrap_err().code, code, "{prompt}");
        }
    }
}
