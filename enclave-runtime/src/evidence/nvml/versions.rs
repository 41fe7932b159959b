//! The versions of what drives the GPUs, as the library tells them.

use super::{
    NvmlError,
    library::{Handle, Library, VERSION_BYTES},
};

const DRIVER: &str = "the driver";
const CUDA: &str = "the driver's CUDA";
const VBIOS: &str = "the VBIOS";

/// By the driver's word; the signed reports name driver and VBIOS too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuVersions {
    /// `580.95.05`.
    pub driver: String,
    /// Newest CUDA that the driver speaks: `13.0`.
    pub cuda: String,
    /// `96.00.9F.00.01`, one for each GPU.
    pub vbios: Vec<String>,
}

pub(super) fn read(library: &Library, gpus: Vec<Handle<'_>>) -> Result<GpuVersions, NvmlError> {
    let vbios = |gpu| {
        let told = library.vbios_version(gpu);
        parse(
            VBIOS,
            &told.map_err(|failed| NvmlError::Version(VBIOS, failed))?,
        )
    };
    Ok(GpuVersions {
        driver: driver(library)?,
        cuda: cuda(library)?,
        vbios: gpus.into_iter().map(vbios).collect::<Result<_, _>>()?,
    })
}

pub(super) fn driver(library: &Library) -> Result<String, NvmlError> {
    let told = library.driver_version();
    parse(
        DRIVER,
        &told.map_err(|failed| NvmlError::Version(DRIVER, failed))?,
    )
}

/// 13000 is 13.0, 12080 is 12.8.
fn cuda(library: &Library) -> Result<String, NvmlError> {
    let told = library.cuda_driver_version();
    let told = told.map_err(|failed| NvmlError::Version(CUDA, failed))?;
    match u32::try_from(told) {
        Ok(version @ 1000..) => Ok(format!("{}.{}", version / 1000, version % 1000 / 10)),
        _ => Err(NvmlError::VersionFormat(CUDA)),
    }
}

/// The text before the terminator; an empty one, one without an end and one that is not printable are refused.
fn parse(what: &'static str, told: &[u8; VERSION_BYTES]) -> Result<String, NvmlError> {
    let refused = NvmlError::VersionFormat(what);
    let text = told.split(|byte| *byte == 0).next().unwrap_or_default();
    let is_version = (1..told.len()).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
    match str::from_utf8(text) {
        Ok(text) if is_version => Ok(text.to_owned()),
        _ => Err(refused),
    }
}
