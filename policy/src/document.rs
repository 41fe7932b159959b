//! The policy document: TOML, versioned schema, unknown fields refused, empty allow-lists refused (docs/policy.md).

mod error;
mod exceptions;
mod gpu;
pub(crate) mod head;
pub(crate) mod mistakes;
mod models;
mod places;
pub(crate) mod reader;
mod reference_values;
mod rego;
mod residency;
mod schema;
mod service;
mod snp;
mod tdx;
mod tenants;
mod validity;

pub use error::{PolicyError, Position};

use crate::{
    AcceptedModel, AllowList, Envelope, Exception, NamedDigest, PayloadType, Tenant, TrustRoot,
    aibom::AibomRules, channel::ChannelRules, engine::EngineRules, gpu::GpuRules, lease::LeaseRule,
    limits::LimitRules, rego::RegoModule, residency::ResidencyRules, snp::SnpRules, tdx::TdxRules,
};
use attestation::{Digest, UnixTime, crypto};
use head::Head;
use places::Places;
use std::sync::Arc;

/// Largest document accepted, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// The schema that this build reads.
pub const SCHEMA: u64 = 1;

/// One parsed policy.
#[derive(Clone, Debug)]
pub struct Policy {
    digest: Digest,
    document: Document,
    anchors: AcceptedAnchors,
}

/// Whose roots a policy accepts; only [`crate::danger`] leaves the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcceptedAnchors {
    Vendor,
    VendorAndCustom,
}

/// What the document says.
#[derive(Clone, Debug)]
struct Document {
    places: Arc<Places>,
    head: Head,
    previous: Option<Digest>,
    freshness: Freshness,
    hardware: Hardware,
    service: Service,
    tenants: Option<AllowList<Tenant>>,
    beside: Beside,
    exceptions: Option<AllowList<Exception>>,
}

/// How old what is judged may be.
#[derive(Clone, Copy, Debug)]
struct Freshness {
    max_age_seconds: u64,
    max_collateral_age_seconds: Option<u64>,
}

/// The tables about CPUs and devices.
#[derive(Clone, Debug)]
struct Hardware {
    snp: Option<SnpRules>,
    tdx: Option<TdxRules>,
    gpu: Option<GpuRules>,
}

/// The tables about what a node serves and runs.
#[derive(Clone, Debug)]
struct Service {
    models: Option<AllowList<AcceptedModel>>,
    runtimes: Option<AllowList<NamedDigest<32>>>,
    engine: Option<EngineRules>,
    aibom: Option<AibomRules>,
    channel: Option<ChannelRules>,
    limits: Option<LimitRules>,
}

/// The tables that are about more than the claims of one part.
#[derive(Clone, Debug)]
struct Beside {
    residency: Option<ResidencyRules>,
    lease: Option<LeaseRule>,
    rego: Option<RegoModule>,
}

