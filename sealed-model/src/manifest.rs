//! The manifest: which files a sealed model has, and the digest of each of their segments. Deterministic CBOR.

use crate::{
    FileName, KeyId, MODEL_ID_BYTES, OpenError, SegmentSize,
    collision::misplaced,
    header::{HEADER_BYTES, Header},
    key::FileContext,
    layout::Layout,
};
use attestation::{
    Digest,
    cbor::{self, Fields},
};
use ciborium::Value;

/// Name of the manifest's envelope.
pub const MANIFEST_NAME: &str = "MANIFEST.json";
/// Most files of a model.
pub const MAX_FILES: usize = 65_536;

/// Largest manifest, in bytes of CBOR.
pub(crate) const MAX_MANIFEST_BYTES: usize = 16 << 20;
const VERSION: u64 = 1;
const DIGEST_BYTES: usize = 32;

/// A manifest whose form was checked; whose it is, [`crate::SealedModel::open`] knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub(crate) model_id: [u8; MODEL_ID_BYTES],
    pub(crate) key_id: KeyId,
    pub(crate) segment: SegmentSize,
    /// Ascending by name, not empty.
    pub(crate) files: Vec<FileEntry>,
}

/// A file of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    pub(crate) name: FileName,
    pub(crate) layout: Layout,
    pub(crate) sha256: Digest,
    pub(crate) header: Header,
    /// SHA-256 of each stored segment, as many as the layout has.
    pub(crate) segments: Vec<Digest>,
}

impl FileEntry {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &FileName {
        &self.name
    }

    /// Bytes of plaintext.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.layout.length()
    }

    /// SHA-256 of the plaintext.
    #[must_use]
    pub const fn sha256(&self) -> &Digest {
        &self.sha256
    }

    /// How many segments it has.
    #[must_use]
    pub fn segments(&self) -> u64 {
        self.layout.segments()
    }

    pub(crate) fn context<'a>(&'a self, model_id: &'a [u8; MODEL_ID_BYTES]) -> FileContext<'a> {
        FileContext {
            fields: self.header.fields,
            model_id,
            name: &self.name,
        }
    }

    fn to_value(&self) -> Value {
        cbor::map([
            ("name", Value::from(self.name.as_str())),
            ("length", Value::from(self.length())),
            ("sha256", Value::from(self.sha256.as_slice())),
            ("header", Value::from(self.header.to_bytes().as_slice())),
            ("segments", Value::from(self.segments.concat())),
        ])
    }

    fn from_value(value: Value, segment: SegmentSize) -> Result<Self, OpenError> {
        let mut fields = Fields::of(value).ok_or(MALFORMED_FILE)?;
        let name = fields.take_text("name").ok_or(MALFORMED_FILE)?;
        let name = FileName::parse(&name).ok_or(OpenError::Name(name))?;
        Self::from_fields(name, segment, fields).ok_or(MALFORMED_FILE)
    }

    fn from_fields(name: FileName, segment: SegmentSize, mut fields: Fields) -> Option<Self> {
        let header: [u8; HEADER_BYTES] = fields.take_array("header")?;
        let header = Header::parse(&header)?;
        let entry = Self {
            name,
            layout: Layout::new(segment, fields.take_uint("length")?)?,
            sha256: fields.take_array("sha256")?,
            header,
            segments: digests(&fields.take_bytes("segments")?)?,
        };
        let is_whole = entry.segments.len() as u64 == entry.layout.segments();
        fields.finish()?;
        (is_whole && header.fields.segment == segment).then_some(entry)
    }
}

const MALFORMED_FILE: OpenError = OpenError::Manifest("a file's entry");

impl Manifest {
    /// Parses the signed bytes; unknown or absent fields, other lengths and trailing bytes are errors.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, OpenError> {
        let malformed = OpenError::Manifest("not a deterministic map of at most 16 MiB");
        let mut fields = Fields::decode(bytes, MAX_MANIFEST_BYTES).ok_or(malformed)?;
        match fields.take_uint::<u64>("v") {
            Some(VERSION) => Self::from_fields(fields),
            Some(_) => Err(OpenError::Version),
            None => Err(OpenError::Manifest("no version")),
        }
    }

    fn from_fields(mut fields: Fields) -> Result<Self, OpenError> {
        let malformed = || OpenError::Manifest("a field is absent, of another type, or unknown");
        let model_id = fields.take_array("model-id").ok_or_else(malformed)?;
        let key_id = fields.take_array("key-id").ok_or_else(malformed)?;
        let segment = fields.take_uint("segment-bytes").and_then(SegmentSize::new);
        let segment = segment.ok_or_else(malformed)?;
        let files = fields
            .take("files")
            .and_then(|files| files.into_array().ok());
        let files = files.ok_or_else(malformed)?;
        fields.finish().ok_or_else(malformed)?;
        Ok(Self {
            model_id,
            key_id: KeyId(key_id),
            segment,
            files: entries(files, segment)?,
        })
    }

    /// Deterministic CBOR (RFC 8949 section 4.2.1).
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        let files = self.files.iter().map(FileEntry::to_value).collect();
        cbor::encode(&cbor::map([
            ("v", Value::from(VERSION)),
            ("model-id", Value::from(self.model_id.as_slice())),
            ("key-id", Value::from(self.key_id.0.as_slice())),
            ("segment-bytes", Value::from(self.segment.bytes())),
            ("files", Value::Array(files)),
        ]))
    }

    /// Which sealing it is of.
    #[must_use]
    pub const fn model_id(&self) -> &[u8; MODEL_ID_BYTES] {
        &self.model_id
    }

    /// Which key the model is sealed under.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// How long a segment's plaintext is.
    #[must_use]
    pub const fn segment_size(&self) -> SegmentSize {
        self.segment
    }

    /// All files, ascending by name; there is at least one.
    #[must_use]
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The file `name`.
    pub fn file(&self, name: &str) -> Result<&FileEntry, OpenError> {
        let found = self
            .files
            .binary_search_by(|file| file.name.as_str().cmp(name));
        let file = found.ok().and_then(|index| self.files.get(index));
        file.ok_or_else(|| OpenError::File(name.to_owned()))
    }

    /// Plaintext bytes of all files.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        // A manifest has fewer than 2^19 segments of at most 2^24 bytes.
        self.files.iter().map(FileEntry::length).sum()
    }
}

