//! Each reason code is known, documented, remedied and tested; each reason names its line.

use policy::Policy;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const PAGE: &str = include_str!("../../docs/policy.md");

/// The complete policy of docs/policy.md.
fn sample() -> &'static str {
    let (_, after) = PAGE.split_once("```toml\n").unwrap();
    after.split_once("```").unwrap().0
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| self::files(folder));
    files.into_iter().chain(below).collect()
}

fn manifest_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sources whose codes are reasons: what evaluates.
fn evaluating() -> Vec<PathBuf> {
    let src = manifest_folder().join("src");
    let mut files = files(&src.join("evaluate"));
    files.retain(|file| !is_test(file));
    files.extend(["evaluate.rs", "in_force.rs"].map(|name| src.join(name)));
    files
}

fn is_test(file: &Path) -> bool {
    let in_sources = file
        .strip_prefix(manifest_folder().join("src"))
        .unwrap_or(file);
    in_sources
        .components()
        .any(|part| part.as_os_str().to_string_lossy().contains("tests"))
}

/// Every code in quotes of these sources.
fn codes_in(files: &[PathBuf]) -> BTreeSet<String> {
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    let quoted = texts.flat_map(|text| {
        let parts: Vec<_> = text.split('"').map(str::to_owned).collect();
        parts
    });
    let is_code = |text: &String| {
        let rest = text.strip_prefix("policy.").unwrap_or("");
        !rest.is_empty()
            && rest
                .chars()
                .all(|c| c.is_ascii_lowercase() || "._".contains(c))
    };
    quoted.filter(is_code).collect()
}

#[test]
fn the_table_of_remedies_has_every_code_of_the_sources_and_no_other() {
    let known: BTreeSet<_> = policy::reason_codes().map(str::to_owned).collect();
    assert_eq!(known.len(), policy::reason_codes().count(), "a code twice");
    assert_eq!(known, codes_in(&evaluating()));
}

#[test]
fn the_page_has_a_row_for_every_code_and_says_the_same() {
    for (code, remedy) in policy::remedies() {
        assert!(PAGE.contains(&format!("| `{code}` | {remedy} |")), "{code}");
    }
}

#[test]
fn the_page_tells_every_code_beside_the_rule_that_it_is_about() {
    for code in policy::reason_codes() {
        let told = PAGE.matches(&format!("`{code}`")).count();
        assert!(told >= 2, "{code}");
    }
}

/// That each is accepted once and denied once is what the tests are for that name it.
#[test]
fn every_code_is_in_a_test() {
    let mut tests = files(&manifest_folder().join("tests"));
    tests.retain(|file| !file.ends_with("reasons.rs"));
    let of_sources = files(&manifest_folder().join("src"));
    tests.extend(of_sources.into_iter().filter(|file| is_test(file)));
    let tested = codes_in(&tests);
    for code in policy::reason_codes() {
        assert!(tested.contains(code), "no test names {code}");
    }
}

/// The text of the line where `rule` stands in the sample.
fn line_of(rule: &str) -> Option<&'static str> {
    let policy = Policy::from_toml(sample().as_bytes()).unwrap();
    let at = policy.place_of(rule)?;
    sample().lines().nth(at.line - 1)
}

#[test]
fn rules_stand_where_the_document_says_them() {
    for (rule, line) in [
        ("expires", "expires = 2027-02-01T00:00:00Z"),
        ("freshness.max_age_seconds", "max_age_seconds = 3600"),
        ("snp.products", "products = [\"genoa\", \"turin\"]"),
        ("snp.minimum_tcb.microcode of genoa", "microcode = 84"),
        ("snp.minimum_tcb.microcode of turin", "microcode = 80"),
        ("snp.guest_policy.smt", "smt = \"allow\""),
        ("snp.platform_info.forbidden", "forbidden = [\"tio_en\"]"),
        ("tdx.attributes.pks", "pks = \"allow\""),
        ("snp", "[snp]"),
    ] {
        assert_eq!(line_of(rule), Some(line), "{rule}");
    }
}

#[test]
fn lists_stand_where_they_begin_and_absent_fields_at_their_table() {
    for (rule, line) in [
        ("snp.measurements", "[[snp.measurements]]"),
        ("models.accepted", "[[models.accepted]]"),
        ("snp.minimum_tcb of turin", "[[snp.minimum_tcb]]"),
        ("gpu.no_such_rule", "[gpu]"),
    ] {
        assert_eq!(line_of(rule), Some(line), "{rule}");
    }
}

#[test]
fn what_every_policy_demands_stands_nowhere() {
    assert_eq!(line_of("every policy"), None);
}
