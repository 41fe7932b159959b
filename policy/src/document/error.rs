//! Why a document was refused.

use crate::{
    orders::OrderError, publication::FileError, remembered::SuccessionError, root::RootError,
    timestamp::TimestampError,
};
use std::fmt;

/// A place in the document's text, both counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// Why a document was refused; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The envelope.
    #[error(transparent)]
    Signature(#[from] crate::SignatureError),
    /// A root, or what is asked of it.
    #[error(transparent)]
    Root(#[from] RootError),
    /// A log of orders.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// A timestamp beside other documents.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// A file of a publication.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not what may follow the documents that were obeyed before.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// Longer than its kind may be.
    #[error("the document is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The most for its kind.
        limit_bytes: usize,
    },
    /// Not UTF-8.
    #[error("the document is not UTF-8 text")]
    NotUtf8,
    /// Not TOML.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Position,
        /// What the TOML parser says.
        message: String,
    },
    /// A schema that this build does not know; nothing else of the document was read.
    #[error(
        "{at}: schema {found} is not known here; this build reads schema {}",
        super::SCHEMA
    )]
    Schema {
        /// Where.
        at: Position,
        /// The document's.
        found: u64,
    },
    /// A required field is absent.
    #[error("{at}: `{field}` is missing")]
    MissingField {
        /// Where its table begins.
        at: Position,
        /// Its full name.
        field: String,
    },
    /// A field that the schema does not have.
    #[error("{at}: there is no field `{field}` in schema {}", super::SCHEMA)]
    UnknownField {
        /// Where.
        at: Position,
        /// Its full name.
        field: String,
    },
    /// A field of another TOML type.
    #[error("{at}: `{field}` must be {expected}, not {found}")]
    Type {
        /// Where.
        at: Position,
        /// Its full name.
        field: String,
        /// The type that the schema wants.
        expected: &'static str,
        /// The type that stands there.
        found: &'static str,
    },
    /// A field of the right type whose value the schema does not have.
    #[error("{at}: `{field}` must be {expected}")]
    Value {
        /// Where.
        at: Position,
        /// Its full name.
        field: String,
        /// What the schema accepts.
        expected: String,
    },
    /// A list without entries: it would accept nothing, or was meant to accept everything.
    #[error("{at}: `{field}` is empty; give at least one entry, or remove it if it is optional")]
    EmptyList {
        /// Where.
        at: Position,
        /// Its full name.
        field: String,
    },
    /// A list with one entry twice.
    #[error("{at}: `{field}` repeats an earlier entry")]
    Duplicate {
        /// Where the second one stands.
        at: Position,
        /// Its full name.
        field: String,
    },
    /// A module in Rego that does not parse, or has no rule `deny`.
    #[error("{at}: `rego.module` cannot be used: {message}")]
    Rego {
        /// Where it begins.
        at: Position,
        /// What is wrong with it.
        message: String,
    },
    /// Two fields that cannot both hold.
    #[error("{at}: `{field}` contradicts {other}")]
    Conflict {
        /// Where.
        at: Position,
        /// Its full name.
        field: String,
        /// What it contradicts.
        other: &'static str,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl PolicyError {
    /// Stable code, e.g. `policy.document.empty_list`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Signature(error) => error.code(),
            Self::Root(error) => error.code(),
            Self::Order(error) => error.code(),
            Self::Timestamp(error) => error.code(),
            Self::File(error) => error.code(),
            Self::Succession(error) => error.code(),
            Self::TooLarge { .. } => "policy.document.too_large",
            Self::NotUtf8 => "policy.document.not_utf8",
            Self::Syntax { .. } => "policy.document.syntax",
            Self::Schema { .. } => "policy.document.schema",
            Self::MissingField { .. } => "policy.document.missing_field",
            Self::UnknownField { .. } => "policy.document.unknown_field",
            Self::Type { .. } => "policy.document.type",
            Self::Value { .. } => "policy.document.value",
            Self::EmptyList { .. } => "policy.document.empty_list",
            Self::Duplicate { .. } => "policy.document.duplicate",
            Self::Rego { .. } => "policy.document.rego",
            Self::Conflict { .. } => "policy.document.conflict",
        }
    }

    /// Where in the document, if it is a mistake of the document.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        match self {
            Self::Root(error) => error.position(),
            Self::Signature(_)
            | Self::Order(_)
            | Self::Timestamp(_)
            | Self::File(_)
            | Self::Succession(_)
            | Self::TooLarge { .. }
            | Self::NotUtf8 => None,
            Self::Syntax { at, .. }
            | Self::Schema { at, .. }
            | Self::MissingField { at, .. }
            | Self::UnknownField { at, .. }
            | Self::Type { at, .. }
            | Self::Value { at, .. }
            | Self::EmptyList { at, .. }
            | Self::Duplicate { at, .. }
            | Self::Rego { at, .. }
            | Self::Conflict { at, .. } => Some(*at),
        }
    }
}
