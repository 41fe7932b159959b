//! One verifier's steps as far as they came, check by check.

use crate::{Check, Outcome};
use attestation::{ErrorClass, Step};

/// Where a verifier stopped.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    /// The failing step's id.
    pub(crate) code: &'static str,
    /// What the refusal says of the input.
    pub(crate) class: ErrorClass,
    /// The error, in words.
    pub(crate) message: String,
}

/// Steps before the one that stopped passed, those after it were not tried, those in `not_given` looked at nothing.
///
/// A step that lacks its input is skipped, not failed.
pub(crate) fn trace(
    steps: &[Step],
    stop: Option<&Stop>,
    not_given: &[&str],
    detail: impl Fn(&Step) -> String,
) -> Vec<Check> {
    let mut reached = Outcome::Pass;
    let mut checks = Vec::new();
    for step in steps {
        let (outcome, text) = match stop {
            Some(stop) if stop.code == step.id => {
                reached = Outcome::Skip;
                (outcome_of(stop.class), stop.message.clone())
            }
            _ if not_given.contains(&step.id) => (Outcome::Skip, "nothing to look at".into()),
            _ if reached == Outcome::Pass => (Outcome::Pass, detail(step)),
            _ => (Outcome::Skip, String::new()),
        };
        let check = Check::new(outcome, step.id, step.title);
        checks.push(check.section(step.section).detail(text));
    }
    checks
}

const fn outcome_of(class: ErrorClass) -> Outcome {
    match class {
        ErrorClass::Incomplete => Outcome::Skip,
        _ => Outcome::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::{Stop, trace};
    use crate::Outcome::{self, Fail, Pass, Skip};
    use attestation::{ErrorClass, Step};

    const STEPS: [Step; 3] = [step("a"), step("b"), step("c")];

    const fn step(id: &'static str) -> Step {
        Step {
            id,
            title: "",
            section: "",
        }
    }

    fn outcomes(class: Option<ErrorClass>, not_given: &[&str]) -> Vec<Outcome> {
        let stop = class.map(|class| Stop {
            code: "b",
            class,
            message: "m".into(),
        });
        let checks = trace(&STEPS, stop.as_ref(), not_given, |_| String::new());
        checks.iter().map(|check| check.outcome).collect()
    }

    #[test]
    fn a_skip_is_never_a_pass() {
        assert_eq!(outcomes(None, &[]), [Pass, Pass, Pass]);
        assert_eq!(outcomes(None, &["c"]), [Pass, Pass, Skip]);
        assert_eq!(
            outcomes(Some(ErrorClass::Rejected), &["a"]),
            [Skip, Fail, Skip]
        );
        assert_eq!(
            outcomes(Some(ErrorClass::Incomplete), &[]),
            [Pass, Skip, Skip]
        );
    }
}
