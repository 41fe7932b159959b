//! The rule behind a failed check: where it stands, what it accepts, why, and what would satisfy it.

use policy::Reason;
use serde::Serialize;

/// What a policy's document is called in its repository: places are in it, not in the envelope around it.
const DOCUMENT: &str = "policy.toml";

/// An unmet rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// As it stands in the document, e.g. `snp.measurements`.
    pub name: String,
    /// `policy.toml:LINE`; `None` for what every policy demands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What it accepts.
    pub expected: String,
    /// What the evidence says.
    pub actual: String,
    /// Why it is as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisory: Option<RuleAdvisory>,
    /// What would satisfy it; empty if nothing is known to.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub remedy: &'static str,
}

/// What a rule is there for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleAdvisory {
    /// Its name, e.g. `AMD-SB-3019`.
    pub name: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Rule {
    pub(crate) fn of(reason: &Reason) -> Self {
        Self {
            name: reason.rule.clone(),
            at: reason.at.map(|at| format!("{DOCUMENT}:{}", at.line)),
            expected: reason.expected.clone(),
            actual: reason.actual.clone(),
            advisory: reason.advisory.as_ref().map(|advisory| RuleAdvisory {
                name: advisory.name.clone(),
                link: advisory.link.clone(),
            }),
            remedy: reason.remedy(),
        }
    }

    /// In one line.
    pub(crate) fn in_words(&self) -> String {
        let at = self.at.as_ref().map(|at| format!("{at}: "));
        let mut words = format!(
            "{}expected {}; actual {}",
            at.unwrap_or_default(),
            self.expected,
            self.actual
        );
        if let Some(advisory) = &self.advisory {
            let link = advisory.link.as_ref().map(|link| format!(" ({link})"));
            words += &format!("; {}{}", advisory.name, link.unwrap_or_default());
        }
        if !self.remedy.is_empty() {
            words += &format!("; what would do: {}", self.remedy);
        }
        words
    }
}
