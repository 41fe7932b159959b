//! What a node can be told of itself before anybody has verified it.

use super::{exceptions, gpu_code, models, service};
use crate::{HardwareId, Policy, Reason};
use attestation::{Manifest, UnixTime};

impl Policy {
    /// Every unmet rule that a manifest alone can answer, but those that an exception waives at `now` for a node of this `hardware`. It
    /// admits nothing: who states a manifest is a node's to show.
    #[must_use]
    pub fn judge_manifest(
        &self,
        manifest: &Manifest,
        hardware: &[HardwareId],
        now: UnixTime,
    ) -> Vec<Reason> {
        let mut reasons = models::reasons(self, manifest, now);
        reasons.extend(service::reasons(self, manifest));
        let is_device = |id: &&HardwareId| matches!(id, HardwareId::NvidiaDevice(_));
        let devices = hardware.iter().filter(is_device).count();
        reasons.extend(gpu_code::of_manifest(self, manifest, devices));
        reasons.retain(|reason| !exceptions::is_waived(self, reason, hardware, now));
        self.placed(reasons)
    }
}
