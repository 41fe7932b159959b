//! Where collateral comes from: the vendors' public services, or mirrors of them.

use http::Uri;

/// The base URL of each service, without the path that its API defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// AMD's Key Distribution Service (AMD 57230).
    pub kds: BaseUrl,
    /// Intel's Provisioning Certification Service, API v4, or a caching service (PCCS).
    pub pcs: BaseUrl,
    /// Where the CRL of the Intel SGX Root CA is, DER or hexadecimal: the PCS proper does not have it, a PCCS does.
    pub root_ca_crl: BaseUrl,
    /// NVIDIA's RIM service.
    pub rim: BaseUrl,
    /// NVIDIA's OCSP responder.
    pub ocsp: BaseUrl,
}

/// `https://HOST[:PORT][/PATH]`; plain `http` to loopback only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

/// Why a base URL was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not a URL of that form.
    #[error("not a URL as in https://mirror.example/path, without user, query and fragment")]
    Form,
    /// Plain HTTP to another machine: everyone on the way would see which chips are yours.
    #[error("plain http is for loopback only: give an https URL")]
    Plaintext,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            kds: BaseUrl::vendor("https://kdsintf.amd.com"),
            pcs: BaseUrl::vendor("https://api.trustedservices.intel.com"),
            root_ca_crl: BaseUrl::vendor(
                "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
            ),
            rim: BaseUrl::vendor("https://rim.attestation.nvidia.com"),
            ocsp: BaseUrl::vendor("https://ocsp.ndis.nvidia.com"),
        }
    }
}

impl Sources {
    /// The same with a PCCS for everything of Intel's.
    #[must_use]
    pub fn with_pccs(self, pccs: BaseUrl) -> Self {
        Self {
            root_ca_crl: BaseUrl(pccs.at("/sgx/certification/v4/rootcacrl")),
            pcs: pccs,
            ..self
        }
    }
}

impl BaseUrl {
    /// Parses; a slash at the end makes no difference.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let uri: Uri = text.parse().map_err(|_| SourceError::Form)?;
        let host = uri.host().ok_or(SourceError::Form)?;
        let authority = uri.authority().ok_or(SourceError::Form)?.as_str();
        if authority.contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(SourceError::Form);
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(host) => {}
            Some("http") => return Err(SourceError::Plaintext),
            _ => return Err(SourceError::Form),
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    fn vendor(url: &str) -> Self {
        Self(url.to_owned())
    }

    /// The URL of `path`, which begins with a slash or is empty.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let parsed = address.parse::<std::net::IpAddr>();
    host == "localhost" || parsed.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{BaseUrl, SourceError, Sources};

    #[test]
    fn paths_are_appended() {
        let mirror = BaseUrl::parse("https://mirror.example:8443/kds/").unwrap();
        assert_eq!(mirror.at("/v1"), "https://mirror.example:8443/kds/v1");
        let pccs = Sources::default().with_pccs(mirror);
        assert_eq!(
            pccs.root_ca_crl.at(""),
            "https://mirror.example:8443/kds/sgx/certification/v4/rootcacrl"
        );
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for url in ["http://127.0.0.1:9", "http://[::1]:9", "http://localhost"] {
            assert!(BaseUrl::parse(url).is_ok(), "{url}");
        }
        for url in [
            "http://mirror.example",
            "http://10.0.0.1",
            "http://localhost.example",
        ] {
            assert_eq!(BaseUrl::parse(url), Err(SourceError::Plaintext), "{url}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for url in [
            "",
            "mirror.example",
            "/path",
            "ftp://mirror.example",
            "https://user@mirror.example",
            "https://mirror.example?a=b",
            "https://mirror.example#a",
            "https://",
        ] {
            assert_eq!(BaseUrl::parse(url), Err(SourceError::Form), "{url}");
        }
    }

    #[test]
    fn the_vendors_urls_are_such_urls() {
        let sources = Sources::default();
        for url in [
            sources.kds,
            sources.pcs,
            sources.root_ca_crl,
            sources.rim,
            sources.ocsp,
        ] {
            assert_eq!(BaseUrl::parse(&url.at("")), Ok(url));
        }
    }
}
