//! `narthex policy test`: the cases of a policy repository.

use super::{
    super::{Context, Exit, Failure, files},
    case::{Case, Judged, Verdict},
    reasons, trust,
};
use clap::Args;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Run cases: a node's evidence or claims, the documents that judge it, the verdict that is expected
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy test cases/
  narthex policy test cases/accept-frankfurt.toml cases/deny-debug.toml --json

A case (TOML or JSON) names its policy, inventory and orders, gives `evidence` or [claims], and expects `admit`, or `deny` with the
codes of all reasons. Claims are for trying rules: nothing that a case says admits a node anywhere. Status 10 if one does not hold.")]
pub(crate) struct Test {
    /// Case files, or folders of them (*.toml, *.json)
    #[arg(required = true, value_name = "FILE|FOLDER")]
    cases: Vec<PathBuf>,
}

/// One case and what came out.
struct Run {
    path: PathBuf,
    case: Case,
    judged: Judged,
}

impl Test {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let mut runs = Vec::new();
        for path in all_cases(&self.cases)? {
            let case = Case::read(&path)?;
            let judged = case.judge(trust::folder_of(&path), context)?;
            runs.push(Run { path, case, judged });
        }
        let failed = runs.iter().filter(|run| !run.holds()).count();
        let documents: Vec<Value> = runs.iter().map(Run::json).collect();
        let mut text: String = runs.iter().map(Run::text).collect();
        text.push_str(&format!("{} cases, {failed} failed\n", runs.len()));
        let document = json!({"cases": documents, "failed": failed});
        context.output.either(&document, &text)?;
        Ok(if failed == 0 {
            Exit::Accepted
        } else {
            Exit::Rejected
        })
    }
}

impl Run {
    fn holds(&self) -> bool {
        let mut found = self.codes();
        let mut expected: Vec<&str> = self.case.codes.iter().map(String::as_str).collect();
        found.sort_unstable();
        found.dedup();
        expected.sort_unstable();
        expected.dedup();
        match self.case.expect {
            Verdict::Admit => found.is_empty(),
            Verdict::Deny => found == expected,
        }
    }

    fn codes(&self) -> Vec<&str> {
        let evidence = self.judged.evidence.iter().map(|(code, _)| *code);
        let reasons = self.judged.reasons.iter().map(|reason| reason.code);
        evidence.chain(reasons).collect()
    }

    /// One line for a case that holds; for one that does not, what was expected and every reason.
    fn text(&self) -> String {
        let (path, name) = (self.path.display(), &self.case.name);
        if self.holds() {
            return format!("PASS  {path}  {name}\n");
        }
        let expected = match self.case.expect {
            Verdict::Admit => "admit".to_owned(),
            Verdict::Deny => format!("deny with {}", self.case.codes.join(", ")),
        };
        let found = match self.codes().join(", ") {
            codes if codes.is_empty() => "admit".to_owned(),
            codes => format!("deny with {codes}"),
        };
        let mut text =
            format!("FAIL  {path}  {name}\n    expected {expected}\n    found {found}\n");
        for reason in &self.judged.reasons {
            text.push_str(&reasons::text(reason, &self.policy()));
        }
        if let Some((code, why)) = &self.judged.evidence {
            text.push_str(&format!("    {code}  {why}\n"));
        }
        text
    }

    fn policy(&self) -> PathBuf {
        trust::folder_of(&self.path).join(&self.case.policy)
    }

    fn json(&self) -> Value {
        let told = self.judged.reasons.iter();
        let told: Vec<Value> = told
            .map(|reason| reasons::json(reason, &self.policy()))
            .collect();
        json!({
            "case": self.path,
            "name": self.case.name,
            "holds": self.holds(),
            "expected": if self.case.expect == Verdict::Admit { "admit" } else { "deny" },
            "expected_codes": self.case.codes,
            "found_codes": self.codes(),
            "reasons": told,
        })
    }
}

/// Files, and those of folders in the order of their names.
fn all_cases(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut cases = Vec::new();
    for path in paths {
        if path.is_dir() {
            cases.extend(in_folder(path)?);
        } else {
            cases.push(path.clone());
        }
    }
    if cases.is_empty() {
        return Err(Failure::usage("policy.test.cases", "there is no case")
            .advice("give case files, or folders with *.toml or *.json files"));
    }
    Ok(cases)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| files::unreadable(folder, &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_case = |path: &PathBuf| {
        path.extension()
            .is_some_and(|name| name == "toml" || name == "json")
    };
    let mut cases: Vec<PathBuf> = paths.filter(is_case).collect();
    cases.sort();
    Ok(cases)
}
