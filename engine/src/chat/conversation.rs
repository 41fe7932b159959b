//! What a template is given: messages and tools as values, with or without marks around somebody's words.

use minijinja::{Value, value::ValueKind};

use super::{Chat, ChatError, Message, marks::Marks};

const ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];
/// Most characters of a name that needs no marks.
const MAX_NAME: usize = 64;

/// A chat, read: the calls and tools are JSON no more.
pub(super) struct Conversation<'a> {
    turns: Vec<Turn<'a>>,
    tools: Option<Value>,
}

struct Turn<'a> {
    message: &'a Message,
    tool_calls: Option<Value>,
}

impl<'a> Conversation<'a> {
    pub(super) fn read(chat: &'a Chat) -> Result<Self, ChatError> {
        check_roles(&chat.messages)?;
        let tools = chat.tools.as_ref().map(|tools| {
            let tools = serde_json::from_str(tools).ok();
            tools.filter(is_list_of_maps).ok_or(ChatError::Tools)
        });
        let turns = chat.messages.iter().zip(0usize..);
        let turns = turns.map(|(message, at)| Turn::read(message).ok_or(ChatError::ToolCalls(at)));
        Ok(Self {
            turns: turns.collect::<Result<_, _>>()?,
            tools: tools.transpose()?.filter(|tools| tools.len() != Some(0)),
        })
    }

    /// Whether anybody's words have this character.
    pub(super) fn has(&self, character: char) -> bool {
        let in_turn = |turn: &Turn<'_>| {
            let message = turn.message;
            let id = message.tool_call_id.as_deref().unwrap_or_default();
            let calls = turn.tool_calls.as_ref();
            message.content.contains(character)
                || id.contains(character)
                || calls.is_some_and(|calls| holds(calls, character))
        };
        let tools = self.tools.as_ref();
        self.turns.iter().any(in_turn) || tools.is_some_and(|tools| holds(tools, character))
    }

    /// Bytes of all words, about.
    pub(super) fn size(&self, chat: &Chat) -> usize {
        let of_turn = |turn: &Turn<'_>| {
            let calls = turn.message.tool_calls.as_ref().map_or(0, String::len);
            turn.message.content.len().saturating_add(calls)
        };
        let tools = chat.tools.as_ref().map_or(0, |tools| tools.len());
        let turns = self.turns.iter().map(of_turn);
        turns.fold(tools, usize::saturating_add)
    }

    /// `messages` of the template.
    pub(super) fn messages(&self, marks: Option<&Marks>) -> Value {
        self.turns.iter().map(|turn| turn.value(marks)).collect()
    }

    /// `tools` of the template; none is none, as templates ask for it.
    pub(super) fn tools(&self, marks: Option<&Marks>) -> Value {
        let tools = self.tools.as_ref();
        tools.map_or_else(|| Value::from(()), |tools| named_or_marked(tools, marks))
    }
}

impl<'a> Turn<'a> {
    /// None: the calls are not a list of maps, or the arguments of one are not JSON of a map.
    fn read(message: &'a Message) -> Option<Self> {
        let tool_calls = match &message.tool_calls {
            None => None,
            Some(json) => {
                let calls: Value = serde_json::from_str(json).ok().filter(is_list_of_maps)?;
                let calls: Option<Vec<Value>> =
                    calls.try_iter().ok()?.map(|call| with_map(&call)).collect();
                Some(calls?).filter(|calls| !calls.is_empty())
            }
        };
        let tool_calls = tool_calls.map(Value::from);
        Some(Self {
            message,
            tool_calls,
        })
    }