impl Policy {
    /// Parses an unsigned document (for `lint` and signing). All mistakes at once.
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        Ok(Self {
            digest: crypto::sha256(bytes),
            document: head::parse(bytes, MAX_DOCUMENT_BYTES, schema::read)?,
            anchors: AcceptedAnchors::Vendor,
        })
    }

    /// Opens the envelope under `root`, then parses its payload.
    pub fn from_envelope(envelope: &Envelope, root: &TrustRoot) -> Result<Self, Vec<PolicyError>> {
        match envelope.open(PayloadType::Policy, root) {
            Ok(payload) => Self::from_toml(payload),
            Err(error) => Err(vec![error.into()]),
        }
    }

    /// The document's `version`, strictly rising from one release to the next.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.document.head.version
    }

    /// `previous`: SHA-256 of the version before, where the document names it.
    #[must_use]
    pub const fn previous(&self) -> Option<&Digest> {
        self.document.previous.as_ref()
    }

    /// SHA-256 of the document's bytes.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// `name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.head.name
    }

    /// `not_before`: first second of the policy's window.
    #[must_use]
    pub const fn not_before(&self) -> UnixTime {
        self.document.head.window.not_before
    }

    /// `expires`: last second of the policy's window.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.document.head.window.expires
    }

    /// `freshness.max_age_seconds`.
    #[must_use]
    pub const fn max_age_seconds(&self) -> u64 {
        self.document.freshness.max_age_seconds
    }

    /// `freshness.max_collateral_age_seconds`; `None`: as old as its issuer lets it be.
    #[must_use]
    pub const fn max_collateral_age_seconds(&self) -> Option<u64> {
        self.document.freshness.max_collateral_age_seconds
    }

    /// `[snp]`; `None`: no SNP node is admitted.
    #[must_use]
    pub const fn snp(&self) -> Option<&SnpRules> {
        self.document.hardware.snp.as_ref()
    }

    /// `[tdx]`; `None`: no TDX node is admitted.
    #[must_use]
    pub const fn tdx(&self) -> Option<&TdxRules> {
        self.document.hardware.tdx.as_ref()
    }

    /// `[gpu]`; `None`: no node with devices is admitted.
    #[must_use]
    pub const fn gpu(&self) -> Option<&GpuRules> {
        self.document.hardware.gpu.as_ref()
    }

    /// `[[models.accepted]]`; `None`: any model that the manifest names.
    #[must_use]
    pub const fn models(&self) -> Option<&AllowList<AcceptedModel>> {
        self.document.service.models.as_ref()
    }

    /// `[[runtime.accepted]]`; `None`: any runtime that an accepted measurement starts.
    #[must_use]
    pub const fn runtimes(&self) -> Option<&AllowList<NamedDigest<32>>> {
        self.document.service.runtimes.as_ref()
    }

    /// `[engine]`; `None`: any mode, kernels and instruction set.
    #[must_use]
    pub const fn engine(&self) -> Option<&EngineRules> {
        self.document.service.engine.as_ref()
    }

    /// `[aibom]`; `None`: nothing is asked.
    #[must_use]
    pub const fn aibom(&self) -> Option<&AibomRules> {
        self.document.service.aibom.as_ref()
    }

    /// `[channel]`; `None`: nothing is asked.
    #[must_use]
    pub const fn channel(&self) -> Option<&ChannelRules> {
        self.document.service.channel.as_ref()
    }

    /// `[limits]`; `None`: nothing is asked.
    #[must_use]
    pub const fn limits(&self) -> Option<&LimitRules> {
        self.document.service.limits.as_ref()
    }

    /// `[residency]`; `None`: wherever the hardware stands, and whosever it is.
    #[must_use]
    pub const fn residency(&self) -> Option<&ResidencyRules> {
        self.document.beside.residency.as_ref()
    }

    /// `[lease]`; `None`: no timestamp is asked for.
    #[must_use]
    pub const fn lease(&self) -> Option<&LeaseRule> {
        self.document.beside.lease.as_ref()
    }

    /// `[rego]`: a module that can only add denials.
    #[must_use]
    pub const fn rego(&self) -> Option<&RegoModule> {
        self.document.beside.rego.as_ref()
    }

    /// `[[exceptions]]`, in the document's order.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.document.exceptions.iter().flat_map(AllowList::iter)
    }

    /// `[[tenants]]`: whom a runtime that obeys this policy serves; `None`: whoever reaches it.
    #[must_use]
    pub const fn tenants(&self) -> Option<&AllowList<Tenant>> {
        self.document.tenants.as_ref()
    }

    /// Where `rule`, as a reason names it, stands in the document: its own field, or the nearest table around it.
    #[must_use]
    pub fn place_of(&self, rule: &str) -> Option<Position> {
        self.document.places.find(rule)
    }

    pub(crate) const fn accepted_anchors(&self) -> AcceptedAnchors {
        self.anchors
    }

    pub(crate) fn accepting(self, anchors: AcceptedAnchors) -> Self {
        Self { anchors, ..self }
    }
}
