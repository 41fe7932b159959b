//! A sealed model opened as the runtime that ships opens it: its key is asked for with evidence of the node's machine.

use enclave_runtime::{
    Clock, Config, Parts,
    model_key::{self, Asker},
    sealed::Sealed,
    telemetry,
};
use engine::{Engine, local::LocalConfig};
use std::{error::Error, fmt::Display, path::Path, sync::Arc};
use tests::fleet::Node;

/// Asks for the key and opens the model that the configuration at `path` names, for `node` of these `parts`.
pub(crate) async fn open(
    path: &Path,
    node: &Node,
    parts: &Parts,
) -> Result<Arc<dyn Engine>, Box<dyn Error>> {
    let config = Config::load(path)?;
    let settings = config.model_key.ok_or("there is no [model_key]")?;
    let owner = provision::read_trust_root(&settings.owner, settings.threshold)?;
    let sealed = Sealed::open(&config.model, &owner).map_err(|e| told(e.code(), &e))?;
    let promise = sealed.promise(config.model_name.as_deref(), &parts.in_force)?;
    let (name, engine) = (promise.name.clone(), LocalConfig::default());
    let card = promise.card(&engine)?;
    let machine = Arc::clone(&node.machine);
    let asker = Arc::new(Asker::new(parts, &card, machine, Clock::system())?);
    let wanted = sealed.wanted();
    telemetry::awaiting_model_key(&settings.server.address, &wanted.key_id.0);
    let key = model_key::fetch(&settings.server, &asker, wanted).await;
    let key = key.map_err(|e| told(e.code(), &e))?;
    telemetry::model_key_received();
    let loaded = sealed.load(key, &name, engine);
    loaded.map_err(|e| told(e.code(), &e))
}

/// A refusal that ends the process, in its log like that of the runtime that ships.
fn told(code: &'static str, error: &dyn Display) -> Box<dyn Error> {
    telemetry::cannot_start(code, error);
    format!("{code}: {error}").into()
}
