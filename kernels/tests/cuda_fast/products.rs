//! Products: fast_gemv_x1, fast_gemv_x8, fast_gemm_x16, fast_gemm_x128.

use crate::{
    cuda_cpu::{Arguments, Memory, Shape, in_both_orders, library},
    rounded, values, widened,
};

/// Weights `[columns][depth]`, activations `[rows][depth]`.
struct Product {
    depth: u32,
    columns: u32,
    rows: u32,
    weights: Vec<u16>,
    activations: Vec<u16>,
}

impl Product {
    fn new(depth: u32, columns: u32, rows: u32) -> Self {
        let weights = values(1, (depth * columns) as usize);
        let activations = values(2, (depth * rows) as usize);
        Self {
            depth,
            columns,
            rows,
            weights: rounded(&weights),
            activations: rounded(&activations),
        }
    }

    /// One of its rows alone.
    fn row(&self, row: u32) -> Self {
        let depth = self.depth as usize;
        Self {
            rows: 1,
            weights: self.weights.clone(),
            activations: self.activations[row as usize * depth..][..depth].to_vec(),
            ..*self
        }
    }

    /// Runs `entry` and gives the bits of what is in `out` then, added to `before` where there is such.
    fn run(&self, entry: &str, before: Option<f32>) -> Vec<u32> {
        let weights = Memory::of(&self.weights);
        let activations = Memory::of(&self.activations);
        let out = match before {
            Some(before) => Memory::of(&vec![before; (self.rows * self.columns) as usize]),
            None => Memory::unwritten((self.rows * self.columns) as usize),
        };
        let arguments = Arguments::new().memory(&weights).memory(&activations);
        let arguments = arguments.memory(&out).value(self.depth);
        let arguments = arguments.value(self.columns).value(self.rows);
        let (wide, tall, threads) = match entry {
            "fast_gemv_x1" => (8, 1, 256),
            "fast_gemv_x8" => (8, 8, 256),
            "fast_gemm_x16" => (32, 16, 128),
            _ => (128, 128, 256),
        };
        let arguments = if entry.starts_with("fast_gemm") {
            arguments.value(self.columns)
        } else {
            arguments
        };
        let arguments = arguments.value(u32::from(before.is_some()));
        let (x, y) = (self.columns.div_ceil(wide), self.rows.div_ceil(tall));
        let launched = library().launch(entry, Shape::plane(x, y, threads), arguments);
        launched.unwrap();
        out.read().into_iter().map(f32::to_bits).collect()
    }

    /// Whether every sum is within `tolerance` times the sum of the products' absolute values of the exact one.
    fn assert_near(&self, got: &[u32], tolerance: f64) {
        let depth = self.depth as usize;
        for (index, got) in got.iter().enumerate() {
            let (row, column) = (index / self.columns as usize, index % self.columns as usize);
            let weights = &self.weights[column * depth..][..depth];
            let activations = &self.activations[row * depth..][..depth];
            let products = weights.iter().zip(activations);
            let products = products.map(|(w, x)| widened(*w) * widened(*x));
            let (exact, size) = products.fold((0.0, 0.0), |(s, a), p| (s + p, a + p.abs()));
            let error = (f64::from(f32::from_bits(*got)) - exact).abs();
            assert!(
                error <= tolerance * size,
                "{row}, {column}: {error} of {size}"
            );
        }
    }
}

/// SmolLM2's shapes, and such that fill no tile, no step and no warp.
const SHAPES: &[(u32, u32, u32)] = &[
    (576, 192, 9),
    (1536, 40, 17),
    (576, 130, 129),
    (8, 1, 1),
    (24, 33, 3),
    (520, 7, 20),
];

/// Of f32 sums of up to 1536 products: 2^-24 for each rounding on the longest way.
const TOLERANCE: f64 = 4e-6;

fn assert_parity(entries: [&str; 2]) {
    for &(depth, columns, rows) in SHAPES {
        let product = Product::new(depth, columns, rows);
        let got = in_both_orders(|| product.run(entries[0], None));
        product.assert_near(&got, TOLERANCE);
        assert!(got == product.run(entries[1], None), "{entries:?} differ");
        for row in [0, rows / 2, rows - 1] {
            let own = &got[(row * columns) as usize..][..columns as usize];
            for entry in entries {
                assert!(product.row(row).run(entry, None) == own, "{entry}: {row}");
            }
        }
    }
}

#[test]
fn gemv_is_near_and_batch_invariant() {
    assert_parity(["fast_gemv_x8", "fast_gemv_x1"]);
}

#[test]
fn gemm_is_near_and_batch_invariant() {
    assert_parity(["fast_gemm_x16", "fast_gemm_x128"]);
}

#[test]
fn products_are_added() {
    let product = Product::new(72, 50, 5);
    for entry in [
        "fast_gemv_x1",
        "fast_gemv_x8",
        "fast_gemm_x16",
        "fast_gemm_x128",
    ] {
        let sums = product.run(entry, None);
        let added = product.run(entry, Some(0.75));
        for (sum, added) in sums.into_iter().zip(added) {
            assert_eq!(f32::from_bits(sum) + 0.75, f32::from_bits(added), "{entry}");
        }
    }
}
