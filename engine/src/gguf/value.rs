//! Metadata values: checked once, then read again from their place in the file.

use super::{GgufError, cursor::Cursor};

/// A metadata value's type, by its number in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Str,
    U64,
    I64,
    F64,
}

/// The number of the array type, which is no element type here.
const ARRAY: u32 = 9;

impl Kind {
    fn parse(number: u32) -> Result<Self, GgufError> {
        Ok(match number {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            8 => Self::Str,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            other => return Err(GgufError::ValueType(other)),
        })
    }

    /// Bytes of one value; none for strings, which differ.
    fn width(self) -> Option<u64> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Str => None,
        }
    }
}

/// Where a value is and what it is: `length` elements of `kind` from byte `start` on; `length` is none for a single value.
pub(super) struct Value {
    kind: Kind,
    length: Option<u64>,
    start: usize,
}

impl Value {
    /// Reads a type and checks all that belongs to it: afterwards the value can be read again without failing.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, GgufError> {
        let number = cursor.u32()?;
        let value = if number == ARRAY {
            let kind = Kind::parse(cursor.u32()?)?;
            let length = Some(cursor.u64()?);
            let start = cursor.position();
            Self {
                kind,
                length,
                start,
            }
        } else {
            Self {
                kind: Kind::parse(number)?,
                length: None,
                start: cursor.position(),
            }
        };
        value.check(cursor)?;
        Ok(value)
    }

    fn check(&self, cursor: &mut Cursor<'_>) -> Result<(), GgufError> {
        let length = self.length.unwrap_or(1);
        let Some(width) = self.kind.width() else {
            return (0..length).try_for_each(|_| cursor.str().map(drop));
        };
        let mut elements = cursor.clone();
        cursor.skip(width.checked_mul(length).ok_or(GgufError::Truncated)?)?;
        match self.kind {
            Kind::Bool => (0..length).try_for_each(|_| bool(&mut elements).map(drop)),
            _ => Ok(()),
        }
    }

    pub(super) fn str<'a>(&self, bytes: &'a [u8]) -> Result<&'a str, GgufError> {
        self.single(Kind::Str, bytes)?.str()
    }

    pub(super) fn bool(&self, bytes: &[u8]) -> Result<bool, GgufError> {
        bool(&mut self.single(Kind::Bool, bytes)?)
    }

    pub(super) fn f32(&self, bytes: &[u8]) -> Result<f32, GgufError> {
        f32(&mut self.single(Kind::F32, bytes)?)
    }

    pub(super) fn integer(&self, bytes: &[u8]) -> Result<i128, GgufError> {
        integer(self.kind, &mut self.single(self.kind, bytes)?)
    }

    pub(super) fn strs<'a>(&self, bytes: &'a [u8]) -> Result<Vec<&'a str>, GgufError> {
        self.elements(Kind::Str, bytes, Cursor::str)
    }

    pub(super) fn f32s(&self, bytes: &[u8]) -> Result<Vec<f32>, GgufError> {
        self.elements(Kind::F32, bytes, f32)
    }

    pub(super) fn integers(&self, bytes: &[u8]) -> Result<Vec<i128>, GgufError> {
        self.elements(self.kind, bytes, |cursor| integer(self.kind, cursor))
    }

    fn single<'a>(&self, kind: Kind, bytes: &'a [u8]) -> Result<Cursor<'a>, GgufError> {
        if self.kind != kind || self.length.is_some() {
            return Err(GgufError::WrongType(String::new()));
        }
        Ok(Cursor::new(bytes, self.start))
    }

    fn elements<'a, T>(
        &self,
        kind: Kind,
        bytes: &'a [u8],
        mut read: impl FnMut(&mut Cursor<'a>) -> Result<T, GgufError>,
    ) -> Result<Vec<T>, GgufError> {
        let length = self.length.filter(|_| self.kind == kind);
        let length = length.ok_or_else(|| GgufError::WrongType(String::new()))?;
        let mut cursor = Cursor::new(bytes, self.start);
        (0..length).map(|_| read(&mut cursor)).collect()
    }
}

fn bool(cursor: &mut Cursor<'_>) -> Result<bool, GgufError> {
    match cursor.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(GgufError::Bool(other)),
    }
}

fn f32(cursor: &mut Cursor<'_>) -> Result<f32, GgufError> {
    cursor.array().map(f32::from_le_bytes)
}

fn integer(kind: Kind, cursor: &mut Cursor<'_>) -> Result<i128, GgufError> {
    Ok(match kind {
        Kind::U8 => cursor.u8()?.into(),
        Kind::I8 => i8::from_le_bytes(cursor.array()?).into(),
        Kind::U16 => u16::from_le_bytes(cursor.array()?).into(),
        Kind::I16 => i16::from_le_bytes(cursor.array()?).into(),
        Kind::U32 => cursor.u32()?.into(),
        Kind::I32 => i32::from_le_bytes(cursor.array()?).into(),
        Kind::U64 => cursor.u64()?.into(),
        Kind::I64 => i64::from_le_bytes(cursor.array()?).into(),
        Kind::F32 | Kind::Bool | Kind::Str | Kind::F64 => {
            return Err(GgufError::WrongType(String::new()));
        }
    })
}
