//! Bodies of `POST /v1/completions`.

use super::{
    ApiError, Asked, Sampling, Surface,
    asked::{take_choices, take_limit, take_model},
    delivery::take_delivery,
    fields::Fields,
    logprobs::take_text_logprobs,
    neutral::take_neutral,
    prompts::take_prompts,
    stop::take_stop,
};

/// Reads a text request.
pub(crate) fn read_text(body: &[u8]) -> Result<Asked, ApiError> {
    let mut fields = Fields::of_body(body)?;
    let prompts = take_prompts(&mut fields)?;
    let choices = take_choices(&mut fields, prompts.len())?;
    check_best_of(&mut fields, choices)?;
    let (delivery, counts) = take_delivery(&mut fields)?;
    let asked = Asked {
        model: take_model(&mut fields)?,
        prompts,
        choices,
        max_tokens: take_limit(&mut fields, "max_tokens")?,
        sampling: Sampling::take(&mut fields)?,
        stop: take_stop(&mut fields)?,
        grammar: None,
        logprobs: take_text_logprobs(&mut fields)?,
        tools: None,
        delivery,
        surface: Surface::Text { counts },
    };
    take_neutral(&mut fields)?;
    fields.finish()?;
    Ok(asked)
}

/// `best_of` asks for what happens where it is the number of choices: nothing is made to be thrown away.
fn check_best_of(fields: &mut Fields<'_>, choices: usize) -> Result<(), ApiError> {
    let best_of: Option<usize> = fields.take("best_of", "an integer")?;
    match best_of {
        Some(best_of) if best_of != choices => Err(ApiError::unsupported("best_of")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Prompt;

    fn text(rest: &str) -> Result<Asked, ApiError> {
        read_text(format!(r#"{{"model":"m","prompt":["hello","x"]{rest}}}"#).as_bytes())
    }

    #[test]
    fn reads_prompts() {
        let asked = text(r#","n":3,"best_of":3,"logprobs":2"#).ok().unwrap();
        assert!(matches!(&asked.prompts[0], Prompt::Text(text) if text.as_str() == "hello"));
        assert_eq!((asked.prompts.len(), asked.choices), (2, 3));
        assert_eq!(asked.logprobs, Some(2));
    }

    #[test]
    fn refuses_with_a_code() {
        for (rest, code) in [
            (r#","n":5"#, "invalid_value"),
            (r#","best_of":2"#, "unsupported_parameter"),
            (r#","echo":true"#, "unsupported_parameter"),
            (r#","suffix":"x""#, "unsupported_parameter"),
            (r#","messages":[]"#, "unsupported_parameter"),
            (r#","logprobs":21"#, "invalid_value"),
        ] {
            assert_eq!(text(rest).err().unwrap().code, code, "{rest}");
        }
        let body = |body: &str| read_text(body.as_bytes()).err().unwrap().code;
        assert_eq!(body(r#"{"prompt":"x"}"#), "missing_required_parameter");
        assert_eq!(body(r#"{"model":"m"}"#), "missing_required_parameter");
    }
}
