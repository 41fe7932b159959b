//! `[rego]`: a module of the policy's own (Rego v1) that can only add denials. No network, no clock, no files; a budget of steps.

mod input;
mod steps;

pub(crate) use input::input;

use regorus::{Engine, Value};
use std::fmt;

/// Longest module, in bytes.
pub const MAX_MODULE_BYTES: usize = 64 * 1024;

/// Most denials that are told of one evaluation.
const MAX_DENIALS: usize = 64;
/// Most characters that are told of one denial.
const MAX_DENIAL_CHARS: usize = 512;

const PACKAGE: &str = "data.narthex";
const RULE: &str = "data.narthex.deny";

/// A module that parses, and has a rule `deny` in the package `narthex`.
#[derive(Clone)]
pub struct RegoModule {
    engine: Engine,
}

/// Why an evaluation gave no answer; the node is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegoFailure(pub(crate) String);

impl RegoModule {
    /// Parses `module`; what is wrong with it, for people.
    pub(crate) fn parse(module: &str) -> Result<Self, String> {
        let mut engine = Engine::new();
        engine.set_strict_builtin_errors(true);
        // What `print` says is kept and thrown away with the engine.
        engine.set_gather_prints(true);
        engine.set_execution_timer_config(steps::budget());
        let package = engine.add_policy("rego.module".to_owned(), module.to_owned());
        let package = package.map_err(|error| told(&error.to_string()))?;
        if package != PACKAGE {
            return Err("the module must begin with `package narthex`".to_owned());
        }
        let compiled = engine.compile_with_entrypoint(&RULE.into());
        compiled.map_err(|error| told(&error.to_string()))?;
        Ok(Self { engine })
    }

    /// What the rule `deny` says of `input`: one text for each denial, in order of their bytes.
    pub(crate) fn denials(&self, input: Value) -> Result<Vec<String>, RegoFailure> {
        let mut engine = self.engine.clone();
        engine.set_input(input);
        steps::start();
        let denied = engine.eval_rule(RULE.to_owned());
        let denied = denied.map_err(|error| RegoFailure(told(&error.to_string())))?;
        let texts = denied
            .as_set()
            .map_err(|_| RegoFailure("`deny` is not a set".to_owned()))?
            .iter()
            .take(MAX_DENIALS)
            .map(|denial| match denial.as_string() {
                Ok(text) => Ok(told(text)),
                Err(_) => Err(RegoFailure(
                    "`deny` has a member that is not a string".to_owned(),
                )),
            });
        texts.collect()
    }
}

impl fmt::Debug for RegoModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegoModule")
    }
}

/// One line of bounded length.
fn told(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_DENIAL_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "package narthex\nimport rego.v1\n";

    fn module(rules: &str) -> RegoModule {
        RegoModule::parse(&format!("{HEAD}{rules}")).unwrap()
    }

    fn input(json: &str) -> Value {
        Value::from_json_str(json).unwrap()
    }

    #[test]
    fn each_member_of_deny_is_a_denial() {
        let module = module(
            "deny contains \"old\" if input.age > 3\ndeny contains \"red\" if input.colour == \"red\"\n",
        );
        let denials = |json| module.denials(input(json)).unwrap();
        assert_eq!(denials(r#"{"age": 4, "colour": "red"}"#), ["old", "red"]);
        assert_eq!(denials(r#"{"age": 3}"#), Vec::<String>::new());
    }

    #[test]
    fn a_module_of_another_package_or_without_the_rule_is_refused() {
        assert!(
            RegoModule::parse("package other\nimport rego.v1\ndeny contains 1 if true").is_err()
        );
        assert!(RegoModule::parse(&format!("{HEAD}allow := true")).is_err());
        assert!(RegoModule::parse(&format!("{HEAD}deny contains")).is_err());
    }

    #[test]
    fn what_gives_no_set_of_strings_fails() {
        let failed = |rules| module(rules).denials(input("{}")).unwrap_err();
        failed("deny := true");
        failed("deny contains 1 if true");
        failed("deny contains x if { x := to_number(\"x\") }");
    }

    #[test]
    fn nothing_outside_can_be_asked() {
        for call in [
            "http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1/\"})",
            "time.now_ns()",
            "opa.runtime()",
            "net.lookup_ip_addr(\"localhost\")",
            "rand.intn(\"x\", 3)",
        ] {
            let rules = format!("{HEAD}deny contains \"x\" if {{ y := {call}; y != 0 }}");
            let refused = RegoModule::parse(&rules)
                .and_then(|module| module.denials(input("{}")).map_err(|failure| failure.0));
            assert!(refused.is_err(), "{call}: {refused:?}");
        }
    }

    #[test]
    fn work_without_end_is_cut_after_the_same_number_of_steps() {
        let module = module(
            "deny contains \"x\" if { some a in numbers.range(1, 400); some b in numbers.range(1, 400); some c in numbers.range(1, 400); a + b + c == 0 }",
        );
        let first = module.denials(input("{}")).unwrap_err();
        let second = module.denials(input("{}")).unwrap_err();
        assert_eq!(first, second);
        assert!(first.0.contains("limit"), "{first:?}");
    }
}
