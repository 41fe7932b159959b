//! The model's key, and what follows from it: its id, tags of headers, keys of files.

use crate::{
    FileName, MODEL_ID_BYTES,
    frame::{NONCE_BYTES, TAG_BYTES, associated_data},
    header::{Header, HeaderFields},
    layout::Place,
};
use aws_lc_rs::{aead, constant_time, hkdf, rand};
use std::{
    fmt,
    io::{self, ErrorKind, Read},
};
use zeroize::Zeroizing;

pub(crate) const KEY_BYTES: usize = 32;
/// 64 digits and a line end.
const KEY_FILE_BYTES: usize = 2 * KEY_BYTES + 1;
const KEY_ID_SALT: &[u8] = b"narthex/1/sealed-model";
const KEY_ID_INFO: &[u8] = b"key-id";
const HEADER_TAG_LABEL: &[u8] = b"narthex/1/sealed-model/header-tag";
const FILE_KEY_LABEL: &[u8] = b"narthex/1/sealed-model/file-key";

/// A model's key: 32 random bytes. It has no `Debug`, `Clone` or serial form but that of its file; its memory is wiped when dropped.
pub struct ModelKey(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl ModelKey {
    /// A new one; none where the system gives no randomness.
    #[must_use]
    pub fn generate() -> Option<Self> {
        let mut key = Self::zero();
        rand::fill(key.0.as_mut_slice()).ok()?;
        Some(key)
    }

    /// A copy of `bytes`, if they are 32.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; KEY_BYTES] = bytes.try_into().ok()?;
        let mut key = Self::zero();
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    /// The key of the key file that `file` reads from. What is read rests in one place, and is wiped; None where it is no key.
    pub fn read(mut file: impl Read) -> io::Result<Option<Self>> {
        let mut text = Zeroizing::new([0; KEY_FILE_BYTES + 1]);
        let mut length = 0;
        while let Some(rest) = text.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(text.get(..length).and_then(Self::from_file))
    }

    /// The key of a key file: 64 hexadecimal digits and a line end.
    #[must_use]
    pub fn from_file(text: &[u8]) -> Option<Self> {
        let mut key = Self::zero();
        let digits = text.strip_suffix(b"\n").unwrap_or(text);
        hex::decode_to_slice(digits, key.0.as_mut_slice()).ok()?;
        Some(key)
    }

    /// What a key file holds.
    #[must_use]
    pub fn to_file(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
        text.push('\n');
        text
    }

    /// Its id, which tells nothing of it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.0)
    }

    /// The bytes, for keeping them or sealing them to somebody.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; KEY_BYTES])))
    }
}

/// Commits to a key: no two keys have the same, and it tells nothing of its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 32]);

impl KeyId {
    pub(crate) fn of(key: &[u8; KEY_BYTES]) -> Self {
        Self(derive(key, KEY_ID_SALT, &[KEY_ID_INFO], |derived| *derived))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Whose file a key is for: what both derivations are bound to.
pub(crate) struct FileContext<'a> {
    pub(crate) fields: HeaderFields,
    pub(crate) model_id: &'a [u8; MODEL_ID_BYTES],
    pub(crate) name: &'a FileName,
}

impl FileContext<'_> {
    /// The header that a file sealed under `key` has.
    pub(crate) fn header(&self, key: &[u8; KEY_BYTES]) -> Header {
        Header {
            fields: self.fields,
            tag: self.derive(key, HEADER_TAG_LABEL, |tag| *tag),
        }
    }

    /// Whether `header` is the one that a file sealed under `key` has.
    pub(crate) fn admits(&self, header: &Header, key: &[u8; KEY_BYTES]) -> bool {
        let expected = self.header(key);
        let same_tag = constant_time::verify_slices_are_equal(&header.tag, &expected.tag);
        header.fields == expected.fields && same_tag.is_ok()
    }

    /// The key of its segments.
    pub(crate) fn file_key(&self, key: &[u8; KEY_BYTES]) -> FileKey {
        self.lend_file_key(key, FileKey::new)
    }

