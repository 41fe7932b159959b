//! Tensors: type, shape and place in the file.

use std::{borrow::Cow, io::Read, ops::Range};

use super::{GgufError, TensorPlace, cursor::Cursor};
use crate::file::{FileError, Pieces};

/// Longest tensor name, in bytes (gguf.md).
const MAX_NAME_BYTES: u64 = 64;
/// Most dimensions (gguf.md).
const MAX_DIMENSIONS: u32 = 4;

/// How a tensor's elements are stored (gguf.md, `ggml_type`). Not each of them can be run; each can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "names of the specification")]
pub enum TensorType {
    F32,
    F16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    BF16,
}

impl TensorType {
    fn parse(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            10 => Self::Q2K,
            11 => Self::Q3K,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::BF16,
            _ => return None,
        })
    }

    /// The name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q2K => "Q2_K",
            Self::Q3K => "Q3_K",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
            Self::BF16 => "BF16",
        }
    }

    /// Elements and bytes of one block.
    pub fn block(self) -> (u64, u64) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q2K => (256, 84),
            Self::Q3K => (256, 110),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
        }
    }
}

/// A tensor in the file, or taken out of it.
pub struct Tensor<'a> {
    /// How its elements are stored.
    pub kind: TensorType,
    /// Length of a row: the dimension that is contiguous.
    pub columns: usize,
    /// Product of all other dimensions.
    pub rows: usize,
    /// `rows` times `columns` elements in blocks of `kind`, row by row.
    pub bytes: Cow<'a, [u8]>,
}

/// A tensor's description, and what the file has there.
pub(super) struct TensorSlot {
    kind: TensorType,
    columns: usize,
    rows: usize,
    /// Where its bytes are in the file.
    range: Range<usize>,
    /// Those bytes; none where the file is elsewhere.
    bytes: Option<Vec<u8>>,
}

impl TensorSlot {
    pub(super) fn tensor(&self) -> Result<Tensor<'_>, GgufError> {
        let bytes = self.bytes.as_deref().ok_or(GgufError::Truncated)?;
        Ok(self.with(bytes.into()))
    }

    pub(super) fn into_tensor(mut self) -> Result<Tensor<'static>, GgufError> {
        let bytes = self.bytes.take().ok_or(GgufError::Truncated)?;
        Ok(self.with(bytes.into()))
    }

    fn with<'a>(&self, bytes: Cow<'a, [u8]>) -> Tensor<'a> {
        Tensor {
            kind: self.kind,
            columns: self.columns,
            rows: self.rows,
            bytes,
        }
    }

    /// Reads its bytes from the file, which was not read beyond its first one.
    pub(super) fn fill<R: Read>(&mut self, file: &mut Pieces<R>) -> Result<(), FileError> {
        file.skip_to(self.range.start)?;
        self.bytes = Some(file.take(self.range.len())?);
        Ok(())
    }

    /// Where it lies.
    pub(super) fn place(&self) -> TensorPlace {
        TensorPlace {
            kind: self.kind,
            columns: self.columns,
            rows: self.rows,
            range: self.range.clone(),
        }
    }

    /// First byte of the tensor.
    pub(super) fn start(&self) -> usize {
        self.range.start
    }

    /// First byte after the tensor.
    pub(super) fn end(&self) -> usize {
        self.range.end
    }
}

/// A tensor's entry in the header: name, dimensions, type, offset from the start of the data.
pub(super) struct TensorEntry {
    pub(super) name: String,
    kind: TensorType,
    columns: u64,
    rows: u64,
    offset: u64,
}

impl TensorEntry {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, GgufError> {
        let name = cursor.name(MAX_NAME_BYTES)?.to_owned();
        let (columns, rows) = shape(&name, cursor)?;
        let number = cursor.u32()?;
        let Some(kind) = TensorType::parse(number) else {
            return Err(GgufError::TensorType { name, kind: number });
        };
        if columns % kind.block().0 != 0 {
            return Err(GgufError::TensorShape(name));
        }
        let offset = cursor.u64()?;
        Ok(Self {
            name,
            kind,
            columns,
            rows,
            offset,
        })
    }

    /// Finds the tensor's bytes in a file of `file_bytes` whose tensor data begins at `data`.
    pub(super) fn place(
        &self,
        data: usize,
        alignment: u64,
        file_bytes: usize,
    ) -> Result<TensorSlot, GgufError> {
        if !self.offset.is_multiple_of(alignment) {
            return Err(GgufError::TensorOffset(self.name.clone()));
        }
        let range = self.range(data).filter(|range| range.end <= file_bytes);
        let sizes = (usize::try_from(self.columns), usize::try_from(self.rows));
        match (range, sizes) {
            (Some(range), (Ok(columns), Ok(rows))) => Ok(TensorSlot {
                kind: self.kind,
                columns,
                rows,
                range,
                bytes: None,
            }),
            _ => Err(GgufError::TensorBounds(self.name.clone())),
        }
    }

    fn range(&self, data: usize) -> Option<Range<usize>> {
        let (block_elements, block_bytes) = self.kind.block();
        let row_bytes = (self.columns / block_elements).checked_mul(block_bytes)?;
        let bytes = usize::try_from(row_bytes.checked_mul(self.rows)?).ok()?;
        let start = data.checked_add(usize::try_from(self.offset).ok()?)?;
        Some(start..start.checked_add(bytes)?)
    }
}

fn shape(name: &str, cursor: &mut Cursor<'_>) -> Result<(u64, u64), GgufError> {
    let impossible = || GgufError::TensorShape(name.to_owned());
    let dimensions = cursor.u32()?;
    if dimensions == 0 || dimensions > MAX_DIMENSIONS {
        return Err(impossible());
    }
    let columns = cursor.u64()?;
    let mut rows = 1_u64;
    for _ in 1..dimensions {
        rows = rows.checked_mul(cursor.u64()?).ok_or_else(impossible)?;
    }
    match columns.checked_mul(rows) {
        None | Some(0) => Err(impossible()),
        Some(_) => Ok((columns, rows)),
    }
}
