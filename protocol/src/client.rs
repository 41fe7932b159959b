//! The client's side: [`Sealer`] encrypts to an admitted node only, [`Opener`] reads the sealed answer.

mod computes;
mod opener;
mod response;
#[cfg(test)]
mod tests;

pub(crate) use computes::Computes;
pub use opener::{OpenError, Opener, ResponseEvent, ResponsePart};

use crate::{
    CacheSecret, KeyConfigError, KeyConfigs, Opening, PaddingProfile, SealedHeaders,
    SignedKeyConfigs, TenantCredential, TenantSigner, TenantStatement,
    bhttp::{self, BhttpError, RequestControl},
    chunk::{ChunkSealer, MAX_SENT_CHUNK},
    envelope::Header,
    hpke::{self, Context},
    ohttp_keys::KeyConfig,
    sealed_headers::{AUTHORITY, SCHEME},
};
use attestation::{BindingId, Digest, IdentityKey, UnixTime};
use opener::Expected;
use policy::Admitted;
use std::fmt;
use zeroize::Zeroizing;

/// Encrypts requests to one admitted node for one key epoch.
pub struct Sealer {
    peer: Peer,
    keys: KeyConfigs,
    config: KeyConfig,
}

/// What an admission says about the node.
pub(crate) struct Peer {
    pub(crate) identity: IdentityKey,
    pub(crate) manifest: Digest,
    pub(crate) binding_id: BindingId,
    pub(crate) client_policy: Digest,
    pub(crate) not_after: UnixTime,
    pub(crate) padding: PaddingProfile,
    pub(crate) tokenizer: Digest,
    pub(crate) template: Digest,
    pub(crate) computes: Computes,
}

/// A request to seal: what an HTTP client would have sent. Debug tells the body's length only.
#[derive(Clone, Copy)]
pub struct ClientRequest<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// `/v1/chat/completions` and so on.
    pub path: &'a str,
    /// Content-Type of `body`, if there is one.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The model named in the body.
    pub model: Option<&'a str>,
    /// Country demanded.
    pub residency: Option<&'a str>,
    /// The request id; the same on a retry.
    pub request_id: [u8; 16],
    /// Who asks, where the node's policy wants to know.
    pub tenant: Option<&'a dyn TenantSigner>,
    /// With whom cached state may be shared: nobody, if absent.
    pub cache_secret: Option<&'a CacheSecret>,
}

/// A sealed request: the bytes to post, and nothing else about the prompt.
#[derive(Clone, Debug)]
pub struct SealedRequest {
    /// Body of the outer POST, [`crate::REQUEST_MEDIA_TYPE`].
    pub envelope: Vec<u8>,
}

/// Why nothing was sealed; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key list.
    #[error(transparent)]
    KeyConfig(#[from] KeyConfigError),
    /// The admission's time is over.
    #[error("the admission of the node has expired")]
    AdmissionExpired,
    /// A sealed header would be malformed: a model or country that is none, a model where the route has none or none where it has one.
    #[error("the request's {0} is not valid")]
    Header(&'static str),
    /// The request is no HTTP request.
    #[error("the request cannot be encoded: {0}")]
    Request(BhttpError),
    /// The tenant's key made no signature.
    #[error("the tenant's key made no signature")]
    Tenant,
    /// The attested manifest names a padding profile that this build does not know.
    #[error("the node pads in a way that this version does not know")]
    Padding,
    /// The list's public key is none (X25519 of low order, not ML-KEM), or there is no randomness.
    #[error("no key could be encapsulated to the node")]
    Encapsulation,
}

impl SealError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyConfig(error) => error.code(),
            Self::AdmissionExpired => "seal.admission_expired",
            Self::Header(_) => "seal.header",
            Self::Request(_) => "seal.request",
            Self::Tenant => "seal.tenant",
            Self::Padding => "seal.padding",
            Self::Encapsulation => "seal.encapsulation",
        }
    }
}

impl fmt::Debug for ClientRequest<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("model", &self.model)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl TryFrom<&Admitted> for Peer {
    type Error = SealError;

    fn try_from(admitted: &Admitted) -> Result<Self, SealError> {
        let claims = admitted.claims();
        // R4.2
        let padding = PaddingProfile::parse(&claims.manifest.padding);
        Ok(Self {
            identity: claims.identity,
            manifest: claims.manifest_digest,
            binding_id: claims.binding_id,
            client_policy: *admitted.policy_digest(),
            not_after: admitted.not_after(),
            padding: padding.ok_or(SealError::Padding)?,
            tokenizer: claims.manifest.tokenizer_digest,
            template: claims.manifest.template_digest,
            computes: Computes::from(&claims.manifest),
        })
    }
}

impl Sealer {
    /// Takes the proof of admission and a key list signed by the admitted identity and valid at `now`.
    pub fn new(
        admitted: &Admitted,
        keys: &SignedKeyConfigs,
        now: UnixTime,
    ) -> Result<Self, SealError> {
        Self::to(Peer::try_from(admitted)?, keys, now)
    }

    pub(crate) fn to(
        peer: Peer,
        keys: &SignedKeyConfigs,
        now: UnixTime,
    ) -> Result<Self, SealError> {
        let keys = keys.verify(&peer.identity, &peer.manifest, now)?;
        let config = keys.preferred()?;
        let sealer = Self { peer, keys, config };
        sealer.check_time(now)?;
        Ok(sealer)
    }

