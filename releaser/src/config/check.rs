//! The way from the file to a [`Config`]: every value is looked at, every mistake is told.

use super::{Config, LogConfig, LogFormat, Mistakes, PolicyConfig, TlsFiles, document};
use crate::Limits;
use provision::{PolicySource, RootSource};
use std::{
    cell::RefCell,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

const COUNTS: RangeInclusive<u64> = 1..=100_000;
/// Each is 24 bytes, in a tree whose nodes may be half empty.
const NONCES: RangeInclusive<u64> = 1..=10_000_000;
const NONCE_SECONDS: RangeInclusive<u64> = 1..=3600;
const REFRESH_SECONDS: RangeInclusive<u64> = 1..=3600;
/// Up to an hour.
const MILLISECONDS: RangeInclusive<u64> = 1..=3_600_000;
const REFRESH: Duration = Duration::from_secs(30);

/// Collects mistakes while values are checked.
#[derive(Default)]
struct Checks(RefCell<Vec<String>>);

impl Checks {
    /// `value`, or `None` with a mistake noted.
    fn some<T>(&self, field: &str, value: Option<T>, wanted: &str) -> Option<T> {
        if value.is_none() {
            self.0.borrow_mut().push(format!("{field}: {wanted}"));
        }
        value
    }

    /// `value` if it is there and in `range`; `default` if it is not there.
    fn number(
        &self,
        field: &str,
        (value, range): (Option<u64>, RangeInclusive<u64>),
        default: u64,
    ) -> Option<u64> {
        let value = value.unwrap_or(default);
        let wanted = format!("needs {} to {}", range.start(), range.end());
        self.some(field, range.contains(&value).then_some(value), &wanted)
    }

    fn duration_ms(&self, field: &str, ms: Option<u64>, default: Duration) -> Option<Duration> {
        let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        let ms = self.number(field, (ms, MILLISECONDS), default)?;
        Some(Duration::from_millis(ms))
    }

    fn count(&self, field: &str, count: Option<u64>, default: usize) -> Option<usize> {
        let count = self.number(field, (count, COUNTS), default as u64)?;
        usize::try_from(count).ok()
    }
}

impl document::Document {
    /// The configuration, or all mistakes.
    pub(super) fn check(self, folder: &Path) -> Result<Config, Mistakes> {
        let checks = Checks::default();
        let checked = self.checked(&checks, folder);
        let mistakes = checks.0.into_inner();
        match checked {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(Mistakes(mistakes)),
        }
    }

    /// Checks everything before it gives up on anything.
    fn checked(self, checks: &Checks, folder: &Path) -> Option<Config> {
        let listen: Option<SocketAddr> = self.listen.parse().ok();
        let listen = checks.some("listen", listen, "needs an IP address and a port");
        let policy = self.policy.check(checks, folder);
        let limits = self.limits.check(checks);
        let log = self.log.check(checks);
        Some(Config {
            listen: listen?,
            keys: folder.join(self.keys),
            tls: TlsFiles {
                certificate: folder.join(self.tls.certificate),
                key: folder.join(self.tls.key),
            },
            policy: policy?,
            collateral: self.appraisal.collateral.map(|path| folder.join(path)),
            limits: limits?,
            log: log?,
        })
    }
}

impl document::Policy {
    fn check(self, checks: &Checks, folder: &Path) -> Option<PolicyConfig> {
        let source = checks.some(
            "policy.source",
            source(&self.source, folder),
            "needs a file, a folder or an address (http or https)",
        );
        let seconds = (self.refresh_seconds, REFRESH_SECONDS);
        let refresh = checks.number("policy.refresh_seconds", seconds, REFRESH.as_secs());
        let root = checks.some(
            "policy.root",
            root(self.root, self.keys, self.threshold, folder),
            "needs root, or else keys and a threshold from 1 to their number",
        );
        Some(PolicyConfig {
            root: root?,
            source: source?,
            state: folder.join(self.state),
            refresh: Duration::from_secs(refresh?),
        })
    }
}

fn source(text: &str, folder: &Path) -> Option<PolicySource> {
    let is_address = text.starts_with("http://") || text.starts_with("https://");
    if is_address {
        return PolicySource::parse(text).ok();
    }
    if text.is_empty() || text == "gateway" {
        return None;
    }
    let path = folder.join(text);
    Some(match path.is_dir() {
        true => PolicySource::Folder(path),
        false => PolicySource::File(path),
    })
}

/// A root document says itself how many must sign.
fn root(
    document: Option<PathBuf>,
    keys: Option<Vec<PathBuf>>,
    threshold: Option<usize>,
    folder: &Path,
) -> Option<RootSource> {
    match (document, keys, threshold) {
        (Some(root), None, None) => Some(RootSource::Document(folder.join(root))),
        (None, Some(keys), threshold) => {
            let threshold = threshold.unwrap_or(keys.len());
            let is_possible = (1..=keys.len()).contains(&threshold);
            let files = keys.iter().map(|path| folder.join(path)).collect();
            is_possible.then_some(RootSource::Keys {
                files,
                threshold: Some(threshold),
            })
        }
        _ => None,
    }
}

impl document::Limits {
    fn check(&self, checks: &Checks) -> Option<Limits> {
        let default = Limits::default();
        let connections = (self.max_connections, default.max_connections);
        let connections = checks.count("limits.max_connections", connections.0, connections.1);
        let nonces = (self.max_nonces, NONCES);
        let nonces = checks.number("limits.max_nonces", nonces, default.max_nonces as u64);
        let seconds = (self.nonce_seconds, NONCE_SECONDS);
        let lifetime = default.nonce_lifetime.as_secs();
        let lifetime = checks.number("limits.nonce_seconds", seconds, lifetime);
        let burst = checks.number("limits.burst", (self.burst, COUNTS), default.burst.into());
        let period = checks.duration_ms("limits.period_ms", self.period_ms, default.period);
        let appraisals = (self.max_appraisals, default.max_appraisals);
        let appraisals = checks.count("limits.max_appraisals", appraisals.0, appraisals.1);
        let body = (self.body_timeout_ms, default.body_timeout);
        let body = checks.duration_ms("limits.body_timeout_ms", body.0, body.1);
        let drain = (self.drain_timeout_ms, default.drain_timeout);
        let drain = checks.duration_ms("limits.drain_timeout_ms", drain.0, drain.1);
        Some(Limits {
            max_connections: connections?,
            max_nonces: usize::try_from(nonces?).ok()?,
            nonce_lifetime: Duration::from_secs(lifetime?),
            burst: u32::try_from(burst?).ok()?,
            period: period?,
            max_appraisals: appraisals?,
            body_timeout: body?,
            drain_timeout: drain?,
        })
    }
}

impl document::Log {
    fn check(&self, checks: &Checks) -> Option<LogConfig> {
        let format = match self.format.as_deref() {
            None | Some("text") => Some(LogFormat::Text),
            Some("json") => Some(LogFormat::Json),
            Some(_) => None,
        };
        let format = checks.some("log.format", format, "needs text or json")?;
        Some(LogConfig { format })
    }
}
