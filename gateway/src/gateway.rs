//! The gateway itself: what all its parts share, and its life from the first appraisal to the drain.

use crate::{
    AppraisalError, Clock, Config, ConfigError, NodeName, admin,
    api_key::ApiKeys,
    appraisal::{appraise, keep_appraised},
    config::{AppraisalConfig, RelayConfig, TlsFiles},
    metrics::Metrics,
    obey::keep_watch,
    rate::Rate,
    registry::NodeRegistry,
    routes,
    slots::Slots,
    standing::Standing,
    telemetry,
    upstream::Upstream,
    verdict_report::{BURST, PERIOD},
};
use arc_swap::ArcSwap;
use attestation::Cache;
use listener::{
    Accept, Counters, Drained, Limits, Server,
    tls::{ShownCertificate, server_config},
};
use policy::{Appraiser, InForce, publication::Files};
use provision::{Connector, policy_keeper::Alarm};
use rustls::ServerConfig;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

/// Limits of the admin listener: a scraper, a prober, a person.
const ADMIN_CONNECTIONS: usize = 32;
const ADMIN_DRAIN: Duration = Duration::from_secs(1);

/// What every request and every appraisal needs.
pub(crate) struct Core {
    pub(crate) api_keys: ApiKeys,
    pub(crate) registry: NodeRegistry,
    pub(crate) standing: ArcSwap<Standing>,
    /// What earlier appraisals verified. Held while a verdict is made and put in force, and while documents are exchanged.
    pub(crate) judging: Mutex<Cache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) upstream: Upstream,
    pub(crate) appraisal: AppraisalConfig,
    pub(crate) relay: RelayConfig,
    pub(crate) relays: Slots,
    /// Of verdicts, one for each API key.
    pub(crate) reports: Box<[Rate]>,
    pub(crate) metrics: Arc<Metrics>,
    draining: AtomicBool,
}

impl Core {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// A gateway, ready to run.
#[derive(Clone)]
pub struct Gateway {
    core: Arc<Core>,
    connections: Arc<Counters>,
    limits: Limits,
}

/// Bound sockets of one gateway.
#[derive(Debug)]
pub struct Listeners<A = TcpListener> {
    public: A,
    certificate: Arc<ShownCertificate>,
    tls: Arc<ServerConfig>,
    admin: A,
}

/// Exchanges the certificate of a listener, running or not.
#[derive(Debug)]
pub struct CertificateReload {
    files: TlsFiles,
    shown: Arc<ShownCertificate>,
}

impl CertificateReload {
    /// Reads the files again and shows what is in them; on an error what was shown stays.
    pub fn reload(&self) -> Result<(), ConfigError> {
        self.shown.exchange(self.files.read()?);
        Ok(())
    }
}

impl Listeners {
    /// Binds both addresses of `config` (port 0: any) and reads its certificate.
    pub async fn bind(config: &Config) -> Result<Self, ConfigError> {
        // Before anything is bound.
        config.certificate()?;
        let public = bind("listen", config.listen).await?;
        let admin = bind("admin_listen", config.admin_listen).await?;
        Self::bound(config, public, admin)
    }
}

impl<A: Accept> Listeners<A> {
    /// Sockets that are bound already; reads the certificate of `config`.
    pub fn bound(config: &Config, public: A, admin: A) -> Result<Self, ConfigError> {
        let certificate = Arc::new(ShownCertificate::new(config.certificate()?));
        let tls = Arc::new(server_config(Arc::clone(&certificate))?);
        Ok(Self {
            public,
            certificate,
            tls,
            admin,
        })
    }

    /// What exchanges the certificate for the one in `files`.
    #[must_use]
    pub fn certificate_reload(&self, files: &TlsFiles) -> CertificateReload {
        CertificateReload {
            files: files.clone(),
            shown: Arc::clone(&self.certificate),
        }
    }

    /// The public and the admin address, as bound.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.admin.local_addr()?))
    }
}

async fn bind(field: &'static str, address: SocketAddr) -> Result<TcpListener, ConfigError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| ConfigError::Unbindable {
        field,
        address,
        source,
    })
}