    /// Absent keys are absent: templates ask whether they are there.
    fn value(&self, marks: Option<&Marks>) -> Value {
        let content = match marks {
            Some(marks) => Value::from(marks.around(&self.message.content).as_str()),
            None => Value::from(self.message.content.as_str()),
        };
        let role = Value::from(self.message.role.as_str());
        let calls = self.tool_calls.as_ref();
        let id = self.message.tool_call_id.as_deref().map(Value::from);
        let entries = [
            ("role", Some(role)),
            ("content", Some(content)),
            (
                "tool_calls",
                calls.map(|calls| named_or_marked(calls, marks)),
            ),
            ("tool_call_id", id.map(|id| named_or_marked(&id, marks))),
        ];
        let there = entries.into_iter();
        Value::from_pairs(there.filter_map(|(key, value)| Some((key, value?))))
    }
}

/// A call whose `function.arguments` are a map: OpenAI's API has them as JSON text, templates want the map.
fn with_map(call: &Value) -> Option<Value> {
    let function = call.get_attr("function").ok()?;
    if function.is_undefined() {
        return Some(call.clone());
    }
    let arguments = function.get_attr("arguments").ok()?;
    let arguments = match arguments.as_str() {
        Some(json) => serde_json::from_str(json).ok()?,
        None => arguments,
    };
    if arguments.kind() != ValueKind::Map {
        return None;
    }
    let function = with_entry(&function, "arguments", &arguments)?;
    with_entry(call, "function", &function)
}

fn with_entry(map: &Value, wanted: &str, changed: &Value) -> Option<Value> {
    let entry = |key: Value| {
        let value = match key.as_str() == Some(wanted) {
            true => changed.clone(),
            false => map.get_item(&key).ok()?,
        };
        Some((key, value))
    };
    let entries: Option<Vec<(Value, Value)>> = map.try_iter().ok()?.map(entry).collect();
    entries.map(Value::from_pairs)
}

fn is_list_of_maps(value: &Value) -> bool {
    let is_map = |item: Value| item.kind() == ValueKind::Map;
    value.kind() == ValueKind::Seq && value.try_iter().is_ok_and(|mut items| items.all(is_map))
}

fn holds(value: &Value, character: char) -> bool {
    match value.kind() {
        ValueKind::String => value.as_str().is_some_and(|text| text.contains(character)),
        ValueKind::Seq => iter(value).any(|item| holds(&item, character)),
        ValueKind::Map => iter(value).any(|key| {
            let inner = value.get_item(&key).unwrap_or_default();
            holds(&key, character) || holds(&inner, character)
        }),
        _ => false,
    }
}

/// `value` with marks around every text in it, keys included, that is more than a name.
///
/// Templates look at names: `type` is `function`, `key` is not `return`, an id is nine characters long. A name has letters, digits, `_`, `-` and
/// `.` only, and no family spells special tokens with these alone.
fn named_or_marked(value: &Value, marks: Option<&Marks>) -> Value {
    let Some(marks) = marks else {
        return value.clone();
    };
    match value.kind() {
        ValueKind::String => match value.as_str() {
            Some(text) if !is_name(text) => Value::from(marks.around(text).as_str()),
            _ => value.clone(),
        },
        ValueKind::Seq => iter(value)
            .map(|item| named_or_marked(&item, Some(marks)))
            .collect(),
        ValueKind::Map => Value::from_pairs(iter(value).map(|key| {
            let inner = value.get_item(&key).unwrap_or_default();
            let inner = named_or_marked(&inner, Some(marks));
            (named_or_marked(&key, Some(marks)), inner)
        })),
        _ => value.clone(),
    }
}

fn iter(value: &Value) -> impl Iterator<Item = Value> {
    value.try_iter().into_iter().flatten()
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    text.len() <= MAX_NAME && text.bytes().all(plain)
}

fn check_roles(messages: &[Message]) -> Result<(), ChatError> {
    if messages.is_empty() {
        return Err(ChatError::Empty);
    }
    let unknown = |m: &Message| !ROLES.contains(&m.role.as_str());
    match messages.iter().position(unknown) {
        Some(index) => Err(ChatError::Role(index)),
        None => Ok(()),
    }
}
