//! Known answers, right ones and wrong ones.

use std::{collections::BTreeSet, sync::Arc};

use engine::local::Backend;
use gpu::{Device, GpuBackend, SelfTestError};

use crate::{
    device::{Emulated, Flip},
    families::{CAPACITY, model},
    gguf_file,
};

#[test]
fn a_device_that_answers_right_passes() {
    let first = GpuBackend::new(Emulated::default()).unwrap();
    let report = first.report();
    // Eleven formats, replaced and added and looked up; two gates, a norm; three kinds of heads, twice; the cipher; eleven formats packed; choices.
    assert_eq!(report.tests, 11 * 3 + 3 + 3 * 2 + 1 + 11 + 1);
    let second = GpuBackend::new(Emulated::default()).unwrap();
    assert_eq!(second.report(), report, "the answers are always the same");
    assert_eq!((first.mode(), first.isa()), ("cuda/exact", "emulated"));
    let model = model(&gguf_file::llama(1).bytes());
    assert!(first.start(&model, CAPACITY).is_ok());
}

#[test]
fn every_exact_entry_point_of_the_cubins_is_tested() {
    let device = Emulated::default();
    let launched = Arc::clone(&device.entries);
    GpuBackend::new(device).unwrap();
    let of_it = |name: &&str| ["exact_", "aes256_"].iter().any(|of| name.starts_with(of));
    let exact = kernels::cubin::entry_points().filter(of_it);
    let exact: BTreeSet<String> = exact.map(str::to_owned).collect();
    let launched = launched.lock().unwrap();
    let launched: BTreeSet<String> = launched.keys().cloned().collect();
    assert_eq!(launched, exact);
}

/// Of every entry point, the argument that it writes to.
const WRITTEN: [(&str, usize); 14] = [
    ("aes256_ctr", 1),
    ("aes256_expand_key", 1),
    ("exact_pack_q5_k", 1),
    ("exact_argmax", 1),
    ("exact_pick", 3),
    ("exact_pick_likeliest", 5),
    ("exact_embed_q6_k", 2),
    ("exact_quantize", 3),
    ("exact_matmul_q4_1_x1", 2),
    ("exact_matmul_bf16_x8", 2),
    ("exact_gelu_quantize", 1),
    ("exact_add_normalized", 2),
    ("exact_turn", 9),
    ("exact_attend", 5),
];

#[test]
fn a_device_with_a_flipped_bit_is_refused() {
    for (entry, argument) in WRITTEN {
        let flip = Flip {
            entry,
            argument,
            byte: 0,
            launches: [0, 1],
        };
        let refused = GpuBackend::new(Emulated::wrong(flip)).err().unwrap();
        assert!(
            matches!(refused, SelfTestError::WrongAnswer(_)),
            "{entry}: {refused}"
        );
        assert_eq!(refused.code(), "gpu.self_test.answer");
    }
}

#[test]
fn a_device_that_fails_with_the_model_is_refused() {
    // The self-test launches this one once; the model after it.
    let flip = Flip {
        entry: "exact_matmul_q8_0",
        argument: 2,
        byte: 0,
        launches: [4, 5],
    };
    let backend = GpuBackend::new(Emulated::wrong(flip)).unwrap();
    let model = model(&gguf_file::llama(1).bytes());
    let refused = backend.start(&model, CAPACITY).err().unwrap();
    assert_eq!(refused.code(), "gpu.self_test.logits");
}

#[test]
fn memory_of_another_device_is_refused() {
    let (one, other) = (Emulated::default(), Emulated::default());
    let memory = one.allocate(64).unwrap();
    let refused = other.upload(memory, &[1]).unwrap_err();
    assert_eq!(refused.code(), "gpu.foreign_memory");
}
