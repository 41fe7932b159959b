//! Documents as they stand in files: by themselves, in an envelope, or one envelope on each line.

use super::{
    super::{Exit, Failure, config, files},
    kind::Kind,
};
use policy::{
    Envelope, PayloadType, PolicyError, Position, SignatureError, publication::MAX_LINES_BYTES,
};
use std::path::{Path, PathBuf};

/// The most that any kind may have; the cap of its own kind is looked at once that is known.
const MAX_FILE_BYTES: usize = PayloadType::Inventory.max_envelope_bytes();

/// One document and where it stands.
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) envelope: Envelope,
    form: Form,
}

/// How a document stands in its file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Toml,
    Envelope,
    /// One of several envelopes, with its line from 1.
    Line(usize),
}

/// What a file holds.
pub(super) enum Found {
    One(Document),
    /// An envelope on each line, in order.
    Lines(Vec<Document>),
}

impl Document {
    /// Reads a file of one document; the kind is the envelope's, or `given`, or told from the fields, or else a policy.
    pub(super) fn read(path: &Path, given: Option<Kind>) -> Result<Self, Failure> {
        Self::parse(path, files::read(path, MAX_FILE_BYTES)?, given)
    }

    fn parse(path: &Path, bytes: Vec<u8>, given: Option<Kind>) -> Result<Self, Failure> {
        let (form, (kind, envelope)) = if is_json(&bytes) {
            let read = enveloped(&bytes).map_err(|failure| failure.within(&path.display()))?;
            (Form::Envelope, read)
        } else {
            let kind = given.or_else(|| Kind::recognised(&bytes));
            let kind = kind.unwrap_or(Kind::Policy);
            let envelope = Envelope::unsigned(kind.payload_type(), bytes);
            (Form::Toml, (kind, envelope))
        };
        Self {
            path: path.to_owned(),
            kind,
            envelope,
            form,
        }
        .expected(given)
    }

    /// Reads a file with an envelope on each line, whatever it is called.
    pub(super) fn read_lines(path: &Path) -> Result<Vec<Self>, Failure> {
        Self::of_lines(path, &files::read(path, MAX_LINES_BYTES)?, None)
    }

    fn of_lines(path: &Path, bytes: &[u8], given: Option<Kind>) -> Result<Vec<Self>, Failure> {
        if bytes.len() > MAX_LINES_BYTES {
            return Err(too_many_bytes(path));
        }
        let each = |line| Self::of_line(path, line)?.expected(given);
        lines(bytes).map(each).collect()
    }

    fn of_line(path: &Path, (line, bytes): (usize, &[u8])) -> Result<Self, Failure> {
        let place = format!("{}:{line}", path.display());
        let (kind, envelope) = enveloped(bytes).map_err(|failure| failure.within(&place))?;
        Ok(Self {
            path: path.to_owned(),
            kind,
            envelope,
            form: Form::Line(line),
        })
    }

    fn expected(self, given: Option<Kind>) -> Result<Self, Failure> {
        match given {
            Some(given) if given != self.kind => Err(self.is_other_than(given)),
            _ => Ok(self),
        }
    }

    fn is_other_than(&self, given: Kind) -> Failure {
        let message = format!(
            "{} is an envelope for a document of kind {}, not {}",
            self.place(),
            self.kind.name(),
            given.name()
        );
        Failure::new(Exit::Malformed, "policy.signature.payload_type", message)
            .advice("leave --kind out, or give the file that you mean")
    }

    /// The document's text.
    pub(super) fn toml(&self) -> &[u8] {
        self.envelope.unverified_payload()
    }

    /// The same as text; a document that is none has been refused as such.
    pub(super) fn text(&self) -> Result<&str, Failure> {
        str::from_utf8(self.toml()).map_err(|_| {
            let code = PolicyError::NotUtf8.code();
            Failure::new(Exit::Malformed, code, PolicyError::NotUtf8.to_string())
        })
    }

    /// An error with every mistake, if there is one.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let mistakes = self.kind.mistakes(self.toml());
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(config::policy_failure(&mistakes).within(&self.place()))
        }
    }

    /// The file, and the line where it has several envelopes.
    pub(super) fn place(&self) -> String {
        match self.form {
            Form::Line(line) => format!("{}:{line}", self.path.display()),
            Form::Toml | Form::Envelope => self.path.display().to_string(),
        }
    }

    /// Where in the signed text `at` is: `policy.toml:12`, whatever the envelope's file is called.
    pub(super) fn place_of(&self, at: Position) -> String {
        match self.form {
            Form::Toml => format!("{}:{}", self.path.display(), at.line),
            Form::Envelope | Form::Line(_) => format!("{}.toml:{}", self.kind.name(), at.line),
        }
    }
}

impl Found {
    /// Reads a file of one document or, if it is called `.jsonl` or has an envelope on each of several lines, of many.
    pub(super) fn read(path: &Path, given: Option<Kind>) -> Result<Self, Failure> {
        let bytes = files::read(path, MAX_FILE_BYTES)?;
        let is_named = path.extension().is_some_and(|name| name == "jsonl");
        let has_lines = lines(&bytes).count() > 1 && lines(&bytes).all(|(_, line)| is_json(line));
        if is_named || has_lines {
            return Document::of_lines(path, &bytes, given).map(Self::Lines);
        }
        Document::parse(path, bytes, given).map(Self::One)
    }

    /// Its documents, in order.
    pub(super) fn documents(self) -> Vec<Document> {
        match self {
            Self::One(document) => vec![document],
            Self::Lines(documents) => documents,
        }
    }
}

/// A file with lines that no host would take.
pub(super) fn too_many_bytes(path: &Path) -> Failure {
    let message = format!("{} is larger than {MAX_LINES_BYTES} bytes", path.display());
    Failure::new(Exit::Malformed, "file.too_large", message)
}

/// Lines that are not blank, counted from 1.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    lines.filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

fn enveloped(bytes: &[u8]) -> Result<(Kind, Envelope), Failure> {
    let envelope = config::parse_envelope_of(PayloadType::Inventory, bytes)?;
    let kind = Kind::of_envelope(&envelope).ok_or_else(|| {
        let message = format!("an envelope for {:?}", envelope.payload_type());
        Failure::new(Exit::Malformed, "policy.signature.payload_type", message)
            .advice("envelopes are for policies, roots, inventories, orders and timestamps")
    })?;
    let limit_bytes = kind.payload_type().max_envelope_bytes();
    if bytes.len() > limit_bytes {
        let error = SignatureError::TooLarge { limit_bytes };
        return Err(Failure::new(
            Exit::Malformed,
            error.code(),
            error.to_string(),
        ));
    }
    Ok((kind, envelope))
}