    /// Lends that key's bytes and wipes them.
    pub(crate) fn lend_file_key<T>(
        &self,
        key: &[u8; KEY_BYTES],
        usage: impl FnOnce(&[u8; KEY_BYTES]) -> T,
    ) -> T {
        self.derive(key, FILE_KEY_LABEL, usage)
    }

    fn derive<T>(
        &self,
        key: &[u8; KEY_BYTES],
        label: &[u8],
        usage: impl FnOnce(&[u8; KEY_BYTES]) -> T,
    ) -> T {
        let name = self.name.as_str().as_bytes();
        // A name has at most 1024 bytes.
        let length = (name.len() as u16).to_be_bytes();
        let fields = self.fields.to_bytes();
        let info = [label, &fields, self.model_id, &length, name];
        derive(key, &self.fields.iv, &info, usage)
    }
}

/// Lends 32 bytes of HKDF-SHA-256 to `usage` and wipes them.
#[expect(
    clippy::expect_used,
    reason = "HKDF-SHA-256 gives any length up to 8160 bytes, and this one is 32"
)]
fn derive<T>(
    key: &[u8; KEY_BYTES],
    salt: &[u8],
    info: &[&[u8]],
    usage: impl FnOnce(&[u8; KEY_BYTES]) -> T,
) -> T {
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key);
    let mut derived = Zeroizing::new([0; KEY_BYTES]);
    extracted
        .expand(info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(derived.as_mut_slice()))
        .expect("32 bytes");
    usage(&derived)
}

/// The key of a file's segments; the library wipes its schedule when dropped.
pub(crate) struct FileKey(aead::LessSafeKey);

impl FileKey {
    #[expect(
        clippy::expect_used,
        reason = "AES-256's key is 32 bytes, as these are"
    )]
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, key).expect("32 bytes");
        Self(aead::LessSafeKey::new(key))
    }

    /// Encrypts in place; gives the tag.
    pub(crate) fn seal(
        &self,
        place: Place,
        nonce: [u8; NONCE_BYTES],
        in_out: &mut [u8],
    ) -> Option<[u8; TAG_BYTES]> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let aad = aead::Aad::from(associated_data(place));
        let tag = self.0.seal_in_place_separate_tag(nonce, aad, in_out).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Decrypts in place. Where it is not genuine, `in_out` is wiped.
    pub(crate) fn open(
        &self,
        place: Place,
        nonce: [u8; NONCE_BYTES],
        tag: &[u8; TAG_BYTES],
        in_out: &mut [u8],
    ) -> bool {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let aad = aead::Aad::from(associated_data(place));
        let opened = self.0.open_in_place_separate_tag(nonce, aad, tag, in_out);
        let is_genuine = opened.is_ok();
        if !is_genuine {
            in_out.fill(0);
        }
        is_genuine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_holds_its_key() {
        let key = ModelKey::generate().unwrap();
        let text = key.to_file();
        assert_eq!(text.len(), 65);
        let again = ModelKey::from_file(text.as_bytes()).unwrap();
        assert_eq!(again.expose(), key.expose());
        assert_eq!(again.id(), key.id());
        let read = ModelKey::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(read.id(), key.id());
        for bad in [
            "",
            "00",
            &text[..63],
            &text.replace('\n', "0\n"),
            &text.replace('\n', "\n\n"),
        ] {
            assert!(ModelKey::from_file(bad.as_bytes()).is_none());
            assert!(ModelKey::read(bad.as_bytes()).unwrap().is_none());
        }
    }

    #[test]
    fn ids_are_those_of_the_specification() {
        // HKDF-SHA-256 by another implementation.
        let key = ModelKey::copy_of(&[7; 32]).unwrap();
        let other = ModelKey::copy_of(&[8; 32]).unwrap();
        assert_ne!(key.id(), other.id());
        assert_eq!(key.id().to_string(), KEY_ID_OF_SEVENS);
        assert!(ModelKey::copy_of(&[7; 31]).is_none());
    }

    const KEY_ID_OF_SEVENS: &str =
        "2e68b78aef592993707837531e9145efe8beb3a38185c91968f2eb8fdc9c2e59";
}
