//! Known answers: what a device has to give before it is used, held against the CPU's functions: bit for bit, where the arithmetic is
//! theirs or the answer exact, and otherwise within what bf16 rounds off.

mod attention;
mod bench;
mod choice;
mod decipher;
mod fast;
mod fast_attention;
mod model;
mod noise;
mod products;
mod rows;

use std::sync::Arc;

use engine::decoder::DecoderError;
use sha2::{Digest, Sha256};

use crate::{Arithmetic, Device, DeviceError};
use bench::Bench;

pub(crate) use model::model;

/// A device that gave every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTestReport {
    /// SHA-256 over the names of the tests and the answers, every field after its length as eight bytes, little-endian: in the
    /// exact arithmetic the same for every device that passes, in the fast one for those of one architecture.
    pub digest: [u8; 32],
    /// How many tests there were.
    pub tests: usize,
}

/// Why a device is not used, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelfTestError {
    /// It failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// It gave a wrong answer.
    #[error("the device gave a wrong answer: {0}")]
    WrongAnswer(String),
    /// With the model, it refused a step.
    #[error("the device refused a step of the model: {0}")]
    Step(#[from] DecoderError),
    /// With the model, it gave other logits than a CPU, or in the fast arithmetic none near them.
    #[error("the device gave wrong logits")]
    WrongLogits,
    /// With the model, it gave other bits when the same tokens came again, cut otherwise and in company.
    #[error("the device gave other bits for the same tokens")]
    OtherBits,
}

impl SelfTestError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Device(error) => error.code(),
            Self::WrongAnswer(_) => "gpu.self_test.answer",
            Self::Step(_) => "gpu.self_test.step",
            Self::WrongLogits => "gpu.self_test.logits",
            Self::OtherBits => "gpu.self_test.bits",
        }
    }
}

/// Tests every operation of an arithmetic on small inputs.
pub(crate) fn operations<D: Device>(
    device: &Arc<D>,
    arithmetic: Arithmetic,
) -> Result<SelfTestReport, SelfTestError> {
    let mut answers = Answers::default();
    let mut bench = Bench::new(device);
    match arithmetic {
        Arithmetic::Exact => {
            products::test(&mut bench, &mut answers)?;
            rows::test(&mut bench, &mut answers)?;
            attention::test(&mut bench, &mut answers)?;
            decipher::test(&mut bench, &mut answers)?;
        }
        Arithmetic::Fast => {
            fast::test(&mut bench, &mut answers)?;
            fast_attention::test(&mut bench, &mut answers)?;
        }
    }
    choice::test(&mut bench, &mut answers)?;
    Ok(answers.report())
}

/// The answers so far.
#[derive(Default)]
struct Answers {
    hasher: Sha256,
    tests: usize,
}

impl Answers {
    /// Takes an answer, if it is right.
    fn take(&mut self, name: &str, answer: &[f32], expected: &[f32]) -> Result<(), SelfTestError> {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        self.take_if(name, answer, bits(answer) == bits(expected))
    }

    /// Takes an answer, if none of it is further from what is expected than so much of the largest of that.
    fn take_near(
        &mut self,
        name: &str,
        answer: &[f32],
        expected: &[f32],
        tolerance: f32,
    ) -> Result<(), SelfTestError> {
        let largest = expected.iter().fold(0.0, |most: f32, v| most.max(v.abs()));
        let mut pairs = answer.iter().zip(expected);
        let near = pairs.all(|(a, e)| (a - e).abs() <= tolerance * largest);
        self.take_if(name, answer, near && answer.len() == expected.len())
    }

    fn take_if(&mut self, name: &str, answer: &[f32], right: bool) -> Result<(), SelfTestError> {
        if !right {
            return Err(SelfTestError::WrongAnswer(name.to_owned()));
        }
        let answer: Vec<u8> = answer.iter().flat_map(|v| v.to_le_bytes()).collect();
        for field in [name.as_bytes(), &answer] {
            self.hasher.update((field.len() as u64).to_le_bytes());
            self.hasher.update(field);
        }
        self.tests += 1;
        Ok(())
    }

    fn report(self) -> SelfTestReport {
        SelfTestReport {
            digest: self.hasher.finalize().into(),
            tests: self.tests,
        }
    }
}
