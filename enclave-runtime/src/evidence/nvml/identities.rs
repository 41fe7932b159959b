//! Which GPUs gave evidence, by the UUIDs that the driver gives them: CUDA tells the same of the device that computes.

use super::{
    NvmlError,
    library::{Handle, Library, UUID_BYTES},
};
use gpu::DeviceUuid;
use std::ffi::CStr;

/// What stands before a GPU's UUID, and before that of a part of one.
const GPU: &str = "GPU-";
const PART: &str = "MIG-";
/// Hexadecimal digits between the hyphens.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// The GPUs that gave evidence. UUIDs name hardware: there is no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GpuIdentities(Vec<DeviceUuid>);

impl GpuIdentities {
    /// Refuses to compute on a device that is none of them.
    pub fn check(&self, computing: DeviceUuid) -> Result<(), NvmlError> {
        match self.0.contains(&computing) {
            true => Ok(()),
            false => Err(NvmlError::Unattested),
        }
    }

    /// Each GPU once.
    pub(super) fn read(library: &Library, gpus: Vec<Handle<'_>>) -> Result<Self, NvmlError> {
        let mut all = Vec::new();
        for (index, gpu) in gpus.into_iter().enumerate() {
            let told = library.uuid(gpu);
            let told = told.map_err(|failed| NvmlError::Uuid(index, failed))?;
            let uuid = parse(index, &told)?;
            if all.contains(&uuid) {
                return Err(NvmlError::UuidDoubled(index));
            }
            all.push(uuid);
        }
        Ok(Self(all))
    }
}

/// `GPU-` and the UUID, as text with its terminator.
fn parse(index: usize, told: &[u8; UUID_BYTES]) -> Result<DeviceUuid, NvmlError> {
    let malformed = NvmlError::UuidFormat(index);
    let Ok(Ok(text)) = CStr::from_bytes_until_nul(told).map(CStr::to_str) else {
        return Err(malformed);
    };
    match text.strip_prefix(GPU) {
        Some(digits) => uuid(digits).ok_or(malformed),
        None if text.starts_with(PART) => Err(NvmlError::Mig(index)),
        None => Err(malformed),
    }
}

/// Hexadecimal digits in the groups of RFC 9562, section 4; zeros are refused.
fn uuid(text: &str) -> Option<DeviceUuid> {
    if !text.split('-').map(str::len).eq(GROUPS) {
        return None;
    }
    let mut bytes = [0; 16];
    hex::decode_to_slice(text.replace('-', ""), &mut bytes).ok()?;
    DeviceUuid::new(bytes)
}
