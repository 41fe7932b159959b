//! A header or trailer section: known-length (RFC 9292 section 3.1) or ended by a zero byte (section 3.2).

use super::{
    BhttpError, Fields, MAX_FIELDS, MAX_SECTION_BYTES,
    items::{Item, ItemReader},
    syntax::{is_field_name, is_field_value},
};

/// The section being read.
pub(super) struct Section {
    form: Form,
    fields: Fields,
    name: Option<String>,
    /// Bytes of the lines so far.
    taken: usize,
}

/// How the section's end is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A length comes first, and has not been read yet.
    LengthDue,
    /// So many bytes of lines.
    Sized(usize),
    /// Lines until an empty name.
    Terminated,
}

impl Section {
    pub(super) const fn known_length() -> Self {
        Self::new(Form::LengthDue)
    }

    pub(super) const fn terminated() -> Self {
        Self::new(Form::Terminated)
    }

    const fn new(form: Form) -> Self {
        Self {
            form,
            fields: Vec::new(),
            name: None,
            taken: 0,
        }
    }

    /// Whether nothing of the section was read: a message may end here (section 3.8).
    pub(super) const fn is_untouched(&self) -> bool {
        !matches!(self.form, Form::Sized(_)) && self.taken == 0
    }

    /// Reads on; the lines, once the section is complete.
    pub(super) fn read(
        &mut self,
        items: &mut ItemReader,
        input: &mut &[u8],
    ) -> Result<Option<Fields>, BhttpError> {
        if self.form == Form::LengthDue {
            let Some((length, _)) = items.integer(input) else {
                return Ok(None);
            };
            self.form = Form::Sized(section_len(length)?);
        }
        while self.form != Form::Sized(self.taken) {
            let Some(item) = items.string(self.limit(), input)? else {
                return Ok(None);
            };
            if self.ends(&item) {
                break;
            }
            self.accept(&item)?;
        }
        self.complete().map(Some)
    }

    /// Bytes that one more string may have.
    fn limit(&self) -> usize {
        MAX_SECTION_BYTES.saturating_sub(self.taken)
    }

    fn ends(&self, item: &Item) -> bool {
        self.form == Form::Terminated && self.name.is_none() && item.bytes.is_empty()
    }

    fn accept(&mut self, item: &Item) -> Result<(), BhttpError> {
        self.taken = self.taken.saturating_add(item.size);
        if matches!(self.form, Form::Sized(length) if self.taken > length) {
            return Err(BhttpError::Field);
        }
        match self.name.take() {
            None => self.name = Some(field_name(&item.bytes)?),
            Some(name) => self.push(name, &item.bytes)?,
        }
        Ok(())
    }

    fn push(&mut self, name: String, value: &[u8]) -> Result<(), BhttpError> {
        if self.fields.len() == MAX_FIELDS {
            return Err(BhttpError::TooLarge);
        }
        if !is_field_value(value) {
            return Err(BhttpError::Field);
        }
        self.fields.push((name, value.to_vec()));
        Ok(())
    }

    fn complete(&mut self) -> Result<Fields, BhttpError> {
        match self.name {
            Some(_) => Err(BhttpError::Field),
            None => Ok(std::mem::take(&mut self.fields)),
        }
    }
}

fn section_len(length: u64) -> Result<usize, BhttpError> {
    match usize::try_from(length) {
        Ok(length) if length <= MAX_SECTION_BYTES => Ok(length),
        _ => Err(BhttpError::TooLarge),
    }
}

fn field_name(bytes: &[u8]) -> Result<String, BhttpError> {
    let name = str::from_utf8(bytes).map_err(|_| BhttpError::Field)?;
    if is_field_name(bytes) {
        Ok(name.to_owned())
    } else {
        Err(BhttpError::Field)
    }
}
