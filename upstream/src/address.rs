//! Where the server is: on this machine, or nowhere.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

/// A place that does not leave the TEE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `http://ADDRESS:PORT` with a loopback address.
    Loopback(SocketAddr),
    /// `unix:/PATH`.
    Unix(PathBuf),
}

/// Not an address that stays in the TEE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected http://127.0.0.1:PORT, http://[::1]:PORT or unix:/PATH: prompts are in the clear on this way, so it stays in the machine"
)]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    /// Names are not resolved: who answers to `localhost` is a file's word.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let absolute = path.starts_with('/') && path.len() > 1;
            return absolute
                .then(|| Self::Unix(path.into()))
                .ok_or(AddressError);
        }
        let authority = text.strip_prefix("http://").ok_or(AddressError)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let address: SocketAddr = authority.parse().map_err(|_| AddressError)?;
        let stays = address.ip().is_loopback() && address.port() != 0;
        stays.then_some(Self::Loopback(address)).ok_or(AddressError)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_sockets_are_taken_and_shown_alike() {
        for text in [
            "http://127.0.0.1:8000",
            "http://[::1]:8000",
            "unix:/run/vllm.sock",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        assert_eq!(
            "http://127.0.0.1:80/".parse(),
            "http://127.0.0.1:80".parse::<Address>()
        );
    }

    #[test]
    fn whatever_could_leave_the_machine_is_refused() {
        for text in [
            "",
            "http://localhost:8000",
            "http://10.0.0.1:8000",
            "http://0.0.0.0:8000",
            "http://[::]:8000",
            "http://127.0.0.1",
            "http://127.0.0.1:0",
            "http://127.0.0.1:8000/v1",
            "http://user@127.0.0.1:8000",
            "https://127.0.0.1:8000",
            "127.0.0.1:8000",
            "unix:",
            "unix:/",
            "unix:run/vllm.sock",
        ] {
            assert_eq!(text.parse::<Address>(), Err(AddressError), "{text}");
        }
    }
}
