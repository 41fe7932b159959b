//! Bodies of `POST /v1/chat/completions`.

use super::{
    ApiError, Asked, Sampling, Surface,
    asked::{take_choices, take_limit, take_model},
    content::take_messages,
    delivery::take_delivery,
    fields::Fields,
    format::take_response_format,
    logprobs::take_chat_logprobs,
    neutral::take_neutral,
    stop::take_stop,
    tools::{Tools, nested_json, take_chat_choice, take_chat_tools},
};
use engine::{Prompt, chat::Chat};
use zeroize::Zeroizing;

/// Reads a chat request.
pub(crate) fn read_chat(body: &[u8]) -> Result<Asked, ApiError> {
    let mut fields = Fields::of_body(body)?;
    let messages = take_messages(&mut fields)?;
    let tools = take_tools(&mut fields)?;
    let newer = take_limit(&mut fields, "max_completion_tokens")?;
    let older = take_limit(&mut fields, "max_tokens")?;
    let (delivery, counts) = take_delivery(&mut fields)?;
    let chat = Chat {
        messages,
        tools: tools
            .as_ref()
            .map(|tools| Zeroizing::new(nested_json(&tools.all))),
    };
    let asked = Asked {
        model: take_model(&mut fields)?,
        prompts: vec![Prompt::Chat(chat)],
        choices: take_choices(&mut fields, 1)?,
        max_tokens: newer.or(older),
        sampling: Sampling::take(&mut fields)?,
        stop: take_stop(&mut fields)?,
        grammar: take_response_format(&mut fields)?,
        logprobs: take_chat_logprobs(&mut fields)?,
        tools,
        delivery,
        surface: Surface::Chat { counts },
    };
    take_neutral(&mut fields)?;
    fields.finish()?;
    asked.check_tools("response_format")
}

fn take_tools(fields: &mut Fields<'_>) -> Result<Option<Tools>, ApiError> {
    let all = take_chat_tools(fields)?;
    let choice = take_chat_choice(fields, &all)?;
    Tools::take(fields, all, choice)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Delivery, tools::Choice},
        *,
    };
    use engine::Grammar;

    const TOOLS: &str = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;

    fn chat(rest: &str) -> Result<Asked, ApiError> {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{rest}}}"#);
        read_chat(body.as_bytes())
    }

    fn asked(rest: &str) -> Asked {
        chat(rest).unwrap_or_else(|error| panic!("{error:?}"))
    }

    #[test]
    fn reads_a_chat() {
        let asked = asked(r#","max_tokens":5,"stop":"a","temperature":0,"n":2,"logprobs":true"#);
        assert_eq!((asked.model.as_str(), asked.max_tokens), ("m", Some(5)));
        assert_eq!(asked.stop, ["a"]);
        assert_eq!(asked.sampling.stated.temperature_milli, 0);
        assert_eq!((asked.choices, asked.logprobs), (2, Some(0)));
        assert_eq!(asked.delivery, Delivery::Whole);
        assert!(asked.tools.is_none() && asked.grammar.is_none());
    }

    #[test]
    fn the_newer_limit_wins() {
        let asked = asked(r#","max_tokens":5,"max_completion_tokens":7"#);
        assert_eq!(asked.max_tokens, Some(7));
    }

    #[test]
    fn reads_tools_that_may_be_called() {
        let auto = asked(TOOLS).tools.unwrap();
        assert_eq!((auto.choice, auto.parallel), (Choice::Auto, true));
        let required = format!(r#"{TOOLS},"tool_choice":"required","parallel_tool_calls":false"#);
        let required = asked(&required).tools.unwrap();
        assert_eq!(
            (required.choice, required.parallel),
            (Choice::Required, false)
        );
        let none = asked(&format!(r#"{TOOLS},"tool_choice":"none""#));
        assert!(none.tools.is_none());
        assert!(matches!(&none.prompts[0], Prompt::Chat(chat) if chat.tools.is_none()));
        let Prompt::Chat(chat) = &asked(TOOLS).prompts[0] else {
            panic!("a chat")
        };
        assert!(chat.tools.as_ref().unwrap().contains("\"name\":\"f\""));
    }

    #[test]
    fn a_format_goes_without_tools() {
        let format = r#","response_format":{"type":"json_object"}"#;
        assert!(matches!(asked(format).grammar, Some(Grammar::JsonObject)));
        let both = chat(&format!("{TOOLS}{format}")).err().unwrap();
        assert_eq!(both.code, "unsupported_parameter");
        let none = format!(r#"{TOOLS}{format},"tool_choice":"none""#);
        assert!(asked(&none).grammar.is_some());
    }

    #[test]
    fn refuses_with_a_code() {
        let refused = |rest: &str| chat(rest).err().unwrap().code;
        assert_eq!(refused(r#","max_tokens":0"#), "invalid_value");
        assert_eq!(refused(r#","prompt":"x""#), "unsupported_parameter");
        assert_eq!(refused(r#","parallel_tool_calls":1"#), "invalid_value");
        assert_eq!(refused(r#","n":9"#), "invalid_value");
    }
}
