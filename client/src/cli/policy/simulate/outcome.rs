//! What a simulation found, node by node.

use super::super::{super::Exit, reasons};
use policy::Reason;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What the draft says of one node.
pub(super) struct Outcome {
    name: String,
    change: Change,
    /// Against it, by the draft.
    reasons: Vec<Reason>,
    /// Against it by what is in force, where the draft admits it.
    before: Vec<Reason>,
    /// Code and message of evidence that no policy can judge.
    evidence: Option<(String, String)>,
}

/// Beside what is in force, or by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Admitted,
    NewlyAdmitted,
    Refused,
    NewlyRefused,
    NoEvidence,
}

/// All of them.
pub(super) struct Outcomes {
    pub(super) draft: PathBuf,
    pub(super) all: Vec<Outcome>,
}

impl Change {
    const ALL: [Self; 5] = [
        Self::NewlyRefused,
        Self::Refused,
        Self::NoEvidence,
        Self::NewlyAdmitted,
        Self::Admitted,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::NewlyAdmitted => "newly admitted",
            Self::Refused => "refused",
            Self::NewlyRefused => "newly refused",
            Self::NoEvidence => "no evidence",
        }
    }

    const fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::NewlyRefused | Self::NoEvidence)
    }
}

impl Outcome {
    pub(super) fn judged(name: String, reasons: Vec<Reason>, before: Option<Vec<Reason>>) -> Self {
        let was_admitted = before.as_ref().map(Vec::is_empty);
        let change = match (reasons.is_empty(), was_admitted) {
            (true, Some(false)) => Change::NewlyAdmitted,
            (true, _) => Change::Admitted,
            (false, Some(true)) => Change::NewlyRefused,
            (false, _) => Change::Refused,
        };
        let before = before.filter(|_| change == Change::NewlyAdmitted);
        Self {
            name,
            change,
            reasons,
            before: before.unwrap_or_default(),
            evidence: None,
        }
    }

    pub(super) fn without_evidence(name: String, code: impl Into<String>, why: String) -> Self {
        Self {
            name,
            change: Change::NoEvidence,
            reasons: Vec::new(),
            before: Vec::new(),
            evidence: Some((code.into(), why)),
        }
    }

    fn text(&self, outcomes: &Outcomes) -> String {
        let mut text = format!("  {}\n", self.name);
        for reason in &self.reasons {
            text.push_str(&reasons::text(reason, &outcomes.draft));
        }
        if let Some((code, why)) = &self.evidence {
            text.push_str(&format!("    {code}  {why}\n"));
        }
        for reason in &self.before {
            text.push_str(&format!(
                "    so far: {} (rule {})\n",
                reason.code, reason.rule
            ));
        }
        text
    }

    fn json(&self, outcomes: &Outcomes) -> Value {
        let told = |reason: &Reason| reasons::json(reason, &outcomes.draft);
        let before: Vec<&str> = self.before.iter().map(|reason| reason.code).collect();
        json!({
            "node": self.name,
            "outcome": self.change.word(),
            "reasons": self.reasons.iter().map(told).collect::<Vec<_>>(),
            "so_far": before,
            "evidence": self.evidence.as_ref().map(|(code, why)| json!({"code": code, "message": why})),
        })
    }
}

impl Outcomes {
    pub(super) fn exit(&self) -> Exit {
        if self.all.iter().any(|outcome| outcome.change.is_refusal()) {
            Exit::Rejected
        } else {
            Exit::Accepted
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for change in Change::ALL {
            let of_kind: Vec<_> = self.of(change).collect();
            if of_kind.is_empty() {
                continue;
            }
            text.push_str(&format!("{}: {}\n", change.word(), of_kind.len()));
            for outcome in of_kind {
                text.push_str(&outcome.text(self));
            }
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let nodes: Vec<Value> = self.all.iter().map(|outcome| outcome.json(self)).collect();
        let counts =
            Change::ALL.map(|change| (change.word().to_owned(), json!(self.of(change).count())));
        json!({
            "draft": self.draft,
            "exit": self.exit() as u8,
            "counts": Value::Object(counts.into_iter().collect()),
            "nodes": nodes,
        })
    }

    fn of(&self, change: Change) -> impl Iterator<Item = &Outcome> {
        self.all
            .iter()
            .filter(move |outcome| outcome.change == change)
    }
}
