//! Against complex numbers in `f64`.

use super::*;

#[test]
fn turns_pairs_by_their_angle() {
    let frequencies = Frequencies::new(100_000.0, 64);
    for position in [0, 1, 17, 8191] {
        let head: Vec<f32> = (0..64).map(|i| (i as f32 - 20.0) / 16.0).collect();
        let (mut turn, mut turned) = (vec![0.0; 64], head.clone());
        frequencies.turn(position, &mut turn);
        rotate(&turn, &mut turned);
        for i in 0..32 {
            let angle = position as f64 * 100_000f64.powf(-(i as f64) / 32.0);
            let (x, y) = (f64::from(head[2 * i]), f64::from(head[2 * i + 1]));
            let expected = [
                x * angle.cos() - y * angle.sin(),
                x * angle.sin() + y * angle.cos(),
            ];
            for (got, expected) in turned[2 * i..2 * i + 2].iter().zip(expected) {
                assert!((f64::from(*got) - expected).abs() < 1e-6, "{position} {i}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "left == right")]
fn a_turn_of_another_width_is_refused() {
    rotate(&[1.0, 0.0], &mut [0.0; 4]);
}

#[test]
fn halves_turn_as_neighbours_do() {
    let frequencies = Frequencies::new(10_000.0, 32);
    let mut turn = [0.0; 32];
    frequencies.turn(77, &mut turn);
    let mut neighbours: Vec<f32> = (0..32).map(|i| (i as f32 - 11.0) / 8.0).collect();
    let column = |i: usize| neighbours[2 * (i % 16) + i / 16];
    let mut halves: Vec<f32> = (0..32).map(column).collect();
    rotate(&turn, &mut neighbours);
    rotate_halves(&turn, &mut halves);
    let column = |i: usize| neighbours[2 * (i % 16) + i / 16];
    assert_eq!(halves, (0..32).map(column).collect::<Vec<_>>());
}

#[test]
fn factors_stretch_positions() {
    let plain = Frequencies::new(10_000.0, 16);
    let stretched = Frequencies::new(10_000.0, 16).divided(&[4.0; 8]);
    let (mut near, mut far) = ([0.0; 16], [0.0; 16]);
    plain.turn(25, &mut near);
    stretched.turn(100, &mut far);
    assert_eq!(near, far);
}
