//! A vendor's service on loopback that replays answers, and a fetcher that asks it without waiting.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test binary uses another part of this module"
)]

pub(crate) mod host;
mod service;
pub(crate) mod team;

pub(crate) use service::{Reply, Service};

use attestation::UnixTime;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use provision::{
    Clock,
    collateral::{BaseUrl, Fetcher, Pace, Progress, Settings, Sources},
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);

/// What a fetcher did.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) pauses: Mutex<Vec<Duration>>,
    pub(crate) progress: Mutex<Vec<Progress>>,
}

struct Fixed(UnixTime);

impl Clock for Fixed {
    fn now(&self) -> UnixTime {
        self.0
    }
}

/// Notes every pause and takes none.
struct Impatient(Arc<Seen>);

impl Pace for Impatient {
    fn random(&self) -> u64 {
        0
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.pauses.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }
}

/// A fetcher that asks `service` for everything.
pub(crate) fn fetcher(
    service: &Service,
    cache: Option<&Path>,
    now: UnixTime,
) -> (Fetcher, Arc<Seen>) {
    patient(service, cache, now, Duration::from_secs(60))
}

/// One that waits so long for an answer.
pub(crate) fn patient(
    service: &Service,
    cache: Option<&Path>,
    now: UnixTime,
    timeout: Duration,
) -> (Fetcher, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let base = |path: &str| BaseUrl::parse(&format!("{}{path}", service.url())).unwrap();
    let observed = Arc::clone(&seen);
    let settings = Settings {
        sources: Sources {
            kds: base("/kds"),
            rim: base("/nvidia"),
            ocsp: base("/ocsp"),
            ..Sources::default()
        }
        .with_pccs(base("/intel")),
        cache: cache.map(Path::to_owned),
        timeout,
        clock: Arc::new(Fixed(now)),
        pace: Arc::new(Impatient(Arc::clone(&seen))),
        observer: Arc::new(move |progress: &Progress| {
            observed.progress.lock().unwrap().push(progress.clone());
        }),
    };
    (Fetcher::new(settings).unwrap(), seen)
}

/// An Ed25519 public key as `openssl pkey -pubout` writes it (RFC 8410).
pub(crate) fn public_pem(key: &[u8; 32]) -> String {
    const SPKI_PREFIX: &str = "MCowBQYDK2VwAyEA";
    let key = STANDARD.encode(key);
    format!("-----BEGIN PUBLIC KEY-----\n{SPKI_PREFIX}{key}\n-----END PUBLIC KEY-----\n")
}
