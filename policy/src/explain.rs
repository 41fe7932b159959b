//! What a document says, in words: each field with its line, and what is not there.

use crate::{
    PayloadType, PolicyError, Position,
    schema_json::{About, Absent, Schema},
    tree::{Node, Value, label, words},
};

/// One statement of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The rule, as reasons name it.
    pub rule: String,
    /// Where it stands; `None` for what is absent and so means something.
    pub at: Option<Position>,
    /// What it says.
    pub words: String,
}

/// A field of a kind of document, as its schema describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The rule, as reasons name it.
    pub rule: String,
    /// The field in words.
    pub title: String,
    /// What it means, at length.
    pub description: String,
}

/// Every statement of `text`, a good document of `kind`: in its order, then what is absent.
pub fn explain(kind: PayloadType, text: &str) -> Result<Vec<Statement>, Vec<PolicyError>> {
    let node = Node::parse(text)?;
    let schema = Schema::of(kind);
    let mut statements = Vec::new();
    tell("", &node, schema.document(), &mut statements);
    statements.sort_by_key(|statement: &Statement| (statement.at.is_none(), statement.at));
    Ok(statements)
}

/// The fields of documents of `kind` that can give a reason with `code`.
#[must_use]
pub fn fields_of(kind: PayloadType, code: &str) -> Vec<Field> {
    let schema = Schema::of(kind);
    let mut fields = Vec::new();
    find("", schema.document(), code, &mut fields);
    fields
}

fn tell(rule: &str, node: &Node, about: About<'_>, statements: &mut Vec<Statement>) {
    if let Value::Table(fields) = &node.value {
        for (name, field) in fields {
            tell(&below(rule, name), field, about.field(name), statements);
        }
        absent(rule, node, about, statements);
        return;
    }
    let value = match &node.value {
        Value::List(list) => {
            let entries: Vec<_> = list
                .iter()
                .map(|entry| full(entry, about.entry()))
                .collect();
            entries.join(", ")
        }
        _ => label(node, about),
    };
    statements.push(Statement {
        rule: rule.to_owned(),
        at: Some(node.at),
        words: format!("{}: {value}", about.title()),
    });
}

/// An entry by its name, and whatever else it says.
fn full(entry: &Node, about: About<'_>) -> String {
    let name = words(entry, about, About::name);
    let Value::Table(fields) = &entry.value else {
        return name;
    };
    let is_name = |field: &String| about.name().contains(&field.as_str());
    let others = fields.iter().filter(|(field, _)| !is_name(field));
    let others: Vec<String> = others
        .map(|(field, node)| format!("{field} {}", label(node, about.field(field))))
        .collect();
    format!("{name} ({})", others.join(", "))
}

fn absent(rule: &str, node: &Node, about: About<'_>, statements: &mut Vec<Statement>) {
    for name in about.fields().filter(|name| node.field(name).is_none()) {
        let about = about.field(name);
        let meaning = match (about.default(), about.absent()) {
            (Some(default), _) => default,
            (None, Some(Absent::Anything)) => "not judged".to_owned(),
            (None, Some(Absent::Nothing)) => "nothing of this kind is accepted".to_owned(),
            (None, None) => continue,
        };
        statements.push(Statement {
            rule: below(rule, name),
            at: None,
            words: format!("{}: {meaning}", about.title()),
        });
    }
}

fn find(rule: &str, about: About<'_>, code: &str, fields: &mut Vec<Field>) {
    if about.codes().any(|known| known == code) {
        fields.push(Field {
            rule: rule.to_owned(),
            title: about.title().to_owned(),
            description: about.description().to_owned(),
        });
    }
    for name in about.fields() {
        find(&below(rule, name), about.field(name), code, fields);
    }
    if about.entry().is_known() {
        find(rule, about.entry(), code, fields);
    }
}

fn below(rule: &str, name: &str) -> String {
    if rule.is_empty() {
        name.to_owned()
    } else {
        format!("{rule}.{name}")
    }
}
