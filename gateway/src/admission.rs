//! Whether something may be served now: asked for every request, and again by what is cut.

use crate::{
    gateway::Core,
    problem::Problem,
    registry::{Node, Verdict},
};

impl Core {
    /// Whether anything may be served.
    pub(crate) fn check_standing(&self) -> Result<(), Problem> {
        self.standing.load().check(self.clock.now())
    }

    /// Whether `node` may be used.
    pub(crate) fn check_node(&self, node: &Node) -> Result<(), Problem> {
        self.check_standing()?;
        match node.verdict_at(self.clock.now()) {
            Verdict::Admitted(_) => Ok(()),
            Verdict::Unknown(_) => Err(Problem::NodeNotAdmitted),
            Verdict::Refused(code) => Err(self.standing.load().node_problem(&node.name, code)),
        }
    }

    /// The node that `name` names, if it may be used.
    pub(crate) fn admitted(&self, name: &str) -> Result<&Node, Problem> {
        let node = self.registry.find(name)?;
        self.check_node(node).map(|()| node)
    }

    /// Why `node` was cut.
    pub(crate) fn refusal(&self, node: &Node) -> Problem {
        let refused = self.check_node(node).err();
        refused.unwrap_or(Problem::NodeNotAdmitted)
    }
}
