//! Sealing and opening a model by all cores, beside raw AES-256-GCM of aws-lc-rs over the same bytes in pieces of the same size by as many
//! threads. Everything lies in a folder in memory, so that no disk is measured.
//!
//! Everybody in turn, round after round; rates by the clock are the best round's (others use the machine too), ratios are of the processor time of
//! all threads together, the median of the rounds', each compared within itself.
//!
//! usage: bench-weights [MIB [FOLDER]]

mod raw;
mod rounds;
mod subject;

use rounds::{Rounds, ratio};
use subject::Weights;

const ROUNDS: usize = 7;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mib: usize = arguments
        .next()
        .map_or(512, |text| text.parse().expect("MiB"));
    let folder = arguments.next().unwrap_or_else(|| "/dev/shm".to_owned());
    let mut weights = Weights::new(mib << 20, folder.as_ref());
    println!(
        "{mib} MiB in segments of 1 MiB, {} threads, in {folder}",
        weights.threads()
    );
    let mut subjects: [(&str, Rounds); 8] = [
        "raw.open.memory",
        "raw.open",
        "open",
        "open.with_digests",
        "raw.seal.memory",
        "raw.seal",
        "raw.seal.with_digests",
        "seal",
    ]
    .map(|name| (name, Rounds::default()));
    for round in 0..=ROUNDS {
        for (name, rounds) in &mut subjects {
            let measured = weights.measure(name);
            if round > 0 {
                rounds.add(measured);
            }
        }
    }
    for (name, rounds) in &subjects {
        rounds.print(name, mib << 20);
    }
    let of = |name: &str| {
        &subjects
            .iter()
            .find(|(own, _)| *own == name)
            .expect("known")
            .1
    };
    for (name, own, peer) in [
        ("weights.open.vs_raw", "open", "raw.open"),
        ("weights.open.vs_raw_memory", "open", "raw.open.memory"),
        (
            "weights.open.with_digests.vs_raw",
            "open.with_digests",
            "raw.open",
        ),
        ("weights.seal.vs_raw", "seal", "raw.seal"),
        (
            "weights.seal.vs_raw_with_digests",
            "seal",
            "raw.seal.with_digests",
        ),
    ] {
        println!("ratio {name} {:.2}", ratio(of(own), of(peer)));
    }
}
