//! The header that runs CUDA on a CPU does what CUDA does, and refuses what is undefined there.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod cuda_cpu;

use cuda_cpu::{Arguments, Fault, Memory, Shape, in_both_orders, library};

fn bf16(value: f32) -> u16 {
    half::bf16::from_f32(value).to_bits()
}

#[test]
fn blocks_and_warps_sum() {
    let values: Vec<i32> = (0..5 * 1024).map(|i| i * i % 1_009 - 300).collect();
    let sums = in_both_orders(|| {
        let (values, out) = (Memory::of(&values), Memory::<i32>::unwritten(5));
        let arguments = Arguments::new().memory(&values).memory(&out);
        let launched = library().launch("self_test_sum", Shape::plane(5, 1, 1024), arguments);
        launched.unwrap();
        out.read()
    });
    let expected: Vec<i32> = values
        .chunks(1024)
        .map(|block| block.iter().sum())
        .collect();
    assert_eq!(sums, expected);
}

#[test]
fn lanes_exchange_values() {
    let out = in_both_orders(|| {
        let out = Memory::<u64>::unwritten(32 * 8);
        let launched = library().launch(
            "self_test_warp",
            Shape::plane(1, 1, 32),
            Arguments::new().memory(&out),
        );
        launched.unwrap();
        out.read()
    });
    let value = |lane: u64| (lane << 32) + lane * lane;
    for lane in 0..32_u64 {
        let got = &out[lane as usize * 8..][..8];
        let down = if lane % 8 + 3 < 8 { lane + 3 } else { lane };
        let thirds = (0..32).filter(|i| i % 3 == 0).map(|i| 1 << i).sum();
        let upper = u64::from(lane >= 16);
        let expected = [
            value(if lane >= 3 { lane - 3 } else { lane }),
            value(down),
            value(lane / 8 * 8 + 1),
            thirds,
            if lane < 16 { 120 } else { 376 },
            15 + 16 * upper,
            1 - upper,
            upper,
        ];
        assert_eq!(got, expected, "lane {lane}");
    }
}

#[test]
fn dynamic_shared_memory_holds_nothing_before_it_is_written() {
    let out = Memory::<u32>::unwritten(32);
    let shape = Shape {
        shared_bytes: 128,
        ..Shape::plane(2, 1, 32)
    };
    let arguments = Arguments::new().memory(&out).value(31_u32).value(5_u32);
    library()
        .launch("self_test_dynamic", shape, arguments)
        .unwrap();
    assert_eq!(out.read(), [u32::MAX; 32]);
}

#[test]
fn what_is_undefined_is_refused() {
    let cases = [
        (0, "ended"),
        (1, "other threads wait"),
        (2, "ended"),
        (3, "not in its own mask"),
        (4, "divergent"),
        (5, "outside its mask"),
    ];
    for (how, what) in cases {
        for threads in [64, 1024] {
            let arguments = Arguments::new().value(how);
            let shape = Shape::plane(3, 1, threads);
            let refused = library().launch("self_test_diverge", shape, arguments);
            let Err(Fault::Undefined(why)) = refused else {
                panic!("{how} is not refused");
            };
            assert!(why.contains(what), "{how}: {why}");
        }
    }
    let arguments = Arguments::new().value(6);
    let shape = Shape::plane(3, 1, 96);
    assert_eq!(
        library().launch("self_test_diverge", shape, arguments),
        Ok(())
    );
}

#[test]
fn what_no_device_takes_is_refused() {
    let launch = |entry, shape| library().launch(entry, shape, Arguments::new().value(6));
    let good = Shape::plane(1, 1, 32);
    assert_eq!(launch("no_such_entry", good), Err(Fault::UnknownEntry));
    let bad = [
        Shape::plane(1, 1, 1056),
        Shape::plane(1, 1, 0),
        Shape::plane(0, 1, 32),
        Shape::plane(1, 65_536, 32),
        Shape {
            shared_bytes: 227 * 1024 + 1,
            ..good
        },
    ];
    for shape in bad {
        let refused = launch("self_test_diverge", shape);
        assert_eq!(refused, Err(Fault::BadConfiguration), "{shape:?}");
    }
    assert!(
        library()
            .entries()
            .contains(&"self_test_diverge".to_owned())
    );
}

#[test]
fn a_warp_multiplies_matrices() {
    let value = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 16.0;
    let a: Vec<f32> = (0..256).map(value).collect();
    let b: Vec<f32> = (0..128).map(|i| value(i + 7)).collect();
    let c: Vec<f32> = (0..128).map(|i| i as f32).collect();
    let bits = |values: &[f32]| Memory::of(&values.iter().map(|v| bf16(*v)).collect::<Vec<_>>());
    let out = in_both_orders(|| {
        let (a, b, c) = (bits(&a), bits(&b), Memory::of(&c));
        let out = Memory::<f32>::unwritten(128);
        let arguments = Arguments::new().memory(&a).memory(&b).memory(&c);
        let arguments = arguments.memory(&out);
        let launched = library().launch("self_test_product", Shape::plane(1, 1, 32), arguments);
        launched.unwrap();
        out.read()
    });
    for (row, column) in (0..16).flat_map(|row| (0..8).map(move |column| (row, column))) {
        let products = (0..16).map(|k| f64::from(a[row * 16 + k]) * f64::from(b[column * 16 + k]));
        let exact = products.sum::<f64>() + f64::from(c[row * 8 + column]);
        assert_eq!(out[row * 8 + column], exact as f32, "{row}, {column}");
    }
}

#[test]
fn matrices_are_loaded_transposed() {
    let matrix: Vec<u16> = (0..256).collect();
    let (memory, out) = (Memory::of(&matrix), Memory::<u16>::unwritten(256));
    let arguments = Arguments::new().memory(&memory).memory(&out);
    let launched = library().launch("self_test_transpose", Shape::plane(1, 1, 32), arguments);
    launched.unwrap();
    let transposed: Vec<u16> = (0..256).map(|i| i % 16 * 16 + i / 16).collect();
    assert_eq!(out.read(), transposed);
}

#[test]
fn copies_arrive_when_they_are_waited_for() {
    let source: Vec<u32> = (1..13).collect();
    let (source, out) = (Memory::of(&source), Memory::<u32>::unwritten(24));
    let arguments = Arguments::new().memory(&source).memory(&out);
    let launched = library().launch("self_test_copies", Shape::plane(1, 1, 1), arguments);
    launched.unwrap();
    let early = [1, 2, 3, 4, 7, 7, 7, 7, 7, 7, 7, 7];
    let late = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0];
    assert_eq!(out.read(), [early, late].concat());
}

#[test]
#[should_panic(expected = "depends on the order")]
fn a_missing_barrier_shows() {
    in_both_orders(|| {
        let out = Memory::<u32>::unwritten(64);
        let arguments = Arguments::new().memory(&out);
        let launched = library().launch("self_test_race", Shape::plane(1, 1, 64), arguments);
        launched.unwrap();
        out.read()
    });
}

#[test]
fn the_library_has_the_kernels_of_the_cubins() {
    let mut own = library().entries();
    own.retain(|name| !name.starts_with("self_test_"));
    own.sort();
    assert!(
        own.iter()
            .map(String::as_str)
            .eq(kernels::cubin::entry_points())
    );
}
