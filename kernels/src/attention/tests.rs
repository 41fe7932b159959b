//! Against `f64` over whole softmaxes, and parity of the paths.

use super::*;

fn noise(length: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919 + seed * 31) % 2003) as f32 / 1000.0 - 1.0;
    (0..length).map(value).collect()
}

struct Case {
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    /// Two heads; the second has keys and values, the first has none.
    pool: Vec<f32>,
    pages: Vec<u32>,
    width: usize,
}

impl Case {
    fn cache(&self, positions: usize, window: usize) -> HeadCache<'_> {
        HeadCache {
            pool: &self.pool,
            heads: 2,
            head: 1,
            pages: &self.pages,
            positions,
            window,
            width: self.width,
        }
    }
}

/// Pages lie in the pool in a disorder that depends on how many there are; what is in no page is no number.
fn case(heads: usize, width: usize, positions: usize) -> Case {
    let (keys, values) = (noise(positions * width, 1), noise(positions * width, 2));
    let length = page_len(width);
    let count = positions.div_ceil(PAGE);
    let pages: Vec<u32> = (0..count as u32).map(|p| p ^ 1).rev().collect();
    let mut pool = vec![f32::NAN; 2 * (count + 1) * length];
    for page in &pages {
        pool[(2 * *page as usize + 1) * length..][..length].fill(0.0);
    }
    let rows = keys.chunks(width).zip(values.chunks(width));
    for (position, (key, value)) in rows.enumerate() {
        let page = 2 * pages[position / PAGE] as usize + 1;
        append(&mut pool[page * length..], position % PAGE, key, value);
    }
    let queries = noise(heads * width, 3);
    Case {
        queries,
        keys,
        values,
        pool,
        pages,
        width,
    }
}

fn run(isa: Isa, case: &Case, positions: usize) -> Vec<f32> {
    run_window(isa, case, (positions, usize::MAX))
}

fn run_window(isa: Isa, case: &Case, (positions, window): (usize, usize)) -> Vec<f32> {
    let mut out = vec![7.0; case.queries.len()];
    let cache = case.cache(positions, window);
    attend(isa, 1, &case.queries, cache, &mut out);
    out
}

fn exact(query: &[f32], case: &Case, positions: usize) -> Vec<f64> {
    exact_window(query, case, (positions, usize::MAX))
}

