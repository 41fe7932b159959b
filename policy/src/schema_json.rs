//! JSON Schema (draft 2020-12) of each kind of document, for editors; and what its `x-` keywords say of each field, for people.
//!
//! | keyword | says |
//! |---|---|
//! | `title` | the field in words |
//! | `default` | what its absence means, where it means a value |
//! | `x-absent` | what its absence means otherwise: `anything` is accepted, or `nothing` |
//! | `x-more` | what a greater number, a later time or a further entry does: `allows` or `forbids` |
//! | `x-version` | that texts are versions whose parts have this base |
//! | `x-strictness` | of each word a number; a higher one accepts less, the same one accepts something else |
//! | `x-key` | the fields that tell one entry of a list from another |
//! | `x-label` | the fields by which people know it, if they are others |
//! | `x-codes` | the codes of the reasons that the field can give |

#[cfg(test)]
mod tests;

use crate::PayloadType;
use serde_json::Value;

/// The schema of `kind`: JSON, indented. Of what is not TOML it says nothing.
#[must_use]
pub const fn text(kind: PayloadType) -> &'static str {
    match kind {
        PayloadType::Policy => include_str!("../../docs/policies/schema/policy.schema.json"),
        PayloadType::Root => include_str!("../../docs/policies/schema/root.schema.json"),
        PayloadType::Inventory => include_str!("../../docs/policies/schema/inventory.schema.json"),
        PayloadType::Order => include_str!("../../docs/policies/schema/order.schema.json"),
        PayloadType::Timestamp => include_str!("../../docs/policies/schema/timestamp.schema.json"),
        PayloadType::SealedModel => "{}",
    }
}

/// A parsed schema.
pub(crate) struct Schema(Value);

/// What a schema says of one field.
#[derive(Clone, Copy)]
pub(crate) struct About<'s> {
    schema: &'s Value,
    whole: &'s Value,
}

/// What more of a field does to what is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    Allows,
    Forbids,
}

/// What is accepted where a field is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    Anything,
    Nothing,
}

impl Schema {
    pub(crate) fn of(kind: PayloadType) -> Self {
        // The tests read each of them.
        Self(serde_json::from_str(text(kind)).unwrap_or_default())
    }

    /// The document itself.
    pub(crate) const fn document(&self) -> About<'_> {
        About {
            schema: &self.0,
            whole: &self.0,
        }
    }
}

impl<'s> About<'s> {
    /// The field `name` of this table; of what the schema does not know, nothing is said.
    pub(crate) fn field(self, name: &str) -> Self {
        self.within(self.keyword("properties").and_then(|all| all.get(name)))
    }

    /// The entries of this list.
    pub(crate) fn entry(self) -> Self {
        self.within(self.keyword("items"))
    }

    fn within(self, found: Option<&'s Value>) -> Self {
        let schema = found.unwrap_or(&Value::Null);
        let whole = self.whole;
        Self { schema, whole }
    }

    /// Whether the schema knows the field.
    pub(crate) fn is_known(self) -> bool {
        !self.schema.is_null()
    }

    /// What stands in the schema itself counts before what it refers to.
    fn keyword(self, name: &str) -> Option<&'s Value> {
        self.schema.get(name).or_else(|| self.target()?.get(name))
    }

    /// What `$ref` names.
    fn target(self) -> Option<&'s Value> {
        let pointer = self.schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.whole.pointer(pointer)
    }

    /// The field in words; empty if the schema does not know it.
    pub(crate) fn title(self) -> &'s str {
        self.keyword("title").and_then(Value::as_str).unwrap_or("")
    }

    /// What it means, at length.
    pub(crate) fn description(self) -> &'s str {
        let words = self.keyword("description").and_then(Value::as_str);
        words.unwrap_or("")
    }

    pub(crate) fn more(self) -> Option<More> {
        match self.keyword("x-more")?.as_str()? {
            "allows" => Some(More::Allows),
            "forbids" => Some(More::Forbids),
            _ => None,
        }
    }

    pub(crate) fn absent(self) -> Option<Absent> {
        match self.keyword("x-absent")?.as_str()? {
            "anything" => Some(Absent::Anything),
            "nothing" => Some(Absent::Nothing),
            _ => None,
        }
    }

    /// The base of a version's parts.
    pub(crate) fn version_base(self) -> Option<u32> {
        u32::try_from(self.keyword("x-version")?.as_u64()?).ok()
    }

    /// How strict a word is.
    pub(crate) fn strictness(self, word: &str) -> Option<i64> {
        self.keyword("x-strictness")?.get(word)?.as_i64()
    }

    /// The value that absence means, as text.
    pub(crate) fn default(self) -> Option<String> {
        self.keyword("default").map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// The fields that tell one entry from another.
    pub(crate) fn key(self) -> Vec<&'s str> {
        self.words("x-key").collect()
    }

    /// The fields by which people know an entry.
    pub(crate) fn label(self) -> Vec<&'s str> {
        let label: Vec<&str> = self.words("x-label").collect();
        if label.is_empty() { self.key() } else { label }
    }

    /// The first of them, by which rules name an entry.
    pub(crate) fn name(self) -> Vec<&'s str> {
        self.label().into_iter().take(1).collect()
    }

    /// The codes of the reasons that the field can give.
    pub(crate) fn codes(self) -> impl Iterator<Item = &'s str> {
        self.words("x-codes")
    }

    fn words(self, keyword: &str) -> impl Iterator<Item = &'s str> {
        let list = self.keyword(keyword).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The names of the fields of this table.
    pub(crate) fn fields(self) -> impl Iterator<Item = &'s str> {
        let fields = self.keyword("properties").and_then(Value::as_object);
        fields.into_iter().flatten().map(|(name, _)| name.as_str())
    }
}