fn entries(files: Vec<Value>, segment: SegmentSize) -> Result<Vec<FileEntry>, OpenError> {
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(OpenError::Manifest("no files, or too many"));
    }
    let entries = files
        .into_iter()
        .map(|file| FileEntry::from_value(file, segment));
    let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
    match misplaced(entries.iter().map(FileEntry::name)) {
        Some(name) => Err(OpenError::Name(name.as_str().to_owned())),
        None => Ok(entries),
    }
}

fn digests(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (digests, rest) = bytes.as_chunks::<DIGEST_BYTES>();
    rest.is_empty().then(|| digests.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let segment = SegmentSize::new(4096).unwrap();
        let file = |name: &str, length: u64| {
            let layout = Layout::new(segment, length).unwrap();
            FileEntry {
                name: FileName::parse(name).unwrap(),
                layout,
                sha256: [1; 32],
                header: Header {
                    fields: crate::header::HeaderFields {
                        segment,
                        iv: [2; 32],
                    },
                    tag: [3; 32],
                },
                segments: vec![[4; 32]; layout.segments() as usize],
            }
        };
        Manifest {
            model_id: [5; 32],
            key_id: KeyId([6; 32]),
            segment,
            files: vec![file("a", 0), file("b/c", 4097)],
        }
    }

    /// The manifest with one field of one level put in another's place, or taken out.
    fn with(path: &[&str], field: Option<Value>) -> Vec<u8> {
        let mut value = cbor::decode(&manifest().to_cbor(), MAX_MANIFEST_BYTES).unwrap();
        let (last, above) = path.split_last().unwrap();
        let mut map = value.as_map_mut().unwrap();
        for _ in above {
            let files = map
                .iter_mut()
                .find(|(key, _)| key.as_text() == Some("files"));
            let files = files.unwrap().1.as_array_mut().unwrap();
            map = files[1].as_map_mut().unwrap();
        }
        map.retain(|(key, _)| key.as_text() != Some(last));
        map.extend(field.map(|field| (Value::from(*last), field)));
        cbor::encode(&value)
    }

    fn code(bytes: &[u8]) -> &'static str {
        Manifest::from_cbor(bytes).unwrap_err().code()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = manifest().to_cbor();
        assert_eq!(Manifest::from_cbor(&bytes), Ok(manifest()));
        assert_eq!(manifest().total_bytes(), 4097);
        assert!(manifest().file("b/c").is_ok());
        assert_eq!(manifest().file("c").unwrap_err().code(), "sealed.file");
    }

    #[test]
    fn other_fields_are_refused() {
        let bytes = |length| Some(Value::from(vec![0; length]));
        let long = Value::from(u64::MAX);
        for (path, field) in [
            (&["v"][..], None),
            (&["model-id"], None),
            (&["model-id"], bytes(31)),
            (&["key-id"], None),
            (&["key-id"], bytes(33)),
            (&["segment-bytes"], None),
            (&["segment-bytes"], Some(Value::from(4097))),
            (&["segment-bytes"], Some(Value::from(8192))),
            (&["files"], None),
            (&["files"], Some(Value::Array(vec![]))),
            (&["files"], Some(Value::Array(vec![Value::Null]))),
            (&["more"], bytes(1)),
            (&["files", "name"], None),
            (&["files", "length"], None),
            (&["files", "length"], Some(Value::from(4096))),
            (&["files", "length"], Some(Value::from(8193))),
            (&["files", "length"], Some(Value::from(-1))),
            (&["files", "length"], Some(long)),
            (&["files", "sha256"], None),
            (&["files", "sha256"], bytes(31)),
            (&["files", "header"], None),
            (&["files", "header"], bytes(80)),
            (&["files", "segments"], None),
            (&["files", "segments"], bytes(0)),
            (&["files", "segments"], bytes(63)),
            (&["files", "segments"], bytes(65)),
            (&["files", "segments"], bytes(96)),
            (&["files", "more"], bytes(1)),
        ] {
            assert_eq!(
                code(&with(path, field.clone())),
                "sealed.manifest",
                "{path:?} {field:?}"
            );
        }
        let mut trailing = manifest().to_cbor();
        trailing.push(0);
        assert_eq!(code(&trailing), "sealed.manifest");
    }

    #[test]
    fn another_version_is_told_as_such() {
        assert_eq!(code(&with(&["v"], Some(Value::from(2)))), "sealed.version");
    }

    #[test]
    fn names_are_kept_inside_and_apart() {
        let inside = ["a.sealed/b", "MANIFEST.json/b", ".unfinished"];
        for name in ["../b", "/b", "a", "a/b", "A", ""]
            .into_iter()
            .chain(inside)
        {
            let name = Some(Value::from(name));
            assert_eq!(code(&with(&["files", "name"], name)), "sealed.name");
        }
    }

    #[test]
    fn too_many_files_are_refused() {
        let files = vec![Value::Null; MAX_FILES + 1];
        let bytes = with(&["files"], Some(Value::Array(files)));
        assert_eq!(code(&bytes), "sealed.manifest");
    }
}