fn exact_window(query: &[f32], case: &Case, (positions, window): (usize, usize)) -> Vec<f64> {
    let width = case.width;
    let dot = |key: &[f32]| -> f64 {
        key.iter()
            .zip(query)
            .map(|(k, q)| f64::from(*k) * f64::from(*q))
            .sum()
    };
    let first = positions.saturating_sub(window);
    let keys = case.keys.chunks(width).take(positions).skip(first);
    let weights: Vec<f64> = keys
        .map(|key| (dot(key) / (width as f64).sqrt()).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    let mut out = vec![0.0; width];
    for (weight, value) in weights.iter().zip(case.values.chunks(width).skip(first)) {
        out.iter_mut()
            .zip(value)
            .for_each(|(out, v)| *out += weight / total * f64::from(*v));
    }
    out
}

#[test]
fn agrees_with_f64() {
    let case = case(2, 64, 150);
    for positions in [1, 15, 16, 17, 63, 64, 65, 128, 150] {
        let got = run(Isa::scalar(), &case, positions);
        for (query, got) in case.queries.chunks(64).zip(got.chunks(64)) {
            for (got, exact) in got.iter().zip(exact(query, &case, positions)) {
                assert!(
                    (f64::from(*got) - exact).abs() < 2e-6,
                    "{positions}: {got} {exact}"
                );
            }
        }
    }
}

#[test]
fn the_paths_agree() {
    for (heads, width) in [(1, 64), (2, 128), (3, 64), (3, 256)] {
        let case = case(heads, width, 150);
        for positions in [1, 15, 16, 17, 63, 64, 65, 128, 150] {
            let scalar = run(Isa::scalar(), &case, positions);
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            for isa in Isa::all_here() {
                let got = bits(&run(isa, &case, positions));
                assert_eq!(bits(&scalar), got, "{isa:?} {heads} {width} {positions}");
            }
        }
    }
}

#[test]
fn a_token_attends_alike_alone_and_among_others() {
    let case = case(2 * TOKENS, 64, 140);
    for (tokens, positions) in [(8, 1), (8, 60), (3, 64), (8, 133)] {
        for isa in Isa::all_here() {
            let cache = |positions| case.cache(positions, usize::MAX);
            let queries = &case.queries[..tokens * 128];
            let mut together = vec![7.0; queries.len()];
            attend(isa, tokens, queries, cache(positions), &mut together);
            for (token, query) in queries.chunks(128).enumerate() {
                let mut alone = [7.0; 128];
                attend(isa, 1, query, cache(positions + token), &mut alone);
                assert_eq!(together[token * 128..][..128], alone, "{token} of {tokens}");
            }
        }
    }
}

#[test]
fn windows_leave_out_what_is_before_them() {
    let case = case(3, 64, 210);
    for positions in [1, 64, 65, 130, 210] {
        for window in [1, 15, 16, 63, 64, 65, 100, 130, 209] {
            let got = run_window(Isa::scalar(), &case, (positions, window));
            for (query, got) in case.queries.chunks(64).zip(got.chunks(64)) {
                let exact = exact_window(query, &case, (positions, window));
                let close = |(got, exact): (&f32, f64)| (f64::from(*got) - exact).abs() < 2e-6;
                assert!(got.iter().zip(exact).all(close), "{positions} {window}");
            }
            for isa in Isa::all_here() {
                let same = run_window(isa, &case, (positions, window));
                assert_eq!(got, same, "{isa:?} {positions} {window}");
            }
        }
    }
}

#[test]
fn a_window_is_the_same_alone_and_among_others() {
    let case = case(2 * TOKENS, 64, 210);
    for (positions, window) in [(1, 3), (60, 8), (62, 64), (130, 66), (200, 1)] {
        for isa in Isa::all_here() {
            let mut together = vec![7.0; case.queries.len()];
            let cache = case.cache(positions, window);
            attend(isa, TOKENS, &case.queries, cache, &mut together);
            for (token, query) in case.queries.chunks(128).enumerate() {
                let mut alone = [7.0; 128];
                let cache = case.cache(positions + token, window);
                attend(isa, 1, query, cache, &mut alone);
                assert_eq!(together[token * 128..][..128], alone, "{token}");
            }
        }
    }
}

#[test]
fn later_positions_do_not_matter() {
    let (long, short) = (case(3, 64, 128), case(3, 64, 70));
    for isa in Isa::all_here() {
        assert_eq!(run(isa, &long, 70), run(isa, &short, 70));
    }
}

#[test]
fn great_differences_of_scores_stay_finite() {
    let mut case = case(1, 64, 130);
    case.pool.iter_mut().for_each(|v| *v *= 1e4);
    case.queries.iter_mut().for_each(|v| *v *= 1e4);
    let scalar = run(Isa::scalar(), &case, 130);
    assert!(scalar.iter().all(|v| v.is_finite()));
    for isa in Isa::all_here() {
        assert_eq!(scalar, run(isa, &case, 130));
    }
}

#[test]
#[should_panic(expected = "attention to nothing")]
fn nothing_to_attend_to_is_refused() {
    run(Isa::scalar(), &case(1, 64, 1), 0);
}

#[test]
#[should_panic(expected = "attention to nothing")]
fn a_window_of_nothing_is_refused() {
    run_window(Isa::scalar(), &case(1, 64, 1), (1, 0));
}

#[test]
#[should_panic(expected = "positions beyond the pages")]
fn positions_beyond_the_pages_are_refused() {
    run(Isa::scalar(), &case(1, 64, 64), 65);
}

#[test]
fn a_score_that_is_not_finite_makes_its_head_no_number_on_every_path() {
    for fault in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for column in [0, 63] {
            let mut case = case(3, 64, 150);
            case.queries[64 + column] = fault;
            for isa in Isa::all_here() {
                let out = run(isa, &case, 150);
                let no_numbers = |head: &[f32]| head.iter().filter(|x| x.is_nan()).count();
                let counts: Vec<usize> = out.chunks(64).map(no_numbers).collect();
                assert_eq!(counts, [0, 64, 0], "{isa:?} {fault} {column}");
            }
        }
    }
}

#[test]
fn a_key_counts_where_it_is_attended_to() {
    // In each half of a page of the first tile, and beyond it.
    for position in (0..64).step_by(8).chain([15, 63, 70, 130]) {
        let mut case = case(1, 64, 150);
        let page = 2 * case.pages[position / PAGE] as usize + 1;
        case.pool[page * page_len(64) + 5 * PAGE + position % PAGE] = f32::INFINITY;
        for isa in Isa::all_here() {
            let no_numbers = |positions, window| {
                let out = run_window(isa, &case, (positions, window));
                out.iter().filter(|x| x.is_nan()).count()
            };
            assert_eq!(no_numbers(150, usize::MAX), 64, "{isa:?} {position}");
            assert_eq!(no_numbers(position + 1, 1), 64, "{isa:?} {position}");
            if position > 0 {
                assert_eq!(no_numbers(position, usize::MAX), 0, "it comes later");
            }
            assert_eq!(no_numbers(150, 149 - position), 0, "it is long gone");
        }
    }
}
