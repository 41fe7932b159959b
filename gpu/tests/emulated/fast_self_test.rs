//! Known answers of the fast arithmetic.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use engine::local::Backend;
use gpu::{Arithmetic, GpuBackend, SelfTestError};

use crate::{
    device::{Emulated, Flip},
    families::{CAPACITY, cases, model},
    fast::is_supported,
    gguf_file,
};

#[test]
fn a_device_that_answers_right_passes() {
    let first = GpuBackend::with(Emulated::default(), Arithmetic::Fast).unwrap();
    let report = first.report();
    // Products of four kinds, rows looked up, normalised, gated; three kinds of heads; choices.
    assert_eq!(report.tests, 4 + 3 + 3 * 4 + 1);
    assert_eq!((first.mode(), first.isa()), ("cuda/fast", "emulated"));
    let model = model(&gguf_file::llama(1).bytes());
    assert!(first.start(&model, CAPACITY).is_ok());
}

#[test]
fn every_fast_entry_point_of_the_cubins_is_tested() {
    let device = Emulated::default();
    let launched = Arc::clone(&device.entries);
    GpuBackend::with(device, Arithmetic::Fast).unwrap();
    let fast = |name: &str| name.starts_with("fast_");
    let of_cubins = kernels::cubin::entry_points().filter(|name| fast(name));
    let of_cubins: BTreeSet<String> = of_cubins.map(str::to_owned).collect();
    let launched = launched.lock().unwrap();
    let launched: BTreeSet<String> = launched.keys().filter(|name| fast(name)).cloned().collect();
    assert_eq!(launched, of_cubins);
}

/// Of every entry point, the argument that it writes to, and a byte of it: where sums are exact, the least.
const WRITTEN: [(&str, usize, usize); 12] = [
    ("fast_gemv_x1", 2, 0),
    ("fast_gemv_x8", 2, 0),
    ("fast_gemm_x16", 2, 0),
    ("fast_gemm_x128", 2, 0),
    ("fast_embed", 2, 0),
    ("fast_rms_norm", 3, 1),
    ("fast_silu_mul", 1, 1),
    ("fast_turn", 8, 1),
    ("fast_attend_64", 4, 1),
    ("fast_attend_128", 4, 1),
    ("fast_join_parts", 3, JOINED),
    ("exact_argmax", 1, 0),
];
/// The first token that is alone: 260 rows of four heads before it.
const JOINED: usize = 260 * 4 * 64 * 2 + 1;

#[test]
fn a_device_with_a_flipped_bit_is_refused() {
    for (entry, argument, byte) in WRITTEN {
        let flip = Flip {
            entry,
            argument,
            byte,
            launches: [0, 1],
        };
        let backend = GpuBackend::with(Emulated::wrong(flip), Arithmetic::Fast);
        let refused = backend.err().unwrap_or_else(|| panic!("{entry} passes"));
        assert!(
            matches!(refused, SelfTestError::WrongAnswer(_)),
            "{entry}: {refused}"
        );
    }
}

/// Of every entry point that works for the model, the argument that it writes to, and a byte of it: sign and exponent of a value that
/// others depend on (of the first token no query, which attends to itself alone whatever it is).
const WITH_MODEL: [(&str, usize, usize); 11] = [
    ("fast_embed", 2, 3),
    ("fast_rms_norm", 3, 1),
    ("fast_gemm_x16", 2, VALUE),
    ("fast_gemm_x128", 2, VALUE),
    ("fast_gemv_x1", 2, 3),
    ("fast_gemv_x8", 2, 3),
    ("fast_turn", 9, 1),
    ("fast_attend_64", 4, 1),
    ("fast_attend_parts_64", 5, 3),
    ("fast_join_parts", 3, 1),
    ("fast_silu_mul", 1, 1),
];
/// Behind two heads of queries and one of keys.
const VALUE: usize = 4 * 3 * 64 + 3;

/// How often an entry point is launched before there is a model, and with it.
fn launches(entry: &str) -> [usize; 2] {
    static COUNTED: LazyLock<[BTreeMap<String, usize>; 2]> = LazyLock::new(|| {
        let device = Emulated::default();
        let entries = Arc::clone(&device.entries);
        let counted = || entries.lock().unwrap().clone();
        let backend = GpuBackend::with(device, Arithmetic::Fast).unwrap();
        let before = counted();
        let model = model(&gguf_file::llama(2).bytes());
        assert!(backend.start(&model, CAPACITY).is_ok());
        [before, counted()]
    });
    COUNTED.each_ref().map(|counts| counts[entry])
}

fn refusal(flip: Flip) -> String {
    let backend = GpuBackend::with(Emulated::wrong(flip), Arithmetic::Fast).unwrap();
    let model = model(&gguf_file::llama(2).bytes());
    let refused = backend.start(&model, CAPACITY).err();
    let refused = refused.unwrap_or_else(|| panic!("{} passes", flip.entry));
    refused.code().to_owned()
}

#[test]
fn a_device_that_fails_once_with_the_model_is_refused() {
    for (entry, argument, byte) in WITH_MODEL {
        let [first, end] = launches(entry);
        assert!(first < end, "{entry} works for the model");
        let code = refusal(Flip {
            entry,
            argument,
            byte,
            launches: [first, first + 1],
        });
        assert!(code.starts_with("gpu.self_test."), "{entry}: {code}");
    }
}

#[test]
fn other_logits_than_a_cpus_are_refused_however_often_they_come() {
    let entry = "fast_gemv_x1";
    let flip = Flip {
        entry,
        argument: 2,
        byte: 3,
        launches: [launches(entry)[0], usize::MAX],
    };
    assert_eq!(refusal(flip), "gpu.self_test.logits");
}

#[test]
fn a_value_that_is_near_and_wrong_is_refused() {
    // The last bit of the first token's first value in the first layer.
    let entry = "fast_turn";
    let first = launches(entry)[0];
    let flip = Flip {
        entry,
        argument: 9,
        byte: 2 * 16 * 64,
        launches: [first, first + 1],
    };
    assert_eq!(refusal(flip), "gpu.self_test.bits");
}

#[test]
fn all_families_pass() {
    for case in cases().filter(is_supported) {
        let backend = GpuBackend::with(Emulated::default(), Arithmetic::Fast).unwrap();
        assert!(
            backend.start(&case.model, CAPACITY).is_ok(),
            "{}",
            case.name
        );
    }
}

#[test]
fn a_weight_that_the_device_does_not_keep_is_noticed() {
    let refused = GpuBackend::with(Emulated::forgetful(4096), Arithmetic::Fast);
    assert_eq!(refused.err().unwrap().code(), "gpu.corrupted");
}
