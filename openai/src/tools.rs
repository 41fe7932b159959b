//! Tools that a model may call: their definitions, which of them it may or must call, and the ids of its calls.

mod choice;
mod definition;
mod forced;
mod id;
mod reader;
mod said;

pub(crate) use choice::{Choice, take_chat_choice, take_response_choice};
pub(crate) use definition::{
    Tool, nested_json, take_chat_tools, take_description, take_name, take_response_tools,
    take_schema,
};
pub(crate) use id::call_id;
pub use reader::CallReader;

use super::{ApiError, fields::Fields};
use engine::{Engine, Grammar};

/// The tools of a request that may be called. No Debug: they are the client's.
pub struct Tools {
    /// At least one.
    pub all: Vec<Tool>,
    pub(crate) choice: Choice,
    /// Whether several calls may be made at once.
    pub parallel: bool,
}

impl Tools {
    /// Those that may be called of `all`, with `parallel_tool_calls`; none where none may be.
    pub fn take(
        fields: &mut Fields<'_>,
        all: Vec<Tool>,
        choice: Choice,
    ) -> Result<Option<Self>, ApiError> {
        let parallel = fields
            .take("parallel_tool_calls", "a boolean")?
            .unwrap_or(true);
        let may_call = choice != Choice::None && !all.is_empty();
        Ok(may_call.then_some(Self {
            all,
            choice,
            parallel,
        }))
    }
}

impl Tools {
    /// What forces the calls that must be made, and what finds those that are.
    pub fn read_by(&self, engine: &dyn Engine) -> Result<(Option<Grammar>, CallReader), ApiError> {
        let names = self.all.iter().map(|tool| tool.name.clone()).collect();
        let most = if self.parallel { usize::MAX } else { 1 };
        match (self.choice, self.all.as_slice()) {
            (Choice::Named(at), all) => Ok(one(all.get(at).ok_or_else(ApiError::engine_failed)?)),
            (Choice::Required, [only]) if !self.parallel => Ok(one(only)),
            (Choice::Required, all) => {
                let schema = forced::calls(all, self.parallel);
                let schema = schema.ok_or_else(|| ApiError::invalid_schema("nested too deeply"))?;
                let reader = CallReader::of_json(names, most);
                Ok((Some(Grammar::JsonSchema(schema)), reader))
            }
            (Choice::Auto | Choice::None, _) => {
                let syntax = engine.tool_syntax().ok_or_else(|| {
                    ApiError::unsupported_by_model("calls of tools that it need not make")
                })?;
                Ok((None, CallReader::of_syntax(syntax, names, most)))
            }
        }
    }
}

/// The answer is the arguments of `tool`.
fn one(tool: &Tool) -> (Option<Grammar>, CallReader) {
    let schema = Grammar::JsonSchema(forced::arguments(tool));
    (Some(schema), CallReader::of_arguments(&tool.name))
}
