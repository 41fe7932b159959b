//! `[engine]`: how much of the machine the model of this process may use.

use super::{
    section::Section,
    shown::{integer, put, put_some},
};
use attestation::manifest::Arithmetic;
use engine::local::IsaName;
use toml::Table;

/// What `engine.isa` is where the machine decides.
const AUTO: &str = "auto";

/// `[engine]`: how much of the machine the model may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// `threads`: threads that compute; 0, as many as there are cores, if absent.
    pub threads: usize,
    /// `max_sequences`: answers made at the same time; 8.
    pub max_sequences: usize,
    /// `queue`: requests that may wait for their turn; 64.
    pub queue: usize,
    /// `max_context_tokens`: longest prompt and answer; the model's own context, at most 8192, if absent.
    pub max_context_tokens: usize,
    /// `isa`: the instructions it computes with on a CPU, which receipts name; the fastest of the machine, if absent or `auto`.
    pub isa: Option<IsaName>,
    /// `device`: what computes, `cpu` or `cuda`; `cpu`. There is no falling back from one to the other.
    pub device: ComputeDevice,
    /// `arithmetic`: how a CUDA device computes, `exact` or `fast`; `exact`, which is all that a CPU has.
    pub arithmetic: Arithmetic,
    /// `device_index`: which CUDA device, as the driver counts them; 0. Only with `device = "cuda"`.
    pub device_index: usize,
    /// `step_tokens`: tokens that go through the model together, 1 to 256; 128.
    pub step_tokens: usize,
    /// `kv_bytes`: memory for keys and values; as much as `max_sequences` can take, if absent.
    pub kv_bytes: usize,
    /// `tenant_jobs`: requests of one tenant that run or wait; half of all, if absent.
    pub tenant_jobs: usize,
    /// `cached_tokens_per_secret`: tokens whose keys and values are kept of a tenant under one cache secret, 0 for none; 8192.
    pub cached_tokens_per_secret: usize,
}

/// What computes answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComputeDevice {
    /// `cpu`: the cores of this machine.
    Cpu,
    /// `cuda`: a GPU, through the CUDA driver that the machine has.
    Cuda,
}

impl ComputeDevice {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let mut all = [Self::Cpu, Self::Cuda].into_iter();
        all.find(|device| device.as_str() == name)
    }
}

/// Most CUDA devices of a machine.
const MOST_DEVICES: usize = 64;

/// Reads the section; an absent one is all defaults.
pub(super) fn read(mut section: Section<'_>, mistakes: &mut Vec<String>) -> EngineSettings {
    let threads = |count: usize| (count <= 1024).then_some(count);
    let step_tokens = |count: usize| (1..=256).contains(&count).then_some(count);
    let named = |name: String| isa(&name);
    let device = |name: String| ComputeDevice::named(&name);
    let arithmetic = |name: String| Arithmetic::parse(&name);
    let index = |index: usize| (index < MOST_DEVICES).then_some(index);
    let has_index = section.has("device_index");
    let settings = EngineSettings {
        threads: section
            .optional("threads", "0 to 1024", threads)
            .unwrap_or(0),
        max_sequences: section.count("max_sequences", 8),
        queue: section.count("queue", 64),
        max_context_tokens: section.count("max_context_tokens", 8192),
        isa: section.optional("isa", &isa_names(), named).flatten(),
        device: section
            .optional("device", "\"cpu\" or \"cuda\"", device)
            .unwrap_or(ComputeDevice::Cpu),
        arithmetic: section
            .optional("arithmetic", "\"exact\" or \"fast\"", arithmetic)
            .unwrap_or(Arithmetic::Exact),
        device_index: section
            .optional("device_index", "0 to 63", index)
            .unwrap_or(0),
        step_tokens: section
            .optional("step_tokens", "1 to 256", step_tokens)
            .unwrap_or(128),
        kv_bytes: section.count("kv_bytes", 0),
        tenant_jobs: section.count("tenant_jobs", 0),
        cached_tokens_per_secret: section
            .optional("cached_tokens_per_secret", "a number", Some)
            .unwrap_or(8192),
    };
    match settings.device {
        ComputeDevice::Cpu if has_index => {
            section.mistake("device_index", "is for `device = \"cuda\"`");
        }
        ComputeDevice::Cpu if settings.arithmetic == Arithmetic::Fast => {
            section.mistake("arithmetic", "\"fast\" is for `device = \"cuda\"`");
        }
        ComputeDevice::Cuda if settings.isa.is_some() => {
            section.mistake("isa", "is for `device = \"cpu\"`");
        }
        _ => {}
    }
    section.finish(mistakes);
    settings
}

/// The section that would give `engine`.
pub(super) fn table(engine: &EngineSettings) -> Table {
    let mut table = Table::new();
    put(&mut table, "threads", integer(engine.threads));
    put(&mut table, "max_sequences", integer(engine.max_sequences));
    put(&mut table, "queue", integer(engine.queue));
    put(
        &mut table,
        "max_context_tokens",
        integer(engine.max_context_tokens),
    );
    put(&mut table, "isa", engine.isa.map_or(AUTO, IsaName::as_str));
    put(&mut table, "device", engine.device.as_str());
    put(&mut table, "arithmetic", engine.arithmetic.as_str());
    let index = (engine.device == ComputeDevice::Cuda).then(|| integer(engine.device_index));
    put_some(&mut table, "device_index", index);
    put(&mut table, "step_tokens", integer(engine.step_tokens));
    let given = |count: usize| (count > 0).then(|| integer(count));
    put_some(&mut table, "kv_bytes", given(engine.kv_bytes));
    put_some(&mut table, "tenant_jobs", given(engine.tenant_jobs));
    let cached = integer(engine.cached_tokens_per_secret);
    put(&mut table, "cached_tokens_per_secret", cached);
    table
}

fn isa(name: &str) -> Option<Option<IsaName>> {
    match name {
        AUTO => Some(None),
        name => name.parse().ok().map(Some),
    }
}

fn isa_names() -> String {
    let names = IsaName::ALL.map(|name| format!(", \"{name}\""));
    format!("one of \"{AUTO}\"{}", names.concat())
}
