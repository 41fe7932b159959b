//! The files that are in force here, handed out as they came: who takes them checks the signatures for himself.

use crate::problem::Problem;
use aws_lc_rs::digest;
use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH},
};
use listener::{Body, body};
use policy::publication::{Files, INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP};

const JSON: &str = "application/json";
/// One envelope on a line.
const JSON_LINES: &str = "application/jsonl";

/// One of a publication's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileName {
    Roots,
    Policy,
    Inventory,
    Orders,
    Timestamp,
}

/// A publication's files, each with what HTTP says about it.
#[derive(Debug, Default)]
pub(crate) struct Published {
    roots: Option<File>,
    policy: Option<File>,
    inventory: Option<File>,
    orders: Option<File>,
    timestamp: Option<File>,
}

#[derive(Debug)]
struct File {
    bytes: Bytes,
    /// SHA-256 of the bytes, hexadecimal, in quotes.
    etag: HeaderValue,
}

impl FileName {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            ROOTS => Self::Roots,
            POLICY => Self::Policy,
            INVENTORY => Self::Inventory,
            ORDERS => Self::Orders,
            TIMESTAMP => Self::Timestamp,
            _ => return None,
        })
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Policy | Self::Inventory | Self::Timestamp => JSON,
            Self::Roots | Self::Orders => JSON_LINES,
        }
    }
}

impl Published {
    pub(crate) fn of(files: &Files) -> Self {
        let file = |bytes: &Option<Vec<u8>>| bytes.as_deref().and_then(File::of);
        Self {
            roots: file(&files.roots),
            policy: file(&files.policy),
            inventory: file(&files.inventory),
            orders: file(&files.orders),
            timestamp: file(&files.timestamp),
        }
    }

    /// The file of this name, or that it is the one that the peer has already.
    // R8.5
    pub(crate) fn answer(
        &self,
        name: FileName,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Problem> {
        let file = self.file(name).ok_or(Problem::NotPublished)?;
        let mut response = if file.is_known_to(headers) {
            not_modified()
        } else {
            file.whole(name.media_type())
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, file.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }

    const fn file(&self, name: FileName) -> Option<&File> {
        match name {
            FileName::Roots => self.roots.as_ref(),
            FileName::Policy => self.policy.as_ref(),
            FileName::Inventory => self.inventory.as_ref(),
            FileName::Orders => self.orders.as_ref(),
            FileName::Timestamp => self.timestamp.as_ref(),
        }
    }
}

impl File {
    fn of(bytes: &[u8]) -> Option<Self> {
        let digest = hex::encode(digest::digest(&digest::SHA256, bytes));
        Some(Self {
            bytes: Bytes::copy_from_slice(bytes),
            etag: HeaderValue::from_str(&format!("\"{digest}\"")).ok()?,
        })
    }

    /// If-None-Match compares weakly (RFC 9110 section 13.1.2).
    fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let fields = headers.get_all(IF_NONE_MATCH).iter();
        let mut tags = fields
            .flat_map(|field| field.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii);
        tags.any(|tag| {
            tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes()
        })
    }

    fn whole(&self, media_type: &'static str) -> Response<Body> {
        let mut response = Response::new(body::full(self.bytes.clone()));
        let media_type = HeaderValue::from_static(media_type);
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }
}

fn not_modified() -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known_to(fields: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(IF_NONE_MATCH, HeaderValue::from_str(field).unwrap());
        }
        File::of(b"abc").unwrap().is_known_to(&headers)
    }

    #[test]
    fn a_tag_is_known_by_its_digest() {
        let tag = "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"";
        let listed = format!("\"other\", W/{tag}");
        for fields in [&[tag][..], &["*"], &[&listed], &["\"other\"", tag]] {
            assert!(known_to(fields), "{fields:?}");
        }
        for fields in [&[][..], &["\"other\""], &[tag.trim_matches('"')], &[""]] {
            assert!(!known_to(fields), "{fields:?}");
        }
    }

    #[test]
    fn only_the_names_of_a_publication_are_files() {
        for name in [ROOTS, POLICY, INVENTORY, ORDERS, TIMESTAMP] {
            assert!(FileName::parse(name).is_some(), "{name}");
        }
        for name in [
            "",
            "policy",
            "policy.json/",
            "../policy.json",
            "policy.toml",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
