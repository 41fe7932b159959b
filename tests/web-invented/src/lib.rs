//! Not shipped: the WASM verifier under the roots of invented vendors. A request is `{"roots": .., "request": ..}`, with a request of `web` in it.
//!
//! It is a module of its own, so that the one that ships has no way to other roots than the vendors'.

#[cfg(target_arch = "wasm32")]
mod abi;

use attestation::{danger, roots::Roots};
use serde::Deserialize;
use serde_json::value::RawValue;
use web::Trust;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    roots: Invented,
    #[serde(borrow)]
    request: &'a RawValue,
}

/// Certificates, DER in hexadecimal; the vendors' own for what is absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invented {
    snp: Option<Snp>,
    tdx: Option<String>,
    nvidia: Option<Nvidia>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Snp {
    ark: String,
    ask: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nvidia {
    device_root: String,
    rim_root: String,
}

/// Answers one request; what is none is told as `web` tells it.
#[must_use]
pub fn answer(request: &[u8]) -> String {
    let parsed = serde_json::from_slice::<Request<'_>>(request).ok();
    let parsed = parsed.and_then(|parsed| Some((parsed.roots.trust().ok()?, parsed.request)));
    match parsed {
        None => web::answer(&[], &Trust::vendor()),
        Some((trust, request)) => web::answer(request.get().as_bytes(), &trust),
    }
}

impl Invented {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's verifier, under the roots of invented vendors"
    )]
    fn trust(&self) -> Result<Trust, hex::FromHexError> {
        let mut roots = Roots::vendor();
        if let Some(snp) = &self.snp {
            roots.snp = danger::snp_roots(&hex::decode(&snp.ark)?, &hex::decode(&snp.ask)?);
        }
        if let Some(root) = &self.tdx {
            roots.tdx = danger::tdx_roots(&hex::decode(root)?);
        }
        if let Some(nvidia) = &self.nvidia {
            let device_root = hex::decode(&nvidia.device_root)?;
            roots.nvidia = danger::nvidia_roots(&device_root, &hex::decode(&nvidia.rim_root)?);
        }
        Ok(Trust {
            verifier: danger::verifier(roots.clone()),
            roots,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn what_is_no_request_is_told_so() {
        for request in [
            "",
            r#"{"roots":{}}"#,
            r#"{"roots":{},"request":{}}"#,
            r#"{"roots":{"tdx":"zz"},"request":{"tdx":{"quote":"","at":"2026-06-01T00:00:00Z"}}}"#,
        ] {
            assert!(
                answer(request.as_bytes()).contains(r#""exit":2"#),
                "{request}"
            );
        }
    }
}