impl Gateway {
    /// A gateway that judges nodes with `appraiser` at the times that `clock` says.
    #[must_use]
    pub fn new(config: &Config, appraiser: Appraiser, clock: Arc<dyn Clock>) -> Self {
        let connector = Connector::tcp(config.relay.connect_timeout);
        Self::through(connector, config, appraiser, clock)
    }

    /// The same, reaching its nodes through `connector`.
    #[must_use]
    pub fn through(
        connector: Connector,
        config: &Config,
        appraiser: Appraiser,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let connections = Arc::new(Counters::default());
        let core = Core {
            api_keys: ApiKeys::new(config.api_keys.iter().copied()),
            registry: NodeRegistry::new(&config.nodes, &config.relay, &config.appraisal),
            standing: ArcSwap::from_pointee(Standing::unpublished(appraiser)),
            judging: Mutex::default(),
            clock,
            upstream: Upstream::new(connector),
            appraisal: config.appraisal,
            relay: config.relay,
            relays: Slots::new(config.relay.max_in_flight),
            reports: config
                .api_keys
                .iter()
                .map(|_| Rate::new(BURST, PERIOD))
                .collect(),
            metrics: Arc::new(Metrics::new(Arc::clone(&connections))),
            draining: AtomicBool::new(false),
        };
        Self {
            core: Arc::new(core),
            connections,
            limits: config.limits,
        }
    }

    /// Judges by `in_force` from now on and hands out `files`, which say so: every node is judged anew at once, by the evidence that there is,
    /// and exchanges under way with what is refused now end.
    pub fn obey(&self, in_force: InForce, files: &Files) {
        self.core.obey(in_force, files);
    }

    /// Raises the alarm that something is wrong with what is published, while what is in force stays; or ends it.
    pub fn alarm(&self, alarm: Option<Alarm>) {
        self.core.alarm(alarm);
    }

    /// Appraises every node once, now; what came of it, in the order of the configuration.
    pub async fn appraise_all(&self) -> Vec<(NodeName, Result<(), AppraisalError>)> {
        let mut outcomes = Vec::new();
        for node in self.core.registry.nodes() {
            outcomes.push((node.name.clone(), appraise(&self.core, node).await));
        }
        outcomes
    }

    /// Appraises and serves until `shutdown`, then drains: not ready, no new connections, exchanges under way finish up to the limit.
    pub async fn run<A: Accept>(
        self,
        listeners: Listeners<A>,
        shutdown: impl Future<Output = ()>,
    ) -> Drained {
        let mut appraisals = JoinSet::new();
        for node in self.core.registry.nodes() {
            appraisals.spawn(keep_appraised(Arc::clone(&self.core), Arc::clone(node)));
        }
        appraisals.spawn(keep_watch(Arc::clone(&self.core)));
        let (public_ended, ended) = oneshot::channel::<()>();
        let admin = self.serve_admin(listeners.admin, async { drop(ended.await) });
        let public = async {
            let drained = self
                .serve_public(listeners.public, listeners.tls, shutdown)
                .await;
            drop(public_ended);
            drained
        };
        let (drained, _) = tokio::join!(public, admin);
        telemetry::stopped(drained.cut);
        drained
    }

    async fn serve_public(
        &self,
        socket: impl Accept,
        tls: Arc<ServerConfig>,
        shutdown: impl Future<Output = ()>,
    ) -> Drained {
        let core = Arc::clone(&self.core);
        let begin_drain = async {
            shutdown.await;
            self.core.draining.store(true, Ordering::Release);
            telemetry::draining();
        };
        Server::new(socket, self.limits)
            .tls(tls)
            .counters(Arc::clone(&self.connections))
            .serve(
                move |request| routes::answer(Arc::clone(&core), request),
                begin_drain,
            )
            .await
    }

    async fn serve_admin(
        &self,
        socket: impl Accept,
        shutdown: impl Future<Output = ()>,
    ) -> Drained {
        let core = Arc::clone(&self.core);
        let limits = Limits {
            max_connections: ADMIN_CONNECTIONS,
            drain_timeout: ADMIN_DRAIN,
            ..Limits::default()
        };
        Server::new(socket, limits)
            .serve(
                move |request| admin::answer(Arc::clone(&core), request),
                shutdown,
            )
            .await
    }
}
