//! What computes on a node's GPUs, as its manifest says it (docs/protocol.md section 4).

use super::text;
use crate::{
    Digest,
    cbor::{self, Fields},
};
use ciborium::Value;
use std::collections::BTreeMap;

/// Most libraries beside the driver.
const MAX_LIBRARIES: usize = 16;

/// The map `gpu` of a manifest. A node without it computes on its CPU alone, or says nothing of what computes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuCode {
    /// The code that is uploaded, and how it computes.
    pub kernels: GpuKernels,
    /// What the devices are driven by: `cuda`.
    pub device: String,
    /// Which of the cubins the devices run: `sm_90a`.
    pub architecture: String,
    /// Version of the driver, as the devices' signed reports name it: `580.95.05`.
    pub driver: String,
    /// Version of CUDA that the driver speaks: `13.0`.
    pub cuda: String,
    /// Versions of the vendor's libraries that compute too, by name; none in exact arithmetic.
    pub libraries: BTreeMap<String, String>,
    /// What the device that computes gave for known answers before the node was ready.
    pub self_test: SelfTest,
}

/// Code for GPUs that was built ahead, and its arithmetic: what a receipt repeats of [`GpuCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuKernels {
    /// SHA-256 over all embedded cubins.
    pub cubins_digest: Digest,
    /// How they compute.
    pub arithmetic: Arithmetic,
}

/// What a GPU's results are to a CPU's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arithmetic {
    /// The same operations in the same order: the same bits, so that a CPU can replay a receipt.
    Exact,
    /// The devices' own operations in an order that is fixed: other bits.
    Fast,
}

/// A known-answer test of the device that computes; the node's other devices are not tested, and do not compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTest {
    /// None was made.
    Absent,
    /// The answers were others; their digest.
    Failed(Digest),
    /// The answers were right; their digest.
    Passed(Digest),
}

impl Arithmetic {
    /// Its name in manifests, receipts and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Fast => "fast",
        }
    }

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = [Self::Exact, Self::Fast].into_iter();
        all.find(|arithmetic| arithmetic.as_str() == name)
    }
}

impl SelfTest {
    /// Its name in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Failed(_) => "failed",
            Self::Passed(_) => "passed",
        }
    }

    /// What the device answered, if it was asked.
    #[must_use]
    pub const fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Absent => None,
            Self::Failed(digest) | Self::Passed(digest) => Some(digest),
        }
    }

    fn take(fields: &mut Fields) -> Option<Self> {
        match fields.take_text("self-test")?.as_str() {
            "absent" => Some(Self::Absent),
            "failed" => fields.take_array("self-test-digest").map(Self::Failed),
            "passed" => fields.take_array("self-test-digest").map(Self::Passed),
            _ => None,
        }
    }
}

impl GpuCode {
    // R4.3
    pub(super) fn from_value(value: Value) -> Option<Self> {
        let mut fields = Fields::of(value)?;
        let code = Self {
            kernels: GpuKernels {
                cubins_digest: fields.take_array("cubins-digest")?,
                arithmetic: Arithmetic::parse(&fields.take_text("arithmetic")?)?,
            },
            device: text(&mut fields, "device")?,
            architecture: text(&mut fields, "architecture")?,
            driver: text(&mut fields, "driver")?,
            cuda: text(&mut fields, "cuda")?,
            libraries: match fields.take("libraries") {
                None => BTreeMap::new(),
                Some(value) => libraries(value)?,
            },
            self_test: SelfTest::take(&mut fields)?,
        };
        fields.finish().map(|()| code)
    }

    pub(super) fn to_value(&self) -> Value {
        let mut fields = vec![
            ("cubins-digest", digest(&self.kernels.cubins_digest)),
            ("arithmetic", self.kernels.arithmetic.as_str().into()),
            ("device", self.device.as_str().into()),
            ("architecture", self.architecture.as_str().into()),
            ("driver", self.driver.as_str().into()),
            ("cuda", self.cuda.as_str().into()),
            ("self-test", self.self_test.as_str().into()),
        ];
        let answers = self.self_test.digest();
        fields.extend(answers.map(|answers| ("self-test-digest", digest(answers))));
        if !self.libraries.is_empty() {
            let one = |(name, version): (&String, &String)| {
                (Value::from(name.as_str()), Value::from(version.as_str()))
            };
            let libraries = self.libraries.iter().map(one).collect();
            fields.push(("libraries", Value::Map(libraries)));
        }
        cbor::map(fields)
    }
}

fn digest(digest: &Digest) -> Value {
    Value::from(digest.as_slice())
}

/// A map that is there is not empty.
fn libraries(value: Value) -> Option<BTreeMap<String, String>> {
    let entries = value.into_map().ok()?;
    if !(1..=MAX_LIBRARIES).contains(&entries.len()) {
        return None;
    }
    let one = |(name, version): (Value, Value)| Some((printable(name)?, printable(version)?));
    entries.into_iter().map(one).collect()
}

fn printable(value: Value) -> Option<String> {
    let text = value.into_text().ok()?;
    super::is_text(&text).then_some(text)
}
