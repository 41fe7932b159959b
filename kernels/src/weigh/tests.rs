use super::*;

fn logits(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * 7919) % 4001) as f32 * -0.013)
        .collect()
}

fn weighed(isa: Isa, logits: &[f32], inverse: f64) -> Vec<u64> {
    let mut weights = vec![0.0; logits.len()];
    let mut blocks = vec![Block::default(); logits.len().div_ceil(BLOCK)];
    let scale = Scale { max: 0.0, inverse };
    weigh(isa, logits, scale, &mut weights, &mut blocks);
    let blocks = blocks.iter().flat_map(|block| [block.sum, block.greatest]);
    weights
        .iter()
        .copied()
        .chain(blocks)
        .map(f64::to_bits)
        .collect()
}

#[test]
fn every_path_gives_the_same_bits() {
    for count in [1, 7, 63, 64, 65, 1000, 4099] {
        let mut logits = logits(count);
        logits[count / 2] = f32::NEG_INFINITY;
        for inverse in [1.0, 1.0 / 1.7, 1e3, 7e44] {
            let reference = weighed(Isa::scalar(), &logits, inverse);
            for isa in Isa::all_here() {
                assert_eq!(weighed(isa, &logits, inverse), reference, "{}", isa.name());
            }
        }
    }
}

#[test]
fn agrees_with_the_platform() {
    for step in 0..70_000 {
        let x = -f64::from(step) * 0.009_99;
        let (ours, theirs) = (exp(x), x.exp());
        assert!(
            (ours - theirs).abs() <= 1e-11 * theirs,
            "{x}: {ours} {theirs}"
        );
    }
}

#[test]
fn has_fixed_bits() {
    assert_eq!(exp(0.0).to_bits(), 1.0f64.to_bits());
    assert_eq!(exp(-1.0).to_bits(), 0x3fd7_8b56_362c_a968);
    assert_eq!(exp(-701.0), 0.0);
    assert_eq!(exp(f64::NEG_INFINITY), 0.0);
}

#[test]
fn blocks_hold_their_sums_and_greatest() {
    let logits = logits(150);
    let mut weights = vec![0.0; 150];
    let mut blocks = [Block::default(); 3];
    let (max, inverse) = (0.0, 0.5);
    weigh(
        Isa::detect(),
        &logits,
        Scale { max, inverse },
        &mut weights,
        &mut blocks,
    );
    for (block, weights) in blocks.iter().zip(weights.chunks(BLOCK)) {
        let sum: f64 = weights.iter().sum();
        assert!((block.sum - sum).abs() <= 1e-12 * sum);
        assert_eq!(block.greatest, weights.iter().copied().fold(0.0, f64::max));
    }
}
