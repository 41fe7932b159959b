//! The verdict, with the exit status that the `narthex` command gives the same evidence.

use attestation::{ErrorClass, Step};
use serde_json::{Value, json};

/// What is said of one request.
pub(crate) struct Verdict {
    exit: u8,
    code: &'static str,
    message: String,
    is_retryable: bool,
    steps: Value,
    claims: Value,
}

/// Why a verifier did not take the evidence for authentic.
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) class: ErrorClass,
    pub(crate) is_retryable: bool,
    pub(crate) message: String,
}

/// What is wrong with authentic evidence where there is no policy to allow it.
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Verdict {
    pub(crate) fn no_request() -> Self {
        Self::without_claims(2, "request", "not a request".into())
    }

    /// Input in which there is no evidence to look at.
    pub(crate) fn malformed(code: &'static str, message: String) -> Self {
        Self::without_claims(30, code, message)
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        let exit = match refusal.class {
            ErrorClass::Rejected => 10,
            ErrorClass::Unsupported | ErrorClass::Incomplete => 20,
            ErrorClass::Malformed => 30,
        };
        Self {
            is_retryable: refusal.is_retryable,
            ..Self::without_claims(exit, refusal.code, refusal.message)
        }
    }

    /// Accepted, or rejected for the first of `faults`.
    pub(crate) fn authentic(steps: Value, claims: Value, faults: Vec<Fault>) -> Self {
        let verdict = match faults.into_iter().next() {
            None => Self::without_claims(0, "ok", String::new()),
            Some(fault) => Self::without_claims(10, fault.code, fault.message),
        };
        Self {
            steps,
            claims,
            ..verdict
        }
    }

    const fn without_claims(exit: u8, code: &'static str, message: String) -> Self {
        Self {
            exit,
            code,
            message,
            is_retryable: false,
            steps: Value::Null,
            claims: Value::Null,
        }
    }

    /// Members that do not apply are null.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "exit": self.exit,
            "code": self.code,
            "message": self.message,
            "retryable": self.is_retryable,
            "steps": self.steps,
            "claims": self.claims,
        })
    }
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
        }
    }
}

/// What each of `steps` found.
pub(crate) fn told(steps: &[Step], detail: impl Fn(&Step) -> String) -> Value {
    let told = steps
        .iter()
        .map(|step| json!({"id": step.id, "detail": detail(step)}));
    told.collect()
}
