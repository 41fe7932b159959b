//! What a verification step found, for whoever wants to see it: one line per check.

mod rule;

pub use rule::{Rule, RuleAdvisory};

use serde::Serialize;
use std::borrow::Cow;

/// The outcome of one check. A skip is never counted as a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Held.
    Pass,
    /// Did not hold.
    Fail,
    /// Not reached, or not possible with what was given.
    Skip,
    /// Worth knowing; decides nothing.
    Info,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What came out.
    pub outcome: Outcome,
    /// Stable code, e.g. `snp.signature`.
    pub id: Cow<'static, str>,
    /// What is checked, in words.
    pub title: Cow<'static, str>,
    /// Section of the specification; empty if there is none.
    pub section: Cow<'static, str>,
    /// Anchor, inputs, or expected and actual.
    pub detail: String,
    /// The rule of the policy that is not met; `None` for what is no rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<Rule>>,
}

/// What the client tells while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A check was made.
    Check(Check),
    /// Something that the user must know although the work goes on, e.g. that another node was taken.
    Notice(String),
}

/// Takes [`Event`]s as they happen.
pub trait Observer: Send + Sync {
    /// One event.
    fn observe(&self, event: &Event);
}

impl Check {
    /// A check with this outcome; section and detail empty.
    pub fn new(
        outcome: Outcome,
        id: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            outcome,
            id: id.into(),
            title: title.into(),
            section: Cow::Borrowed(""),
            detail: String::new(),
            rule: None,
        }
    }

    /// A check that held.
    pub fn pass(id: impl Into<Cow<'static, str>>, title: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Outcome::Pass, id, title)
    }

    /// A check that did not hold.
    pub fn fail(id: impl Into<Cow<'static, str>>, title: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Outcome::Fail, id, title)
    }

    /// Something worth knowing.
    pub fn info(id: impl Into<Cow<'static, str>>, title: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Outcome::Info, id, title)
    }

    /// Whether it did not hold.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.outcome == Outcome::Fail
    }

    /// With its section of the specification.
    #[must_use]
    pub fn section(self, section: impl Into<Cow<'static, str>>) -> Self {
        Self {
            section: section.into(),
            ..self
        }
    }

    /// With the rule that is not met.
    #[must_use]
    pub fn rule(self, rule: Rule) -> Self {
        let rule = Some(Box::new(rule));
        Self { rule, ..self }
    }

    /// With its detail.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }
}
