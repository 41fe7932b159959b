//! Every mistake of a configuration, each with the field it is in.

use std::{cell::RefCell, fmt};

/// One value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The field, e.g. `nodes[2].weight`.
    pub field: String,
    /// What is wrong and what is wanted.
    pub problem: String,
}

/// All mistakes of one configuration; never empty in an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { field, problem }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{field}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Collects mistakes while values are checked.
#[derive(Debug, Default)]
pub(super) struct Checks(RefCell<Mistakes>);

impl Checks {
    /// `value`, or `None` with a mistake noted.
    pub(super) fn some<T>(&self, field: &str, value: Option<T>, wanted: &str) -> Option<T> {
        if value.is_none() {
            self.note(field, wanted);
        }
        value
    }

    pub(super) fn note(&self, field: &str, problem: &str) {
        self.0.borrow_mut().0.push(Mistake {
            field: field.to_owned(),
            problem: problem.to_owned(),
        });
    }

    /// `checked`, if nothing was noted.
    pub(super) fn finish<T>(self, checked: Option<T>) -> Result<T, Mistakes> {
        let mistakes = self.0.into_inner();
        match checked {
            Some(checked) if mistakes.0.is_empty() => Ok(checked),
            _ => Err(mistakes),
        }
    }
}
