//! Who may use the proxy: local programs that name it by a loopback host, not web pages, and the holder of the proxy's key if it has one.

use super::openai_error::OpenAiError;
use crate::gateway::is_loopback;
use http::{
    HeaderMap, HeaderName, StatusCode, Uri, Version,
    header::{AUTHORIZATION, HOST, ORIGIN},
};
use zeroize::Zeroizing;

/// The key that local programs must show. No Debug or Clone; wiped on drop.
pub struct ProxyKey(Zeroizing<String>);

pub(super) struct Guard {
    key: Option<ProxyKey>,
}

impl ProxyKey {
    /// Takes the key; white space around it is dropped. `None` if nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let key = text.trim();
        (!key.is_empty()).then(|| Self(Zeroizing::new(key.to_owned())))
    }

    fn is(&self, shown: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), shown.as_bytes())
            .is_ok()
    }
}

impl Guard {
    pub(super) const fn new(key: Option<ProxyKey>) -> Self {
        Self { key }
    }

    /// Host (against DNS rebinding), Origin (against web pages), key.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), OpenAiError> {
        if !names_loopback(headers) {
            return Err(refused(
                StatusCode::MISDIRECTED_REQUEST,
                "proxy.host",
                "the Host header must name a loopback address",
            ));
        }
        if !comes_from_here(headers) {
            return Err(refused(
                StatusCode::FORBIDDEN,
                "proxy.origin",
                "web pages of other origins may not use this proxy",
            ));
        }
        if !self.is_authorized(headers) {
            return Err(refused(
                StatusCode::UNAUTHORIZED,
                "proxy.key",
                "this proxy demands its --proxy-key as the API key",
            ));
        }
        Ok(())
    }

    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let Some(key) = &self.key else { return true };
        only(headers, &AUTHORIZATION)
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|shown| key.is(shown))
    }
}

/// HTTP/1.0 ends an answer by closing: its client could not tell one that broke off from a whole one.
pub(super) fn check_version(version: Version) -> Result<(), OpenAiError> {
    if version >= Version::HTTP_11 {
        return Ok(());
    }
    Err(refused(
        StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        "proxy.http_version",
        "this proxy needs HTTP/1.1, in which an answer that breaks off is seen to break off",
    ))
}

fn names_loopback(headers: &HeaderMap) -> bool {
    only(headers, &HOST)
        .and_then(|host| host.parse::<http::uri::Authority>().ok())
        .is_some_and(|authority| is_loopback(authority.host()))
}

/// Programs send no Origin; a page served from this machine may.
fn comes_from_here(headers: &HeaderMap) -> bool {
    !headers.contains_key(ORIGIN)
        || only(headers, &ORIGIN)
            .and_then(|origin| origin.parse::<Uri>().ok())
            .and_then(|origin| origin.host().map(is_loopback))
            .unwrap_or(false)
}

/// The header's value if there is exactly one.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn refused(status: StatusCode, code: &str, message: &str) -> OpenAiError {
    OpenAiError::request(status, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(guard: &Guard, headers: &[(&'static str, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard
            .check(&map)
            .map_or_else(|error| error.response().status().as_u16(), |()| 200)
    }

    #[test]
    fn the_host_must_be_loopback_and_stand_once() {
        let guard = Guard::new(None);
        for host in ["127.0.0.1:8080", "localhost", "[::1]:80", "127.9.9.9"] {
            assert_eq!(status(&guard, &[("host", host)]), 200, "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "localhost.evil",
        ] {
            assert_eq!(status(&guard, &[("host", host)]), 421, "{host}");
        }
        assert_eq!(status(&guard, &[]), 421);
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status(&guard, &twice), 421);
    }

    #[test]
    fn a_client_must_see_an_answer_break_off() {
        assert!(check_version(Version::HTTP_11).is_ok());
        for version in [Version::HTTP_09, Version::HTTP_10] {
            let error = check_version(version).unwrap_err();
            assert_eq!(error.response().status().as_u16(), 505);
        }
    }

    #[test]
    fn web_pages_of_other_origins_are_refused() {
        let guard = Guard::new(None);
        for (origin, expected) in [
            ("http://localhost:3000", 200),
            ("https://evil.example", 403),
            ("null", 403),
        ] {
            let headers = [("host", "localhost"), ("origin", origin)];
            assert_eq!(status(&guard, &headers), expected, "{origin}");
        }
    }

    #[test]
    fn the_key_is_demanded_whole() {
        let guard = Guard::new(ProxyKey::new(" local-key\n"));
        for (shown, expected) in [
            ("Bearer local-key", 200),
            ("Bearer local-ke", 401),
            ("local-key", 401),
            ("Bearer ", 401),
        ] {
            let headers = [("host", "localhost"), ("authorization", shown)];
            assert_eq!(status(&guard, &headers), expected, "{shown}");
        }
        assert_eq!(status(&guard, &[("host", "localhost")]), 401);
        assert!(ProxyKey::new(" \n").is_none());
    }
}
