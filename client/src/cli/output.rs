//! The one place that prints. Checks and notices go to standard error in commands that answer, to standard output in those that judge.

use super::{Exit, Failure, Global, config, report::Report};
use crate::{Check, Event, Observer, Outcome};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
};

/// Where and how things are said.
pub(crate) struct Output {
    format: Format,
    volume: Volume,
    color: Color,
    streams: Streams,
    /// Checks seen so far, for the JSON document.
    checks: Mutex<Vec<Check>>,
}

/// Where a command writes.
#[derive(Clone, Copy)]
pub struct Streams {
    /// Answers and verdicts.
    pub answers: fn() -> Box<dyn Write>,
    /// Checks, notices and errors.
    pub notices: fn() -> Box<dyn Write>,
}

impl Streams {
    /// The process's standard output and standard error.
    pub const STANDARD: Self = Self {
        answers: || Box::new(io::stdout()),
        notices: || Box::new(io::stderr()),
    };
    /// Nowhere: of what is run within another program, its status and its files alone count.
    pub const NONE: Self = Self {
        answers: || Box::new(io::sink()),
        notices: || Box::new(io::sink()),
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Volume {
    Normal,
    Quiet,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Color {
    stdout: bool,
    stderr: bool,
}

impl Output {
    pub(crate) fn new(global: &Global, streams: Streams) -> Self {
        let wanted = config::color_wanted();
        Self {
            format: if global.json {
                Format::Json
            } else {
                Format::Text
            },
            volume: if global.quiet {
                Volume::Quiet
            } else {
                Volume::Normal
            },
            color: Color {
                stdout: wanted && io::stdout().is_terminal(),
                stderr: wanted && io::stderr().is_terminal(),
            },
            streams,
            checks: Mutex::default(),
        }
    }

    /// Part of an answer, as it comes; nothing in JSON mode, where the document carries it.
    pub(crate) fn answer(&self, text: &str) -> Result<(), Failure> {
        if self.format == Format::Json {
            return Ok(());
        }
        self.write(&displayable(text))
    }

    /// Text that was asked for: a document, a key, a completion script.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        self.write(text)
    }

    /// The address that scripts read, alone on its line of standard output.
    pub(crate) fn ready(&self, url: &str) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.write(&format!("{url}\n")),
            Format::Json => self.write(&format!("{}\n", json!({"ready": url}))),
        }
    }

