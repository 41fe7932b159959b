//! The model's own template, rendered.

use minijinja::{Environment, Error, ErrorKind, Value, context, syntax::SyntaxConfig};
use zeroize::Zeroizing;

use super::{ChatError, Message, RenderedPrompt, marks::Marks};

/// Steps of one rendering; SmolLM2's template takes about 40 a message.
const FUEL: u64 = 1_000_000;
const ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];
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
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_function("raise_exception", raise_exception);
        let added = environment.add_template_owned(NAME, source.to_owned());
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

    /// The prompt that asks the model for the next message.
    ///
    /// It is rendered twice, with marks around the messages and without. Both must give the same text, so a template whose
    /// output depends on where a message begins or ends is refused and not misread.
    pub fn render(&self, messages: &[Message]) -> Result<RenderedPrompt, ChatError> {
        check_roles(messages)?;
        let marks = Marks::unused(&self.source, messages)?;
        let marked = self.run(messages, |content| marks.around(content))?;
        let plain = self.run(messages, |content| Zeroizing::new(content.to_owned()))?;
        let prompt = marks.take_out(&marked)?;
        match prompt.text() == plain.as_str() {
            true => Ok(prompt),
            false => Err(ChatError::Entangled),
        }
    }

    fn run(
        &self,
        messages: &[Message],
        content: impl Fn(&str) -> Zeroizing<String>,
    ) -> Result<Zeroizing<String>, ChatError> {
        let refused = |error: Error| ChatError::Template(describe(&error, &self.source));
        let messages: Vec<Value> = messages
            .iter()
            .map(|m| context! { role => m.role.as_str(), content => content(&m.content).as_str() })
            .collect();
        let template = self.environment.get_template(NAME).map_err(refused)?;
        let rendered = template.render(context! {
            messages => messages,
            add_generation_prompt => true,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
        });
        rendered.map(Zeroizing::new).map_err(refused)
    }
}

/// White space as in the reference implementation of chat templates (`trim_blocks`, `lstrip_blocks`).
fn syntax() -> Result<SyntaxConfig, ChatError> {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).lstrip_blocks(true);
    let built = builder.build();
    built.map_err(|error| ChatError::Syntax(error.kind().to_string()))
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
