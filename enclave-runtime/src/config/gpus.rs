//! `evidence.gpus`: whether the GPUs are asked for evidence.

use super::{
    section::Section,
    shown::{put, put_some},
};
use crate::evidence::NVML_LIBRARY;
use std::path::{Path, PathBuf};
use toml::Table;

/// Whether the GPUs are asked for evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GpuSource {
    /// `none`: they are not, and nothing may compute on them.
    #[default]
    None,
    /// `nvml`: they are, through the library `nvml_library`; the driver's, if absent.
    Nvml(PathBuf),
}

/// Reads `gpus` and `nvml_library` of the section `[evidence]`.
pub(super) fn read(section: &mut Section<'_>) -> GpuSource {
    let named = |name: String| match name.as_str() {
        "none" => Some(GpuSource::None),
        "nvml" => Some(GpuSource::Nvml(NVML_LIBRARY.into())),
        _ => None,
    };
    let gpus = section.optional("gpus", "\"nvml\" or \"none\"", named);
    match gpus.unwrap_or_default() {
        GpuSource::None => {
            section.excluded("nvml_library", "gpus = \"none\"");
            GpuSource::None
        }
        GpuSource::Nvml(default) => {
            let library = section.optional_path("nvml_library");
            GpuSource::Nvml(library.unwrap_or(default))
        }
    }
}

/// The fields that would give `gpus`.
pub(super) fn show(gpus: &GpuSource, evidence: &mut Table) {
    match gpus {
        GpuSource::None => put(evidence, "gpus", "none"),
        GpuSource::Nvml(library) => {
            put(evidence, "gpus", "nvml");
            let other = Some(library).filter(|library| *library != Path::new(NVML_LIBRARY));
            let other = other.map(|library| library.display().to_string());
            put_some(evidence, "nvml_library", other);
        }
    }
}
