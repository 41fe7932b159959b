//! Where the gateway is, whose certificate it must show, and the key that its operator gave us.

use crate::ClientError;
use http::{HeaderValue, Uri, uri::PathAndQuery};
use std::net::IpAddr;
use zeroize::Zeroizing;

/// One gateway as the user names it.
pub struct Gateway {
    /// Scheme, host and port.
    pub url: GatewayUrl,
    /// Whose certificates count.
    pub roots: Roots,
    /// `Authorization: Bearer KEY`; `None` where the gateway asks for no key.
    pub api_key: Option<ApiKey>,
}

/// `https://HOST[:PORT]`, or `http://` to loopback only; no path, query or user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayUrl(Uri);

/// Root certificates for the gateway's TLS.
#[derive(Clone, Debug)]
pub enum Roots {
    /// The operating system's.
    System,
    /// These and no others: DER.
    Given(Vec<Vec<u8>>),
}

/// An API key of the gateway. No Debug, Clone or Serialize; wiped on drop.
pub struct ApiKey(Zeroizing<String>);

impl GatewayUrl {
    /// Parses what the user wrote.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let uri: Uri = text.parse().map_err(|_| url_error(text))?;
        let plain_path = uri.path() == "/" && uri.query().is_none();
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(url_error(text));
        };
        if !plain_path || authority.as_str().contains('@') {
            return Err(url_error(text));
        }
        match scheme {
            "https" => Ok(Self(uri)),
            "http" if is_loopback(authority.host()) => Ok(Self(uri)),
            "http" => Err(ClientError::Plaintext(text.to_owned())),
            _ => Err(url_error(text)),
        }
    }

    /// Whether TLS is spoken: always, but to loopback.
    pub(crate) fn is_tls(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// The address of `path` at this gateway; `None` if it is not an absolute path.
    pub(crate) fn at(&self, path: &str) -> Option<Uri> {
        if !path.starts_with('/') {
            return None;
        }
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
        Uri::from_parts(parts).ok()
    }
}

impl std::fmt::Display for GatewayUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.to_string().trim_end_matches('/'))
    }
}

impl ApiKey {
    /// Takes the key as it stands in a file or a variable; white space around it is dropped.
    pub fn new(text: &str) -> Result<Self, ClientError> {
        let key = text.trim();
        let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || !printable {
            return Err(ClientError::ApiKey);
        }
        Ok(Self(Zeroizing::new(key.to_owned())))
    }

    pub(crate) fn header(&self) -> Result<HeaderValue, ClientError> {
        let text = Zeroizing::new(format!("Bearer {}", self.0.as_str()));
        let mut value = HeaderValue::from_str(&text).map_err(|_| ClientError::ApiKey)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Whether `host` (as in a URL: IPv6 in brackets) names this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// What stands before an `@` may be a password, and is not repeated.
fn url_error(text: &str) -> ClientError {
    let shown = text.rsplit_once('@').map_or(text, |(_, host)| host);
    ClientError::Url(shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for url in [
            "http://127.0.0.1:8080",
            "http://[::1]:1/",
            "http://localhost",
            "https://gw.example",
        ] {
            assert!(GatewayUrl::parse(url).is_ok(), "{url}");
        }
        for url in [
            "http://gw.example",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
        ] {
            let error = GatewayUrl::parse(url).unwrap_err();
            assert_eq!(error.code(), "gateway.plaintext", "{url}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_repeated() {
        let error = GatewayUrl::parse("https://me:hunter2@gw.example").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for url in [
            "",
            "gw.example",
            "https://gw.example/v1",
            "https://gw.example/?q",
            "https://me@gw.example",
            "ftp://gw.example",
        ] {
            let error = GatewayUrl::parse(url).unwrap_err();
            assert_eq!(error.code(), "gateway.url", "{url}");
        }
    }

    #[test]
    fn an_offer_cannot_lead_to_another_host() {
        let gateway = GatewayUrl::parse("https://gw.example").unwrap();
        assert_eq!(
            gateway.at("/a/b").unwrap().to_string(),
            "https://gw.example/a/b"
        );
        assert_eq!(gateway.at("https://evil.example/"), None);
        assert_eq!(
            gateway.at("//evil.example/x").unwrap().host(),
            Some("gw.example")
        );
    }

    #[test]
    fn an_api_key_is_printable_and_not_empty() {
        for text in ["", " \n", "a b", "a\u{7f}", "clé"] {
            assert_eq!(ApiKey::new(text).err().unwrap().code(), "gateway.api_key");
        }
        let header = ApiKey::new("nx-1\n").unwrap().header().unwrap();
        assert_eq!(header, "Bearer nx-1");
        assert!(header.is_sensitive());
    }
}