    /// A JSON document in JSON mode, `text` otherwise.
    pub(crate) fn either(&self, document: &Value, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.write(text),
            Format::Json => self.write(&json_text(document)),
        }
    }

    /// The checks seen so far.
    pub(crate) fn checks(&self) -> Vec<Check> {
        self.lock().clone()
    }

    /// A report of a command that judges; its verdict is the last line.
    pub(crate) fn report(&self, report: &Report) -> Result<Exit, Failure> {
        match self.format {
            Format::Json => self.write(&json_text(&report.to_json()))?,
            Format::Text => {
                let mut text = String::new();
                for check in &report.checks {
                    text.push_str(&line(check, self.color.stdout));
                }
                text.push_str(&report.verdict_line());
                self.write(&text)?;
            }
        }
        Ok(report.exit)
    }

    /// Something that the user must know although the work goes on.
    pub(crate) fn notice(&self, text: &str) {
        if self.volume == Volume::Normal {
            self.tell(&format!("note: {}\n", displayable(text)));
        }
    }

    /// How far long work is, in place of what was told before; empty, the line is free again. For people who look on, so on terminals alone.
    pub(crate) fn progress(&self, text: &str) {
        let is_wanted = self.volume == Volume::Normal && self.format == Format::Text;
        if is_wanted && io::stderr().is_terminal() {
            self.tell(&format!("\r\u{1b}[K{}", displayable_line(text)));
        }
    }

    /// The end of a command that gave up.
    pub(crate) fn failure(&self, failure: &Failure) -> Exit {
        if failure.code == OUTPUT_CLOSED {
            return failure.exit;
        }
        match self.format {
            Format::Json => {
                let _ = self.write(&json_text(&failure_document(failure, &self.checks())));
            }
            Format::Text => self.tell(&failure_text(failure, self.color.stderr)),
        }
        failure.exit
    }

    fn check(&self, check: &Check) {
        self.lock().push(check.clone());
        if self.volume == Volume::Normal && self.format == Format::Text {
            self.tell(&line(check, self.color.stderr));
        }
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        write(&mut (self.streams.answers)(), text)
    }

    /// Standard error may be closed; there is nobody to tell.
    fn tell(&self, text: &str) {
        let _ = (self.streams.notices)().write_all(text.as_bytes());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Check>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Output {
    fn observe(&self, event: &Event) {
        match event {
            Event::Check(check) => self.check(check),
            Event::Notice(text) => self.notice(text),
        }
    }
}

/// What clap has to say: help and version to standard output, mistakes to standard error or, with `--json`, as a document.
pub(crate) fn usage(error: &clap::Error, args: &[OsString]) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Accepted;
    }
    if args.iter().any(|arg| arg == "--json") {
        let document = failure_document(&usage_failure(error), &[]);
        let _ = write(&mut io::stdout(), &json_text(&document));
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

fn usage_failure(error: &clap::Error) -> Failure {
    let told = error.to_string();
    let message = told.strip_prefix("error: ").unwrap_or(&told).trim_end();
    Failure::usage("usage", message)
        .advice("`narthex --help` and `narthex COMMAND --help` tell how")
}

fn failure_document(failure: &Failure, checks: &[Check]) -> Value {
    json!({
        "verdict": failure.exit.verdict(),
        "exit": failure.exit as u8,
        "error": {
            "code": failure.code,
            "message": failure.message,
            "advice": failure.advice,
        },
        "checks": checks,
    })
}

const OUTPUT_CLOSED: &str = "output.closed";

/// `PASS  id  title  [section]  — detail`
fn line(check: &Check, color: bool) -> String {
    let mut line = format!("{}  {}", check.id, check.title);
    if !check.section.is_empty() {
        line.push_str(&format!("  [{}]", check.section));
    }
    if !check.detail.is_empty() {
        line.push_str(&format!("  — {}", check.detail));
    }
    format!(
        "{}  {}\n",
        word(check.outcome, color),
        displayable_line(&line)
    )
}

fn word(outcome: Outcome, color: bool) -> String {
    let (word, code) = match outcome {
        Outcome::Pass => ("PASS", 32),
        Outcome::Fail => ("FAIL", 31),
        Outcome::Skip => ("SKIP", 33),
        Outcome::Info => ("INFO", 36),
    };
    paint(word, code, color)
}

fn failure_text(failure: &Failure, color: bool) -> String {
    let error = paint("error", 31, color);
    let message = displayable(&failure.message);
    let code = displayable_line(&failure.code);
    let mut text = format!("{error}[{code}]: {message}\n");
    if !failure.advice.is_empty() {
        text.push_str(&format!("  what to do: {}\n", failure.advice));
    }
    text
}

fn paint(text: &str, code: u8, color: bool) -> String {
    if color {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// Without control characters that could drive a terminal: models and peers write this text.
fn displayable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// The same for one line: a peer's manifest stands in it, and must not write over the verdict, hide it or turn it around.
pub(crate) fn displayable_line(line: &str) -> String {
    let turns_around = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    line.replace(turns_around, "").replace(is_break, " ")
}

/// JSON for people, one line end after it. The control characters that JSON leaves as they are stand in strings alone.
pub(crate) fn json_text(document: &Value) -> String {
    let mut text = String::new();
    for c in format!("{document:#}\n").chars() {
        match c {
            '\u{7f}'..='\u{9f}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

fn write(to: &mut dyn Write, text: &str) -> Result<(), Failure> {
    to.write_all(text.as_bytes())
        .and_then(|()| to.flush())
        .map_err(|error| closed(&error))
}

/// A reader that left (`| head`) is no error worth words.
fn closed(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(Exit::Internal, OUTPUT_CLOSED, String::new());
    }
    Failure::internal("output.write", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_contract_s_shape() {
        let check = Check::pass("snp.signature", "report signature")
            .section("AMD 56860 8.3")
            .detail("by the VCEK");
        assert_eq!(
            line(&check, false),
            "PASS  snp.signature  report signature  [AMD 56860 8.3]  — by the VCEK\n"
        );
        let bare = Check::info("snp.crl", "not checked");
        assert_eq!(line(&bare, false), "INFO  snp.crl  not checked\n");
    }

    #[test]
    fn a_model_cannot_drive_the_terminal() {
        assert_eq!(displayable("a\u{1b}[2Jb\r\u{9b}c\n\td"), "a[2Jbc\n\td");
    }

    #[test]
    fn a_manifest_cannot_rewrite_the_verdict() {
        let model = "m\u{1b}[8m\r\u{9b}2K\u{202e}\nPASS  policy.admitted";
        let check = Check::fail("manifest", "t").detail(model);
        assert_eq!(
            line(&check, false),
            "FAIL  manifest  t  — m [8m  2K PASS  policy.admitted\n"
        );
        assert!(line(&check, true).starts_with("\u{1b}[31mFAIL\u{1b}[0m  manifest"));
        let failure = Failure::new(Exit::Internal, "api.\u{1b}[2J", "m");
        assert_eq!(failure_text(&failure, false), "error[api. [2J]: m\n");
    }

    #[test]
    fn json_carries_no_control_character() {
        let document = json!({"model": "a\u{9b}2K\u{7f}\u{1b}é"});
        let text = json_text(&document);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
