//! Model folders on the device: decoders answer as on the CPU, encoders are refused.

use std::{fs, path::Path, sync::Arc};

use engine::{
    Engine, Job, Prompt, Sampling, Step,
    gguf::Gguf,
    local::{self, LoadError, LocalConfig},
};
use gpu::GpuBackend;

use crate::{
    device::Emulated,
    model_folder::{Folder, safetensors},
    tiny,
};

const CONFIG: LocalConfig = LocalConfig {
    threads: 1,
    max_sequences: 1,
    queue: 1,
    max_context: 64,
    isa: None,
    step_tokens: 24,
    kv_bytes: 0,
    tenant_jobs: 0,
    cached_tokens_per_secret: 0,
};

fn on_device(path: &Path) -> Result<Arc<dyn Engine>, LoadError> {
    local::open_on(
        GpuBackend::new(Emulated::default()).unwrap(),
        path,
        None,
        CONFIG,
    )
}

/// Ids of a sampled answer, and the bits of their log-probabilities.
fn answer(engine: &dyn Engine) -> Vec<u32> {
    let mut job = Job::new(Prompt::text("abc abba"));
    job.max_tokens = Some(8);
    job.logprobs = Some(3);
    job.sampling = Sampling {
        logit_bias: vec![(0, -100.0), (tiny::END, -100.0)],
        ..Sampling::default()
    };
    let mut steps = engine.submit(job).unwrap();
    let mut said = Vec::new();
    while let Some(step) = steps.blocking_recv() {
        if let Step::Token { id, logprobs, .. } = step {
            said.extend(id);
            let told = logprobs.unwrap();
            said.extend(told.top.iter().map(|one| one.logprob.to_bits()));
        }
    }
    said
}

#[test]
fn a_decoder_answers_with_the_bits_of_the_cpu() {
    for case in ["llama-0", "qwen2-0", "qwen3-1"] {
        let gguf = Gguf::from_bytes(tiny::speaking(case).bytes()).unwrap();
        let folder = Folder::speaking(&gguf);
        let path = folder.write();
        let device = on_device(&path).unwrap();
        let cpu = local::open(&path, None, CONFIG).unwrap();
        let said = answer(&*device);
        assert_eq!(said.len(), 8 * 4);
        assert_eq!(said, answer(&*cpu), "{case}");
        assert_eq!(device.card().mode, "cuda/exact");
        assert_eq!(device.card().model_digest, cpu.card().model_digest);
    }
}

#[test]
fn an_encoder_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let write = |name, bytes: &[u8]| fs::write(place.path().join(name), bytes).unwrap();
    write("config.json", br#"{"model_type":"bert"}"#);
    write("model.safetensors", &safetensors(&[]));
    let refused = on_device(place.path()).err().unwrap();
    assert_eq!(refused.code(), "engine.device");
}
