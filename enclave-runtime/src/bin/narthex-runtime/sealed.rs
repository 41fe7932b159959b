//! A sealed model: its key is asked for with evidence of this machine, and gone once the model is open.

use crate::{device::Gpu, failure::Failure, local_config};
use attestation::EvidenceProvider;
use enclave_runtime::{
    Clock, Config, Parts,
    config::ModelKeySettings,
    model_key::{self, Asker},
    sealed::{Sealed, SealedError},
    telemetry,
};
use engine::Engine;
use policy::TrustRoot;
use std::sync::Arc;

/// Asks for the key and opens the model that `config` names, whose owner is `owner`; `device` computes, or the CPU where there is none.
pub(crate) async fn load(
    config: &Config,
    (settings, owner): (&ModelKeySettings, &TrustRoot),
    parts: &Parts,
    (provider, device): (Arc<dyn EvidenceProvider>, Option<Gpu>),
) -> Result<Arc<dyn Engine>, Failure> {
    telemetry::loading_model(&config.model);
    let sealed = Sealed::open(&config.model, owner)?;
    let promise = sealed.promise(config.model_name.as_deref(), &parts.in_force)?;
    let (name, engine) = (promise.name.clone(), local_config(config));
    let card = match &device {
        Some(gpu) => promise.card_on(gpu, &engine)?,
        None => promise.card(&engine)?,
    };
    let asker = Asker::new(parts, &card, provider, Clock::system())?;
    let wanted = sealed.wanted();
    telemetry::awaiting_model_key(&settings.server.address, &wanted.key_id.0);
    let key = model_key::fetch(&settings.server, &Arc::new(asker), wanted).await?;
    telemetry::model_key_received();
    let opening = move || match device {
        Some(gpu) => sealed.load_on(gpu, key, (&name, engine)),
        None => sealed.load(key, &name, engine),
    };
    let opened = tokio::task::spawn_blocking(opening).await;
    let engine = opened.map_err(|_| Failure::ModelBrokenOff)??;
    let card = engine.card();
    telemetry::loaded_model(&card.name, &card.model_digest, card.isa);
    Ok(engine)
}

impl From<SealedError> for Failure {
    fn from(error: SealedError) -> Self {
        Self::Sealed(Box::new(error))
    }
}
