//! `[claims.manifest.gpu]`: what computes on a node's GPUs as a case writes it.

use super::hex_bytes::HexBytes;
use attestation::manifest::{Arithmetic, GpuCode, GpuKernels, SelfTest};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Code for GPUs. What a case leaves out is as a sound node has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GpuCodeForm {
    cubins_digest: HexBytes<32>,
    arithmetic: ArithmeticForm,
    driver: String,
    #[serde(default = "device")]
    device: String,
    #[serde(default = "architecture")]
    architecture: String,
    #[serde(default = "cuda")]
    cuda: String,
    #[serde(default)]
    libraries: BTreeMap<String, String>,
    #[serde(default)]
    self_test: SelfTestForm,
    #[serde(default)]
    self_test_digest: HexBytes<32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ArithmeticForm {
    Exact,
    Fast,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SelfTestForm {
    Absent,
    Failed,
    #[default]
    Passed,
}

fn device() -> String {
    "cuda".to_owned()
}

fn architecture() -> String {
    "sm_90a".to_owned()
}

fn cuda() -> String {
    "13.0".to_owned()
}

impl GpuCodeForm {
    pub(super) fn code(&self) -> GpuCode {
        GpuCode {
            kernels: GpuKernels {
                cubins_digest: self.cubins_digest.0,
                arithmetic: match self.arithmetic {
                    ArithmeticForm::Exact => Arithmetic::Exact,
                    ArithmeticForm::Fast => Arithmetic::Fast,
                },
            },
            device: self.device.clone(),
            architecture: self.architecture.clone(),
            driver: self.driver.clone(),
            cuda: self.cuda.clone(),
            libraries: self.libraries.clone(),
            self_test: match self.self_test {
                SelfTestForm::Absent => SelfTest::Absent,
                SelfTestForm::Failed => SelfTest::Failed(self.self_test_digest.0),
                SelfTestForm::Passed => SelfTest::Passed(self.self_test_digest.0),
            },
        }
    }
}
