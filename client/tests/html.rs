//! `--html`: a page for every verdict, that needs nothing beside itself.

use crate::narthex::{Run, narthex, sev_evidence};
use std::{fs, path::Path};

const AT: &str = "2026-06-01T00:00:00Z";
/// Elements without content or end.
const VOID: [&str; 2] = ["meta", "!doctype"];

/// A folder with the Milan evidence of crate `sev`.
fn evidence() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["report_milan.hex", "vcek_milan.der", "vcek_turin.der"] {
        fs::copy(sev_evidence().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Judges `report` with `vek`; the run and its page.
fn judge(folder: &Path, report: &str, vek: &str) -> (Run, String) {
    let arguments = [
        "verify",
        "snp",
        "--report",
        report,
        "--vek",
        vek,
        "--at",
        AT,
        "--html",
        "page.html",
    ];
    let run = narthex(folder, &arguments);
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    fs::remove_file(folder.join("page.html")).unwrap();
    (run, page)
}

/// Panics unless every element that is opened is closed in its turn.
fn assert_balanced(page: &str) {
    let mut open = Vec::new();
    let (_, tags) = page.split_once('<').unwrap();
    for tag in tags.split('<') {
        let (tag, _) = tag.split_once('>').unwrap();
        let name = tag.split_whitespace().next().unwrap().to_lowercase();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "{tag}"),
            None if VOID.contains(&name.as_str()) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn a_page_for_every_verdict() {
    let folder = evidence();
    fs::write(folder.path().join("noise"), b"no report").unwrap();
    for (report, vek, status, verdict) in [
        ("report_milan.hex", "vcek_milan.der", 0, "ACCEPTED"),
        ("report_milan.hex", "vcek_turin.der", 10, "REJECTED"),
        ("noise", "vcek_milan.der", 30, "MALFORMED"),
    ] {
        let (run, page) = judge(folder.path(), report, vek);
        assert_eq!(run.status, status, "{run:?}");
        assert!(run.last_line().starts_with(verdict), "{run:?}");
        assert!(
            page.contains(&format!("<strong>{verdict}</strong>")),
            "{page}"
        );
        assert!(page.contains(&format!("Exit status {status}.")), "{page}");
        assert_balanced(&page);
        for line in run.stdout.lines().filter(|line| line.contains("  snp.")) {
            let id = line.split("  ").nth(1).unwrap();
            assert!(page.contains(&format!("<code>{id}</code>")), "{id}");
        }
    }
}

#[test]
fn the_page_needs_nothing_beside_itself() {
    let folder = evidence();
    let (_, page) = judge(folder.path(), "report_milan.hex", "vcek_milan.der");
    assert!(
        page.starts_with("<!DOCTYPE html><html lang=\"en\">"),
        "{page}"
    );
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "));
    for forbidden in [
        "<script", "<link", "<img", "<iframe", "<form", " src=", " href=", " style=", "://",
    ] {
        assert!(!page.contains(forbidden), "{forbidden} in {page}");
    }
    let headers = page.matches("<th").count();
    let scoped = page.matches("<th scope=\"").count();
    assert_eq!(headers, scoped + page.matches("<thead").count());
    assert!(page.contains("@media print"));
}

#[test]
fn inputs_are_told_by_the_bytes_that_were_judged() {
    let folder = evidence();
    let (_, page) = judge(folder.path(), "report_milan.hex", "vcek_milan.der");
    for name in ["report_milan.hex", "vcek_milan.der"] {
        let digest = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            &fs::read(folder.path().join(name)).unwrap(),
        );
        assert!(page.contains(&format!("<code>{name}</code>")), "{name}");
        assert!(page.contains(&hex::encode(digest)), "{name}");
    }
    assert!(page.contains(&format!("--at {AT}")), "the command is told");
}

#[test]
fn a_hostile_name_stays_text() {
    let folder = evidence();
    let name = "<img onerror=x>\u{202e}\u{1b}[2J.hex";
    fs::copy(
        folder.path().join("report_milan.hex"),
        folder.path().join(name),
    )
    .unwrap();
    let (run, page) = judge(folder.path(), name, "vcek_milan.der");
    assert_eq!(run.status, 0, "{run:?}");
    assert!(page.contains("&lt;img onerror=x&gt;"), "{page}");
    assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{1b}'));
}

#[test]
fn a_page_that_cannot_be_written_is_told_and_no_verdict_is() {
    let folder = evidence();
    let arguments = [
        "verify",
        "--html",
        "absent/page.html",
        "snp",
        "--report",
        "report_milan.hex",
        "--vek",
        "vcek_milan.der",
        "--at",
        AT,
    ];
    let run = narthex(folder.path(), &arguments);
    assert_eq!((run.status, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(run.stderr.starts_with("error[file.write]: "), "{run:?}");
}
