//! The tokens that `top_k`, `top_p` and `min_p` leave.
//!
//! Tokens rank by weight, of equals the lowest id first. The vocabulary is never sorted: tokens are counted in buckets, sixteen for each halving of the weight,
//! and only the bucket in which a bound lies is put in order.

use std::cmp::Ordering;

use zeroize::{Zeroize, Zeroizing};

use super::weights::Weights;
use crate::job::Sampling;

/// Buckets: what weighs less than 2^-60 is in the last, since a random number of 53 bits cannot tell it apart.
const BUCKETS: usize = 16 * 60 + 1;
/// Tokens are counted down to these weights, one after the other, until a bound is reached: mostly by the first, which few tokens have.
const FLOORS: [f64; 3] = [1.0 / 1024.0, 1.0 / 33_554_432.0, 0.0];

/// A token and its weight.
pub(super) type Weighed = (u32, f64);
type Tokens = Zeroizing<Vec<Weighed>>;

/// What `sampling` leaves of the tokens. None: all of them.
pub(super) fn kept(weights: &Weights, sampling: &Sampling) -> Option<Tokens> {
    let (top_p, least) = (f64::from(sampling.top_p), f64::from(sampling.min_p));
    let count = Some(sampling.top_k as usize).filter(|k| *k > 0 && *k < weights.len());
    let likeliest = count.map(|count| take(weights, &Bounds::count(count)));
    if top_p >= 1.0 && least <= 0.0 {
        return likeliest;
    }
    let mass = likeliest.map_or_else(|| weights.total(), |tokens| total(&tokens));
    let bounds = Bounds {
        count: count.unwrap_or(usize::MAX),
        weight: match top_p < 1.0 {
            true => top_p * mass,
            false => f64::INFINITY,
        },
        least,
    };
    Some(take(weights, &bounds))
}

/// What these weigh, in their order.
pub(super) fn total(tokens: &[Weighed]) -> f64 {
    tokens.iter().map(|(_, weight)| weight).sum()
}

/// Where ranked tokens end.
struct Bounds {
    /// At so many.
    count: usize,
    /// With the one that brings their weight to this.
    weight: f64,
    /// Before one that weighs less.
    least: f64,
}

impl Bounds {
    fn count(count: usize) -> Self {
        Self {
            count,
            weight: f64::INFINITY,
            least: 0.0,
        }
    }

    fn reached(&self, count: usize, weight: f64) -> bool {
        count >= self.count || weight >= self.weight
    }
}

/// The likeliest within `bounds`: by id, and those of the last bucket by rank behind them.
fn take(weights: &Weights, bounds: &Bounds) -> Tokens {
    let edge = Buckets::count(weights, bounds).edge(bounds);
    let (mut taken, mut last) = (Zeroizing::new(Vec::new()), Zeroizing::new(Vec::new()));
    for token in weights.between(edge.floor.max(bounds.least), f64::INFINITY) {
        match bucket(token.1).cmp(&edge.bucket) {
            Ordering::Less => taken.push(token),
            Ordering::Equal => last.push(token),
            Ordering::Greater => {}
        }
    }
    last.sort_unstable_by(by_rank);
    let mut sum = edge.sum_before;
    for token in last.iter() {
        if bounds.reached(taken.len(), sum) {
            break;
        }
        taken.push(*token);
        sum += token.1;
    }
    taken
}

/// How many tokens each bucket has and what they weigh. Wiped when dropped.
#[derive(Zeroize, zeroize::ZeroizeOnDrop)]
struct Buckets {
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Default, Zeroize)]
struct Bucket {
    tokens: usize,
    sum: f64,
}

/// The bucket in which a bound is reached.
struct Edge {
    bucket: usize,
    /// Nothing in it weighs less.
    floor: f64,
    /// What the buckets before it weigh.
    sum_before: f64,
}

impl Buckets {
    /// Counts tokens from the heaviest, at least until `bounds` are reached.
    fn count(weights: &Weights, bounds: &Bounds) -> Self {
        let mut counted = Self {
            buckets: vec![Bucket::default(); BUCKETS],
        };
        let (mut ceiling, mut all) = (f64::INFINITY, Bucket::default());
        for floor in FLOORS {
            for (_, weight) in weights.between(floor.max(bounds.least), ceiling) {
                if let Some(bucket) = counted.buckets.get_mut(bucket(weight)) {
                    bucket.add(weight);
                }
                all.add(weight);
            }
            if bounds.reached(all.tokens, all.sum) || floor <= bounds.least {
                break;
            }
            ceiling = floor;
        }
        counted
    }

    fn edge(&self, bounds: &Bounds) -> Edge {
        let (mut tokens, mut sum) = (0usize, 0.0);
        for (bucket, counted) in self.buckets.iter().enumerate() {
            let (tokens_before, sum_before) = (tokens, sum);
            tokens = tokens_before.saturating_add(counted.tokens);
            sum = sum_before + counted.sum;
            if bounds.reached(tokens, sum) {
                return Edge {
                    bucket,
                    floor: floor(bucket),
                    sum_before,
                };
            }
        }
        Edge {
            bucket: BUCKETS,
            floor: 0.0,
            sum_before: sum,
        }
    }
}

impl Bucket {
    fn add(&mut self, weight: f64) {
        self.tokens = self.tokens.saturating_add(1);
        self.sum += weight;
    }
}

/// Sign, exponent and the first four bits of the fraction, counted down from those of 1.
fn bucket(weight: f64) -> usize {
    let below = (1.0f64.to_bits() >> 48).saturating_sub(weight.to_bits() >> 48);
    (below as usize).min(BUCKETS - 1)
}

/// The least weight of a bucket.
fn floor(bucket: usize) -> f64 {
    match bucket < BUCKETS - 1 {
        true => f64::from_bits((1.0f64.to_bits() >> 48).saturating_sub(bucket as u64) << 48),
        false => 0.0,
    }
}

fn by_rank(left: &Weighed, right: &Weighed) -> Ordering {
    let heavier = right.1.total_cmp(&left.1);
    heavier.then(left.0.cmp(&right.0))
}
