//! The peer: the same rules in Rego, compiled once for the virtual machine of crate `regorus`, its fastest way.

use crate::{
    cases::{Case, NOW},
    counting::allocations,
    input,
};
use regorus::{Engine, Value, languages::rego::compiler::Compiler, rvm::vm::RegoVM};
use serde_json::json;
use std::{collections::BTreeSet, error::Error, hint::black_box};

const RULES: &str = include_str!("policy.rego");
const ENTRY_POINT: &str = "data.narthex.deny";

/// A virtual machine with the rules, the policy and the inventory, and the claims that it is asked about.
pub struct Rego {
    machine: RegoVM,
    input: Value,
}

impl Rego {
    pub fn new(case: &Case) -> Result<Self, Box<dyn Error>> {
        let data = json!({
            "policy": input::policy(&case.policy)?,
            "inventory": input::inventory(case.in_force.inventory()),
            "anchors": ["vendor", "custom"],
        });
        let data = Value::from(data);
        let mut engine = Engine::new();
        engine.add_policy("policy.rego".to_owned(), RULES.to_owned())?;
        engine.add_data(data.clone())?;
        let policy = engine.compile_with_entrypoint(&ENTRY_POINT.into())?;
        let program = Compiler::compile_from_policy(&policy, &[ENTRY_POINT])
            .map_err(|error| format!("{error:?}"))?;
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine
            .set_data(data)
            .map_err(|error| format!("{error:?}"))?;
        let input = input::claims(&case.verified, NOW);
        let input = Value::from(input);
        Ok(Self { machine, input })
    }

    /// One evaluation; the claims are a value of the peer's own already.
    pub fn evaluate(&mut self) -> Value {
        self.machine.set_input(black_box(self.input.clone()));
        self.machine.execute().expect("the rules can be evaluated")
    }

    /// Allocations of one evaluation.
    pub fn allocations(&mut self) -> u64 {
        allocations(|| self.evaluate()).1
    }

    /// Codes of the reasons against the node.
    pub fn codes(&mut self) -> Result<BTreeSet<String>, Box<dyn Error>> {
        let denied = self.evaluate();
        let codes = denied.as_set()?.iter();
        let codes = codes.map(|code| Ok(code.as_string()?.to_string()));
        codes.collect()
    }
}
