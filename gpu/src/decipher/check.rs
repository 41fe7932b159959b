//! What the device made of a model, held against the CPU: the first and the last panel of every matrix.
//!
//! The CPU does not have the weights, so that its decoder cannot say what the first tokens' logits have to be.

use engine::{gguf::ModelBytes, model::ModelError};
use kernels::matmul::Matrix;
use zeroize::Zeroizing;

use super::{DecipherError, jobs::Job};
use crate::{Device, DeviceError};

pub(super) fn check<D: Device>(
    device: &D,
    jobs: &[Job],
    source: &(impl ModelBytes + ?Sized),
) -> Result<(), DecipherError> {
    let mut panels = jobs
        .iter()
        .flat_map(|job| [(job, 0), (job, job.panels().saturating_sub(1))]);
    panels.try_for_each(|(job, panel)| check_panel(device, (job, panel), source))
}

fn check_panel<D: Device>(
    device: &D,
    (job, panel): (&Job, usize),
    source: &(impl ModelBytes + ?Sized),
) -> Result<(), DecipherError> {
    let part = &job.part;
    let rows = Zeroizing::new(source.read(job.file_range(panel))?);
    let packed = Matrix::pack(part.format, part.columns, &rows);
    let packed = packed.map_err(|reason| ModelError::Pack {
        name: part.name.clone(),
        reason,
    })?;
    let expected = packed.packed_panel(0).bytes;
    let memory = job.memory(panel).ok_or(DeviceError::Plan)?;
    let mut found = Zeroizing::new(vec![0; memory.bytes()]);
    device.download(memory, &mut found)?;
    match found.as_slice() == expected {
        true => Ok(()),
        false => Err(DecipherError::Weights(part.name.clone())),
    }
}
