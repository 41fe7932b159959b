//! The outcome of a command that judges: checks, verdict, claims.

use super::Exit;
use crate::Check;
use attestation::{ErrorClass, VerifyError};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A verdict with everything that led to it.
pub(crate) struct Report {
    pub(crate) exit: Exit,
    pub(crate) checks: Vec<Check>,
    /// Whether the same evidence may pass later, with fresher collateral or at another time.
    pub(crate) retryable: Retryable,
    /// What was verified; null if nothing was.
    pub(crate) claims: Value,
    /// The step that lacked its input, where nothing failed.
    pub(crate) incomplete_at: Option<&'static str>,
}

/// Whether to try again with fresher collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retryable {
    No,
    Yes,
}

impl Report {
    /// The verdict of `checks`: rejected if one failed.
    pub(crate) fn of(checks: Vec<Check>, claims: Value) -> Self {
        let failed = checks.iter().any(Check::is_failure);
        Self {
            exit: if failed {
                Exit::Rejected
            } else {
                Exit::Accepted
            },
            checks,
            retryable: Retryable::No,
            claims,
            incomplete_at: None,
        }
    }

    /// The same with further checks, rejected if one of them failed.
    pub(crate) fn with(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        let checks: Vec<Check> = checks.into_iter().collect();
        if checks.iter().any(Check::is_failure) {
            self.exit = self.exit.and(Exit::Rejected);
        }
        self.checks.extend(checks);
        self
    }

    /// The same, with the step at which its verifier stopped.
    pub(crate) fn stopped_by(self, code: &'static str) -> Self {
        Self {
            incomplete_at: (self.exit == Exit::Incomplete).then_some(code),
            ..self
        }
    }

    /// The same with a graver verdict, if it is one.
    pub(crate) fn and(self, exit: Exit, retryable: Retryable) -> Self {
        Self {
            exit: self.exit.and(exit),
            retryable,
            ..self
        }
    }

    /// `ACCEPTED`, or another verdict with the codes of the checks that failed.
    pub(crate) fn verdict_line(&self) -> String {
        let mut codes = self.failed_codes();
        if codes.is_empty() {
            codes.extend(self.incomplete_at);
        }
        let verdict = self.exit.verdict().to_uppercase();
        let retry = match self.retryable {
            Retryable::Yes => "  — retryable: with other or fresher collateral",
            Retryable::No => "",
        };
        if codes.is_empty() {
            format!("{verdict}{retry}\n")
        } else {
            format!("{verdict}  {}{retry}\n", codes.join(", "))
        }
    }

    /// Whether to try again with collateral that is current.
    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable == Retryable::Yes
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "verdict": self.exit.verdict(),
            "exit": self.exit as u8,
            "retryable": self.is_retryable(),
            "checks": self.checks,
            "claims": self.claims,
        })
    }

    /// Each once, in the order of the checks.
    pub(crate) fn failed_codes(&self) -> Vec<&str> {
        let mut codes = Vec::new();
        for check in self.checks.iter().filter(|check| check.is_failure()) {
            if !codes.contains(&check.id.as_ref()) {
                codes.push(check.id.as_ref());
            }
        }
        codes
    }
}

/// The exit status that a refusal of evidence means.
pub(crate) fn exit_of_evidence(error: &VerifyError) -> Exit {
    exit_of_class(error.class())
}

pub(crate) const fn exit_of_class(class: ErrorClass) -> Exit {
    match class {
        ErrorClass::Malformed => Exit::Malformed,
        ErrorClass::Rejected => Exit::Rejected,
        ErrorClass::Unsupported | ErrorClass::Incomplete => Exit::Incomplete,
    }
}

/// Malformed input, told as a report of one check.
pub(crate) fn malformed(code: Cow<'static, str>, title: &'static str, detail: String) -> Report {
    Report::of(vec![Check::fail(code, title).detail(detail)], Value::Null)
        .and(Exit::Malformed, Retryable::No)
}