    /// Until when this sealer may be used: least of admission and key list.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        let last_of_keys = UnixTime(self.keys.expires.0.saturating_sub(1));
        self.peer.not_after.min(last_of_keys)
    }

    /// The node sealed to.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.keys.node
    }

    /// The key list sealed under: the runtime's policy version above all.
    #[must_use]
    pub const fn keys(&self) -> &KeyConfigs {
        &self.keys
    }

    /// Seals one request. A fresh encapsulation every time.
    pub fn seal(
        &self,
        request: &ClientRequest<'_>,
        now: UnixTime,
    ) -> Result<(SealedRequest, Opener), SealError> {
        self.check_time(now)?;
        let message = self.encode(request, now)?;
        let header = Header {
            key_id: self.config.key_id,
            suite: self.config.suite,
        };
        let (enc, context) =
            // R6.4
            hpke::setup_sender(header.suite, &self.config.public_key, &header.info())
                .map_err(|_| SealError::Encapsulation)?;
        let opening = Opening::export(&context.exporter);
        let expected = self.expected(request, &opening);
        let opener = Opener::new(
            expected,
            opening,
            (&context.exporter, header.suite.aead),
            &enc,
        );
        let envelope = seal_envelope(&header, &enc, context, &message);
        let envelope = envelope.ok_or(SealError::Encapsulation)?;
        Ok((SealedRequest { envelope }, opener))
    }

    fn check_time(&self, now: UnixTime) -> Result<(), SealError> {
        self.keys.check_window(now)?;
        if now > self.peer.not_after {
            return Err(SealError::AdmissionExpired);
        }
        Ok(())
    }

    /// The request as binary HTTP, in one allocation that is wiped.
    fn encode(
        &self,
        request: &ClientRequest<'_>,
        now: UnixTime,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut head = Zeroizing::default();
        self.encode_head(request, now, &mut head)?;
        bhttp::encode_content_len(request.body.len(), &mut head);
        let mut end = Vec::new();
        bhttp::encode_end(&[], &mut end).map_err(SealError::Request)?;
        let length = head.len() + request.body.len() + end.len();
        // R10.1
        let length = self.peer.padding.request_len(length);
        let mut message = Zeroizing::new(Vec::with_capacity(length));
        message.extend_from_slice(&head);
        message.extend_from_slice(request.body);
        message.extend_from_slice(&end);
        message.resize(length, 0);
        Ok(message)
    }

    fn encode_head(
        &self,
        request: &ClientRequest<'_>,
        now: UnixTime,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let headers = self.sealed_headers(request, now)?;
        let lines = headers
            .to_lines(request.method, request.path)
            .map_err(SealError::Header)?;
        let content_type = request.content_type.map(|value| ("content-type", value));
        let ours = lines.iter().map(|(name, value)| (*name, value.as_str()));
        let fields: Vec<(&str, &[u8])> = ours
            .chain(content_type)
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        let control = RequestControl {
            method: request.method,
            scheme: SCHEME,
            authority: AUTHORITY,
            path: request.path,
        };
        bhttp::encode_request(&control, &fields, out).map_err(SealError::Request)
    }

    fn sealed_headers(
        &self,
        request: &ClientRequest<'_>,
        now: UnixTime,
    ) -> Result<SealedHeaders, SealError> {
        Ok(SealedHeaders {
            binding_id: self.peer.binding_id,
            policy_version: self.keys.policy_version,
            policy_digest: self.keys.policy_digest,
            client_policy: self.peer.client_policy,
            request_id: request.request_id,
            issued_at: now,
            node: self.keys.node.clone(),
            model: request.model.map(str::to_owned),
            residency: request.residency.map(str::to_owned),
            tenant: self.tenant(request)?,
            cache_secret: request.cache_secret.cloned(),
        })
    }

    fn tenant(&self, request: &ClientRequest<'_>) -> Result<Option<TenantCredential>, SealError> {
        let statement = TenantStatement {
            request_id: &request.request_id,
            binding_id: &self.peer.binding_id,
            method: request.method,
            path: request.path,
            body: request.body,
        };
        let sign = |signer| TenantCredential::sign(signer, &statement).ok_or(SealError::Tenant);
        request.tenant.map(sign).transpose()
    }

    /// What the receipt of this exchange must say.
    fn expected(&self, request: &ClientRequest<'_>, opening: &Opening) -> Expected {
        Expected {
            identity: self.peer.identity,
            request_id: request.request_id,
            request: opening.request_digest(request.method, request.path, request.body),
            binding_id: self.peer.binding_id,
            manifest: self.peer.manifest,
            computes: self.peer.computes.clone(),
            policy_version: self.keys.policy_version,
            policy_digest: self.keys.policy_digest,
            client_policy: self.peer.client_policy,
            model: request.model.map(str::to_owned),
            node: self.keys.node.clone(),
            epoch: self.keys.epoch,
            residency: request.residency.map(str::to_owned),
            tokenizer: self.peer.tokenizer,
            template: self.peer.template,
            padding: self.peer.padding,
            tenant: request.tenant.map(TenantSigner::key),
        }
    }
}

/// Header, encapsulation and chunks; the last chunk carries the message's tail.
fn seal_envelope(header: &Header, enc: &[u8], context: Context, message: &[u8]) -> Option<Vec<u8>> {
    let mut chunks = message.chunks(MAX_SENT_CHUNK);
    let last = chunks.next_back()?;
    let overhead = (chunks.len() + 1) * (16 + 4);
    let mut out = Vec::with_capacity(7 + enc.len() + message.len() + overhead);
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(enc);
    let mut sealer = ChunkSealer::new(context.aead);
    for chunk in chunks {
        sealer.seal(&[chunk], &mut out)?;
    }
    sealer.seal_final(&[last], &mut out)?;
    Some(out)
}
