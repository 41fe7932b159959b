//! The model's own template, rendered.
//!
//! As Hugging Face renders it: white space, `tojson`, `raise_exception`, methods of Python's strings and dictionaries. There is no
//! `strftime_now`, so that a prompt depends on nothing but the chat: a template that asks whether it is there takes its own date, one that does
//! not is refused.
//!
//! Fuel bounds how many steps a rendering takes and [`Output`] how much it writes. Nothing bounds the strings in between: minijinja joins them
//! without asking, so that a template which doubles one takes all memory of little fuel. A template is as trusted as the weights beside it, with
//! which its digest is attested; what a message says cannot make a sound template do that.

use minijinja::{Environment, Error, ErrorKind, Value, context, syntax::SyntaxConfig};
use minijinja_contrib::pycompat;
use zeroize::Zeroizing;

use super::{
    Chat, ChatError, RenderedPrompt, conversation::Conversation, marks::Marks, output::Output,
    tojson::tojson,
};
use crate::tools::ToolSyntax;

/// Steps of one rendering; SmolLM2's template takes about 40 a message.
const FUEL: u64 = 1_000_000;
/// How deep a template may call and nest.
const MAX_RECURSION: usize = 64;
const NAME: &str = "chat";

/// A compiled chat template.
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles a template; `bos` and `eos` are the texts of those tokens.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self, ChatError> {
        let mut environment = Environment::new();
        environment.set_syntax(syntax()?);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(MAX_RECURSION);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_unknown_method_callback(pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_filter("tojson", tojson);
        let added = environment.add_template_owned(NAME, with_line_feeds(source));
        added.map_err(|error| ChatError::Syntax(describe(&error, source)))?;
        Ok(Self {
            environment,
            source: source.to_owned(),
            bos: bos.to_owned(),
            eos: eos.to_owned(),
        })
    }

    /// The template's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How the model was told to write calls of tools; none: the template tells it nothing of tools.
    pub fn tool_syntax(&self) -> Option<ToolSyntax> {
        let says = |text: &str| self.source.contains(text);
        if !says("tools") {
            return None;
        }
        Some(match () {
            () if says("<tool_call>") => ToolSyntax::Hermes,
            () if says("[TOOL_CALLS]") => ToolSyntax::Mistral,
            () if says("<|python_tag|>") || says("<|eot_id|>") => ToolSyntax::Llama,
            () => ToolSyntax::Json,
        })
    }

    /// The prompt that asks the model for the next message.
    ///
    /// It is rendered twice, with marks around what anybody said and without. Both must give the same text, so a template whose
    /// output depends on where a message begins or ends is refused and not misread.
    pub fn render(&self, chat: &Chat) -> Result<RenderedPrompt, ChatError> {
        let conversation = Conversation::read(chat)?;
        let marks = Marks::unused(&self.source, &conversation)?;
        let room = conversation.size(chat);
        let marked = self.run(&conversation, Some(&marks), room)?;
        let plain = self.run(&conversation, None, room)?;
        let prompt = marks.take_out(&marked)?;
        match prompt.text() == plain.as_str() {
            true => Ok(prompt),
            false => Err(ChatError::Entangled),
        }
    }

    fn run(
        &self,
        conversation: &Conversation<'_>,
        marks: Option<&Marks>,
        words: usize,
    ) -> Result<Zeroizing<String>, ChatError> {
        let refused = |error: Error| ChatError::Template(describe(&error, &self.source));
        let template = self.environment.get_template(NAME).map_err(refused)?;
        let given = context! {
            messages => conversation.messages(marks),
            tools => conversation.tools(marks),
            add_generation_prompt => true,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
        };
        let mut output = Output::for_words(words);
        let rendered = template.render_captured_to(given, &mut output).map(drop);
        match rendered {
            Err(_) if output.is_full() => Err(ChatError::TooLong),
            Err(error) => Err(refused(error)),
            Ok(()) => output.into_text().ok_or(ChatError::Entangled),
        }
    }
}

/// Every end of a line as a line feed, as the reference implementation reads templates.
fn with_line_feeds(source: &str) -> String {
    source.replace("\r\n", "\n").replace('\r', "\n")
}

/// White space as in the reference implementation of chat templates (`trim_blocks`, `lstrip_blocks`).
fn syntax() -> Result<SyntaxConfig, ChatError> {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).lstrip_blocks(true);
    let built = builder.build();
    built.map_err(|error| ChatError::Syntax(error.kind().to_string()))
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// What went wrong and where; a detail only if it stands word for word in the template, since others may quote a message.
fn describe(error: &Error, source: &str) -> String {
    let detail = error.detail().filter(|detail| source.contains(*detail));
    let what = detail.map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("{what} (line {line})"),
        None => what,
    }
}
