//! The reference: value by value.

use super::{ActivationBlock, LARGEST, Scaling, Source, TINY};
use crate::lanes::{self, Lanes};

pub(super) fn row<'b>(
    source: &Source<'_>,
    token: usize,
    scaling: Option<Scaling<'_>>,
    out: &mut impl Iterator<Item = &'b mut ActivationBlock>,
) {
    for (block, out) in out.enumerate() {
        *out = quantize([0, 1].map(|half| values(source, token, 2 * block + half, scaling)));
    }
}

fn values(source: &Source<'_>, token: usize, panel: usize, scaling: Option<Scaling<'_>>) -> Lanes {
    let values = *source.lanes(token, panel);
    let weights = scaling.and_then(|scaling| Some((scaling.factor, scaling.weights.get(panel)?)));
    let Some((factor, weights)) = weights else {
        return values;
    };
    let scaled = values.iter().zip(weights);
    let mut scaled = scaled.map(|(value, weight)| value * factor * weight);
    lanes::from_fn(|_| scaled.next().unwrap_or(0.0))
}

fn quantize(halves: [Lanes; 2]) -> ActivationBlock {
    if !halves.as_flattened().iter().all(|value| value.is_finite()) {
        return ActivationBlock::NOT_FINITE;
    }
    let largest = halves.as_flattened().iter();
    let largest = largest.fold(0.0_f32, |m, v| m.max(v.abs()));
    if largest < TINY {
        return ActivationBlock::ZERO;
    }
    let inverse = LARGEST / largest;
    let mut values = halves.as_flattened().iter();
    let integers = std::array::from_fn(|_| {
        let value = values.next().copied().unwrap_or(0.0);
        (value * inverse).round_ties_even() as i32
    });
    ActivationBlock::from_integers(integers, largest / LARGEST)
}
