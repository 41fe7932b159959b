//! Key epochs: private keys and replay set of each, and which of them are open.

#[cfg(test)]
mod tests;

use super::ReceiverError;
use crate::{
    Form,
    crypto::{Aead, sha256},
    entropy,
    envelope::{HEADER_LEN, Header},
    hpke::{self, Context, Kem, KemSecret, Suite},
    ohttp_keys::{self, KeyConfig},
    replay::{Refused, ReplaySet},
    secret::{Heap, SecretMemory},
};
use std::sync::{Arc, PoisonError, RwLock};

/// What is offered, in the order of preference.
const SUITES: [Suite; 2] = [
    Suite {
        kem: Kem::XWing,
        aead: Aead::Aes256Gcm,
    },
    Suite {
        kem: Kem::X25519,
        aead: Aead::Aes128Gcm,
    },
];

/// One epoch's private keys and replay set. No Debug, Clone or Serialize; the keys are wiped on drop.
pub struct KeyEpoch {
    number: u64,
    key_id: u8,
    keys: [(Suite, KemSecret); 2],
    replay: Arc<ReplaySet>,
}

impl KeyEpoch {
    /// Makes fresh X-Wing and X25519 keys on the heap for `epoch`, with room for `replay_capacity` envelopes. Without randomness the process
    /// ends.
    #[must_use]
    pub fn generate(epoch: u64, replay_capacity: usize) -> Self {
        Self::generate_in(&Heap, epoch, replay_capacity)
    }

    /// As [`KeyEpoch::generate`], with private keys that rest in `memory`.
    #[must_use]
    pub fn generate_in(memory: &dyn SecretMemory, epoch: u64, replay_capacity: usize) -> Self {
        let [key_id, ..] = epoch.to_le_bytes();
        let fresh = |suite: Suite| {
            let secret = KemSecret::generate(suite.kem, memory);
            (suite, entropy::or_abort(secret))
        };
        Self {
            number: epoch,
            key_id,
            keys: SUITES.map(fresh),
            replay: Arc::new(ReplaySet::new(replay_capacity)),
        }
    }

    /// Of published keys, X-Wing's first.
    #[cfg(test)]
    pub(crate) fn of(epoch: u64, [x_wing, x25519]: [KemSecret; 2]) -> Self {
        let [key_id, ..] = epoch.to_le_bytes();
        let [first, second] = SUITES;
        Self {
            number: epoch,
            key_id,
            keys: [(first, x_wing), (second, x25519)],
            replay: Arc::new(ReplaySet::new(16)),
        }
    }

    /// `application/ohttp-keys` of this epoch, for [`crate::KeyConfigs::configs`].
    #[must_use]
    pub fn ohttp_keys(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (suite, secret) in &self.keys {
            let config = KeyConfig {
                key_id: self.key_id,
                suite: *suite,
                public_key: secret.public().to_vec(),
            };
            ohttp_keys::encode(&config, &mut out);
        }
        out
    }

    /// Its number; the low byte is the key id.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The header, if it names a suite that this epoch offers.
    pub(super) fn accept(&self, header: [u8; HEADER_LEN]) -> Result<Header, ReceiverError> {
        let header = Header::parse(header).ok_or(ReceiverError::Header)?;
        self.secret(&header).map(|_| header)
    }

    /// HPKE's context for `enc`.
    pub(super) fn context(
        &self,
        form: Form,
        header: &Header,
        enc: &[u8],
    ) -> Result<Context, ReceiverError> {
        hpke::setup_receiver(header.suite, self.secret(header)?, enc, &form.info(header))
            .map_err(|_| ReceiverError::Header)
    }

    /// The place in the replay set for an envelope that these keys opened.
    pub(super) fn reservation(&self) -> Reservation {
        Reservation {
            epoch: self.number,
            replay: Arc::clone(&self.replay),
            is_held: false,
        }
    }

    fn secret(&self, header: &Header) -> Result<&KemSecret, ReceiverError> {
        let mut keys = self.keys.iter();
        let offered = keys.find(|(suite, _)| *suite == header.suite);
        offered.map(|(_, key)| key).ok_or(ReceiverError::Header)
    }
}

/// One envelope's place in the replay set of its epoch. The set outlives the epoch's keys for as long as an envelope is under way that they
/// opened, so that of its duplicates one is accepted, whenever the epoch ends.
pub(super) struct Reservation {
    epoch: u64,
    replay: Arc<ReplaySet>,
    is_held: bool,
}

impl Reservation {
    /// Reserves the encapsulation, once per envelope: of any number with the same, one succeeds.
    pub(super) fn hold(&mut self, enc: &[u8]) -> Result<(), ReceiverError> {
        if self.is_held {
            return Ok(());
        }
        let reserved = self.replay.reserve(sha256(enc));
        self.is_held = reserved.is_ok();
        reserved.map_err(|refused| match refused {
            Refused::Replayed => ReceiverError::Replayed,
            Refused::Full => ReceiverError::ReplaySetFull(self.epoch),
        })
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// The epochs that open envelopes now. Nobody else holds on to one: what is removed here is wiped, once a decapsulation that is running on
/// another thread is done.
#[derive(Default)]
pub(super) struct OpenEpochs(RwLock<Vec<Arc<KeyEpoch>>>);

impl OpenEpochs {
    /// The epoch that `key_id` names; to be dropped with the call.
    pub(super) fn named(&self, key_id: u8) -> Result<Arc<KeyEpoch>, ReceiverError> {
        let epochs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let named = epochs.iter().find(|epoch| epoch.key_id == key_id);
        named.cloned().ok_or(ReceiverError::UnknownKey)
    }

    /// Adds an epoch in place of one with the same key id.
    pub(super) fn insert(&self, epoch: KeyEpoch) {
        let key_id = epoch.key_id;
        drop(self.replace(|other| other.key_id == key_id, Some(Arc::new(epoch))));
    }

    pub(super) fn remove(&self, number: u64) {
        drop(self.replace(|epoch| epoch.number == number, None));
    }

    /// What went, to be dropped when the lock is free again.
    fn replace(
        &self,
        goes: impl Fn(&KeyEpoch) -> bool,
        comes: Option<Arc<KeyEpoch>>,
    ) -> Vec<Arc<KeyEpoch>> {
        let mut epochs = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let gone = epochs.extract_if(.., |epoch| goes(epoch)).collect();
        epochs.extend(comes);
        gone
    }
}
