//! The PKCS #11 URI (RFC 7512), as far as it can name a private key: what it says and we do not know is an error, never ignored.

use super::super::{Exit, Failure};
use std::path::{Path, PathBuf};

const SCHEME: &str = "pkcs11:";

/// Which key of which token, through which module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenUri {
    /// `token`: the token's label.
    pub(super) token: Option<String>,
    /// `serial`: the token's serial number.
    pub(super) serial: Option<String>,
    /// `object`: the key's label.
    pub(super) object: Option<String>,
    /// `id`: the key's identifier.
    pub(super) id: Option<Vec<u8>>,
    /// `module-path`: the PKCS #11 library.
    pub(super) module: PathBuf,
    /// `pin-source`: a file with the PIN; `None`: the token asks for it by itself.
    pub(super) pin_source: Option<PathBuf>,
}

impl TokenUri {
    /// Whether `name` is meant as such a URI.
    pub(super) fn is_one(name: &str) -> bool {
        name.get(..SCHEME.len())
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }

    pub(super) fn parse(uri: &str) -> Result<Self, Failure> {
        let body = uri.get(SCHEME.len()..).unwrap_or_default();
        let (path, query) = body.split_once('?').unwrap_or((body, ""));
        let mut parts = Parts::default();
        for attribute in attributes(path, ';') {
            parts.path_attribute(attribute?)?;
        }
        for attribute in attributes(query, '&') {
            parts.query_attribute(attribute?)?;
        }
        parts.whole()
    }
}

#[derive(Default)]
struct Parts {
    token: Option<String>,
    serial: Option<String>,
    object: Option<String>,
    id: Option<Vec<u8>>,
    module: Option<PathBuf>,
    pin_source: Option<PathBuf>,
}

type Attribute<'a> = (&'a str, Vec<u8>);

impl Parts {
    fn path_attribute(&mut self, (name, value): Attribute<'_>) -> Result<(), Failure> {
        match name {
            "token" => once(name, &mut self.token, text(name, value)?),
            "serial" => once(name, &mut self.serial, text(name, value)?),
            "object" => once(name, &mut self.object, text(name, value)?),
            "id" => once(name, &mut self.id, value),
            "type" if value == b"private" => Ok(()),
            "type" => Err(wrong("type must be private: only a private key signs")),
            other => Err(wrong(&format!("attribute {other:?} is not known here"))),
        }
    }

    fn query_attribute(&mut self, (name, value): Attribute<'_>) -> Result<(), Failure> {
        match name {
            "module-path" => once(name, &mut self.module, text(name, value)?.into()),
            "pin-source" => {
                let source = text(name, value)?;
                let path = source.strip_prefix("file:").unwrap_or(&source);
                once(name, &mut self.pin_source, Path::new(path).to_owned())
            }
            "pin-value" => Err(wrong("a PIN among arguments can be read by others").advice(
                "put it into a file of your own (chmod 600) and give pin-source=file:PATH",
            )),
            other => Err(wrong(&format!("attribute {other:?} is not known here"))),
        }
    }

    fn whole(self) -> Result<TokenUri, Failure> {
        if self.token.is_none() && self.serial.is_none() {
            return Err(wrong(
                "it names no token: give token=LABEL or serial=NUMBER",
            ));
        }
        if self.object.is_none() && self.id.is_none() {
            return Err(wrong("it names no key: give object=LABEL or id=%01"));
        }
        Ok(TokenUri {
            token: self.token,
            serial: self.serial,
            object: self.object,
            id: self.id,
            module: self.module.ok_or_else(|| {
                wrong("it names no library: end it with ?module-path=/usr/lib/softhsm/libsofthsm2.so or that of your token")
            })?,
            pin_source: self.pin_source,
        })
    }
}

fn attributes(part: &str, separator: char) -> impl Iterator<Item = Result<Attribute<'_>, Failure>> {
    part.split(separator)
        .filter(|one| !one.is_empty())
        .map(|one| {
            let (name, value) = one
                .split_once('=')
                .ok_or_else(|| wrong(&format!("{one:?} has no value")))?;
            let value = unescaped(value)
                .ok_or_else(|| wrong(&format!("the value of {name} has a broken % escape")))?;
            Ok((name, value))
        })
}

/// RFC 3986 section 2.1.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let mut byte = [0];
        let (digits, after) = tail.split_at_checked(2)?;
        hex::decode_to_slice(digits, &mut byte).ok()?;
        bytes.extend(byte);
        rest = after;
    }
    Some(bytes)
}

fn once<T>(name: &str, slot: &mut Option<T>, value: T) -> Result<(), Failure> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(wrong(&format!("attribute {name} stands there twice"))),
    }
}

fn text(name: &str, value: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(value).map_err(|_| wrong(&format!("the value of {name} is not UTF-8")))
}

fn wrong(what: &str) -> Failure {
    let message = format!("not a PKCS #11 URI that names a key: {what}");
    Failure::new(Exit::Usage, "signing_key.token_uri", message).advice(
        "e.g. 'pkcs11:token=policy;object=alice?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin' (RFC 7512)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "pkcs11:token=The%20ministry;object=alice;id=%01%ff;type=private?module-path=/m.so&pin-source=file:/pin";

    #[test]
    fn every_part_is_read() {
        let uri = TokenUri::parse(WHOLE).ok().unwrap();
        assert_eq!(uri.token.as_deref(), Some("The ministry"));
        assert_eq!(uri.object.as_deref(), Some("alice"));
        assert_eq!(uri.id.as_deref(), Some([1, 255].as_slice()));
        assert_eq!(uri.module, Path::new("/m.so"));
        assert_eq!(uri.pin_source.as_deref(), Some(Path::new("/pin")));
    }

    #[test]
    fn what_is_missing_doubled_unknown_or_broken_is_refused() {
        let m = "?module-path=/m.so";
        for refused in [
            format!("pkcs11:object=a{m}"),
            format!("pkcs11:token=t{m}"),
            "pkcs11:token=t;object=a".to_owned(),
            format!("pkcs11:token=t;token=u;object=a{m}"),
            format!("pkcs11:token=t;object=a;slot-id=1{m}"),
            format!("pkcs11:token=t;object=a;type=public{m}"),
            format!("pkcs11:token=t;object=%4{m}"),
            format!("pkcs11:token=t;object=%zz{m}"),
            format!("pkcs11:token=t;object{m}"),
            format!("pkcs11:token=t;object=a{m}&pin-value=1234"),
            format!("pkcs11:token=t;object=a{m}&module-name=x"),
        ] {
            let failure = TokenUri::parse(&refused).err().unwrap();
            assert_eq!(failure.code, "signing_key.token_uri", "{refused}");
        }
    }

    #[test]
    fn a_path_is_no_uri() {
        assert!(TokenUri::is_one("PKCS11:token=t"));
        assert!(!TokenUri::is_one("alice.pem"));
    }
}
