//! Where publications come from.

use http::Uri;
use std::{fmt, path::PathBuf};

/// Where publications come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// One file, the policy's envelope: a publication of a policy and nothing beside it.
    File(PathBuf),
    /// A folder with the files of a publication ([`policy::publication`]).
    Folder(PathBuf),
    /// The same files under an address of a static server.
    Url(PolicyUrl),
    /// Whatever the gateway hands out; its user fetches it.
    Gateway,
}

/// `http[s]://HOST[:PORT]/[PATH/]`: plain HTTP too, since the documents are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyUrl(String);

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a URL as in https://policies.example/team/, without user, query and fragment"
)]
pub struct PolicyUrlError(String);

impl PolicySource {
    /// What a user wrote: an address by its scheme, the word `gateway`, a folder if there is one, else a file.
    pub fn parse(text: &str) -> Result<Self, PolicyUrlError> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return PolicyUrl::parse(text).map(Self::Url);
        }
        let path = PathBuf::from(text);
        Ok(match text {
            "gateway" => Self::Gateway,
            _ if path.is_dir() => Self::Folder(path),
            _ => Self::File(path),
        })
    }
}

impl PolicyUrl {
    /// Parses; a slash at the end makes no difference.
    pub fn parse(text: &str) -> Result<Self, PolicyUrlError> {
        let refused = || PolicyUrlError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let authority = uri.authority().ok_or_else(refused)?.as_str();
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let plain = !authority.contains('@') && uri.query().is_none() && !text.contains('#');
        if !scheme || !plain {
            return Err(refused());
        }
        Ok(Self(format!("{}/", text.trim_end_matches('/'))))
    }

    /// The address of one file.
    pub(super) fn of(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Folder(path) => path.display().fmt(f),
            Self::Url(PolicyUrl(url)) => url.fmt(f),
            Self::Gateway => f.write_str("the gateway"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_writes() {
        let parse = |text| PolicySource::parse(text).unwrap();
        assert_eq!(parse("gateway"), PolicySource::Gateway);
        assert_eq!(
            parse("policy.json"),
            PolicySource::File("policy.json".into())
        );
        let folder = env!("CARGO_MANIFEST_DIR");
        assert_eq!(parse(folder), PolicySource::Folder(folder.into()));
        let urls = [
            "https://policies.example/team",
            "https://policies.example/team/",
        ];
        for url in urls {
            let source = parse(url);
            assert_eq!(source.to_string(), "https://policies.example/team/");
        }
        let PolicySource::Url(url) = parse("http://127.0.0.1:8080") else {
            panic!("a scheme makes an address");
        };
        assert_eq!(url.of("policy.json"), "http://127.0.0.1:8080/policy.json");
    }

    #[test]
    fn other_addresses_are_refused() {
        for url in [
            "http://",
            "https://user@policies.example/",
            "https://policies.example/?a=b",
            "https://policies.example/#a",
            "https://policies example/",
        ] {
            assert!(PolicySource::parse(url).is_err(), "{url}");
        }
    }
}
