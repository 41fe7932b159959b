//! What the measurements of the sealed channel share: nodes with the real model, the wire as a carrier sees it, a plaintext yardstick.

pub mod plain;
pub mod site;
pub mod wire;
