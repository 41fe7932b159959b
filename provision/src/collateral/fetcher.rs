//! One request from need to answer: cache, single flight, retries, caps.

use super::{
    Fault, FetchError, Needs, Pace, Sources,
    answer::{Answer, Request},
    cache::Cache,
    flights::Flights,
    kds, ocsp, pace, pcs, rims,
    transport::Transport,
};
use crate::Clock;
use attestation::CollateralBundle;
use futures_util::FutureExt as _;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How a [`Fetcher`] works.
pub struct Settings {
    /// Whom to ask.
    pub sources: Sources,
    /// Keeps answers here until their window ends; `None`: keeps none.
    pub cache: Option<PathBuf>,
    /// How long each request may take.
    pub timeout: Duration,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Waiting and chance.
    pub pace: Arc<dyn Pace>,
    /// Is told what happens.
    pub observer: Arc<Observe>,
}

/// Takes [`Progress`] as it happens.
pub type Observe = dyn Fn(&Progress) + Send + Sync;

/// What happens while collateral is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Kept from an earlier fetch.
    Kept {
        /// What was asked for.
        url: String,
    },
    /// Came in whole.
    Fetched {
        /// What was asked for.
        url: String,
        /// How long the answer is.
        bytes: usize,
    },
    /// Did not come; will be asked for again.
    Waiting {
        /// What was asked for.
        url: String,
        /// What went wrong.
        fault: Fault,
        /// How long until then.
        pause: Duration,
    },
    /// Came, and cannot be kept on disk.
    NotKept {
        /// What was asked for.
        url: String,
        /// The operating system's reason.
        reason: String,
    },
}

/// Fetches from the sources. Clones share what is under way.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    settings: Settings,
    cache: Option<Cache>,
    transport: Transport,
    flights: Flights<Result<Arc<Answer>, FetchError>>,
}

impl Fetcher {
    /// A fetcher; fails if TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, rustls::Error> {
        Ok(Self(Arc::new(Inner {
            cache: settings.cache.clone().map(Cache::new),
            transport: Transport::new(settings.timeout)?,
            flights: Flights::default(),
            settings,
        })))
    }

    /// Everything that is needed, or the first thing that could not be had.
    pub async fn fetch(&self, needs: &Needs) -> Result<CollateralBundle, FetchError> {
        let mut bundle = CollateralBundle::default();
        for vek in &needs.veks {
            bundle = bundle.merge(kds::fetch(self, vek).await?);
        }
        for platform in &needs.tdx {
            bundle = bundle.merge(pcs::fetch(self, platform).await?);
        }
        for name in &needs.rims {
            bundle = bundle.merge(rims::fetch(self, name).await?);
        }
        let signers = rims::signers(&bundle, self.0.settings.clock.now());
        for pair in needs.ocsp.iter().chain(&signers) {
            bundle = bundle.merge(ocsp::fetch(self, pair).await?);
        }
        Ok(bundle)
    }

    pub(super) fn sources(&self) -> &Sources {
        &self.0.settings.sources
    }

    /// The answer to `request`: kept, or on its way already, or asked for.
    pub(super) async fn get(&self, request: Request) -> Result<Arc<Answer>, FetchError> {
        let inner = Arc::clone(&self.0);
        let load = |request: Request| async move { inner.load(&request).await }.boxed();
        self.0.flights.join(request.key(), || load(request)).await
    }
}

impl Inner {
    async fn load(&self, request: &Request) -> Result<Arc<Answer>, FetchError> {
        let now = self.settings.clock.now();
        let kept = self
            .cache
            .as_ref()
            .and_then(|cache| cache.get(request, now));
        if let Some(answer) = kept.filter(|answer| (request.window)(answer).is_some()) {
            let url = request.url.clone();
            self.tell(&Progress::Kept { url });
            return Ok(Arc::new(answer));
        }
        let answer = self.ask(request).await.map_err(|fault| FetchError {
            url: request.url.clone(),
            fault,
        })?;
        Ok(Arc::new(answer))
    }

    /// Asks until there is an answer, a refusal, or no point in asking.
    async fn ask(&self, request: &Request) -> Result<Answer, Fault> {
        let mut attempt = 1;
        loop {
            let fault = match self.transport.ask(request).await {
                Ok(answer) => return self.accept(request, answer),
                Err(fault) => fault,
            };
            let pause = self.pause(attempt, &fault).ok_or(fault.clone())?;
            let url = request.url.clone();
            self.tell(&Progress::Waiting { url, fault, pause });
            self.settings.pace.sleep(pause).await;
            attempt += 1;
        }
    }

    fn pause(&self, attempt: u32, fault: &Fault) -> Option<Duration> {
        let retry_after_s = match fault {
            Fault::Unavailable { retry_after_s, .. } => *retry_after_s,
            _ => None,
        };
        fault.retryable().then_some(())?;
        pace::pause(attempt, retry_after_s, self.settings.pace.random())
    }

    /// An answer of the right form, kept until its window ends.
    fn accept(&self, request: &Request, answer: Answer) -> Result<Answer, Fault> {
        let window = (request.window)(&answer).ok_or(Fault::Malformed(request.what))?;
        let url = request.url.clone();
        let bytes = answer.body.len();
        self.tell(&Progress::Fetched { url, bytes });
        let is_current = window.contains(self.settings.clock.now());
        if let Some(cache) = self.cache.as_ref().filter(|_| is_current) {
            let kept = cache.put(request, &answer, window.not_after);
            kept.unwrap_or_else(|error| {
                let url = request.url.clone();
                let reason = error.to_string();
                self.tell(&Progress::NotKept { url, reason });
            });
        }
        Ok(answer)
    }

    fn tell(&self, progress: &Progress) {
        (self.settings.observer)(progress);
    }
}
