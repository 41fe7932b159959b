//! `exact_attend` against `kernels::attention`.

use kernels::{
    Isa,
    attention::{HeadCache, PAGE, attend, page_len},
};

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::launch,
    turn::{HeadShape, NO_SEQUENCE},
    weights::{FAULTS, bits, bits_of_numbers, floats},
};

/// Pages of each of two sequences.
const PAGES_EACH: usize = 44;
const ALL: u32 = u32::MAX;

/// Keys, values and queries of some rows.
struct Case {
    shape: HeadShape,
    pool: Vec<f32>,
    pages: Vec<u32>,
    positions: Vec<u32>,
    sequences: Vec<u32>,
    queries: Vec<f32>,
    window: u32,
}

impl Case {
    /// A row for each position: the sequences take turns.
    fn new(shape: HeadShape, positions: &[u32], window: u32) -> Self {
        let padded = shape.padded_width as usize;
        let pages = 2 * PAGES_EACH as u32;
        Self {
            shape,
            pool: floats(
                1,
                pages as usize * shape.kv_heads as usize * page_len(padded),
            ),
            // Scattered: 5 has no common divisor with their number.
            pages: (0..pages).map(|page| page * 5 % pages).collect(),
            positions: positions.to_vec(),
            sequences: (0..2).cycle().take(positions.len()).collect(),
            queries: floats(2, positions.len() * shape.heads as usize * padded),
            window,
        }
    }

    fn run(&self) -> Vec<f32> {
        let heads = self.shape.heads as usize;
        let [queries, pool] = [&self.queries, &self.pool].map(|values| Memory::of(values));
        let [positions, sequences, pages] =
            [&self.positions, &self.sequences, &self.pages].map(|values| Memory::of(values));
        let out = Memory::unwritten(self.positions.len() * heads * self.shape.width as usize);
        let arguments = Arguments::new()
            .memory(&queries)
            .memory(&pool)
            .memory(&positions)
            .memory(&sequences)
            .memory(&pages)
            .memory(&out)
            .value(self.shape)
            .value(self.window);
        launch(
            "exact_attend",
            (self.positions.len(), heads),
            256,
            arguments,
        );
        out.read()
    }

    fn expected(&self) -> Vec<f32> {
        self.expected_on(Isa::scalar())
    }

    fn expected_on(&self, isa: Isa) -> Vec<f32> {
        let (padded, width) = (self.shape.padded_width as usize, self.shape.width as usize);
        let heads = self.queries.chunks(padded).enumerate();
        let of_head = |(index, query)| {
            let mut out = vec![0.0; padded];
            let (row, head) = (
                index / self.shape.heads as usize,
                index % self.shape.heads as usize,
            );
            if self.sequences[row] != NO_SEQUENCE {
                attend(isa, 1, query, self.head_cache(row, head), &mut out);
            }
            out.truncate(width);
            out
        };
        heads.flat_map(of_head).collect()
    }

    /// Where the first sequence's key or value of a position begins in the pool, for the last of the heads.
    fn place(&self, position: usize, is_value: bool) -> usize {
        let (width, kv_heads) = (
            self.shape.padded_width as usize,
            self.shape.kv_heads as usize,
        );
        let page = (self.pages[position / PAGE] as usize + 1) * kv_heads - 1;
        let within = position % PAGE;
        let behind_keys = PAGE * width + within * width;
        page * page_len(width) + if is_value { behind_keys } else { within }
    }

    /// Compares with every path of the CPU; gives how many of the results are no numbers, row after row.
    fn no_numbers(&self) -> Vec<usize> {
        let got = in_both_orders(|| bits_of_numbers(&self.run()));
        for isa in Isa::all_here() {
            let expected = self.expected_on(isa);
            assert!(
                got == bits_of_numbers(&expected),
                "{isa:?} {:?}",
                self.shape
            );
        }
        let row = got.len() / self.positions.len();
        let count = |row: &[u32]| {
            row.iter()
                .filter(|bits| f32::from_bits(**bits).is_nan())
                .count()
        };
        got.chunks(row).map(count).collect()
    }

    fn head_cache(&self, row: usize, head: usize) -> HeadCache<'_> {
        let positions = self.positions[row] as usize + 1;
        let first = self.sequences[row] as usize * PAGES_EACH;
        HeadCache {
            pool: &self.pool,
            heads: self.shape.kv_heads as usize,
            head: head / (self.shape.heads / self.shape.kv_heads) as usize,
            pages: &self.pages[first..][..positions.div_ceil(PAGE)],
            positions,
            window: if self.window == ALL {
                usize::MAX
            } else {
                self.window as usize
            },
            width: self.shape.padded_width as usize,
        }
    }
}

fn shape(heads: u32, kv_heads: u32, width: u32) -> HeadShape {
    HeadShape {
        heads,
        kv_heads,
        width,
        padded_width: width.next_multiple_of(64),
        pages_per_sequence: PAGES_EACH as u32,
        halves: 0,
        query_scale: 1.0,
        epsilon: 0.0,
    }
}

/// Ends of pages, of tiles, of what is looked at at once.
const POSITIONS: [u32; 9] = [0, 15, 16, 62, 63, 64, 255, 256, 700];

#[test]
fn attention_has_the_cpus_bits() {
    for (shape, window) in [
        (shape(3, 1, 64), ALL),
        (shape(4, 2, 96), ALL),
        (shape(2, 2, 256), 1),
        (shape(3, 3, 128), 70),
        (shape(2, 1, 16), 300),
    ] {
        let case = Case::new(shape, &POSITIONS, window);
        let expected = case.expected();
        let got = in_both_orders(|| bits(&case.run()));
        assert!(got == bits(&expected), "{shape:?} {window}");
    }
}

#[test]
fn rows_of_one_prompt_have_the_cpus_bits() {
    let positions: Vec<u32> = (57..90).collect();
    for window in [ALL, 20] {
        let mut case = Case::new(shape(3, 1, 64), &positions, window);
        case.sequences.fill(1);
        assert_eq!(bits(&case.run()), bits(&case.expected()), "{window}");
    }
}

#[test]
fn a_row_attends_alike_alone_and_among_others() {
    let case = Case::new(shape(3, 1, 64), &POSITIONS, ALL);
    let together = case.run();
    let mut alone = Case::new(shape(3, 1, 64), &POSITIONS[8..], ALL);
    alone.queries = case.queries[8 * 3 * 64..].to_vec();
    assert_eq!(bits(&alone.run()), bits(&together[8 * 3 * 64..]));
}

#[test]
fn padding_attends_to_nothing() {
    let mut case = Case::new(shape(3, 1, 64), &POSITIONS, ALL);
    case.sequences[2] = NO_SEQUENCE;
    case.sequences[8] = NO_SEQUENCE;
    let got = case.run();
    assert_eq!(bits(&got), bits(&case.expected()));
    assert!(got[2 * 192..3 * 192].iter().all(|value| *value == 0.0));
}

/// Scores whose weights underflow, and scores far apart: the fades have to be the CPU's.
#[test]
fn far_scores_have_the_cpus_bits() {
    let mut case = Case::new(shape(3, 1, 64), &POSITIONS, ALL);
    case.queries.iter_mut().for_each(|query| *query *= 90.0);
    assert_eq!(bits(&case.run()), bits(&case.expected()));
}

/// Rows of the first sequence at places 0, 2, 4, 6.
const SOME_POSITIONS: [u32; 7] = [15, 16, 63, 64, 255, 256, 300];

#[test]
fn a_query_that_is_not_finite_makes_its_head_no_number() {
    for fault in FAULTS {
        for (row, column) in [(0, 0), (4, 63), (5, 17)] {
            let mut case = Case::new(shape(3, 1, 64), &SOME_POSITIONS, ALL);
            case.queries[(row * 3 + 1) * 64 + column] = fault;
            let wanted: Vec<usize> = (0..7).map(|at| if at == row { 64 } else { 0 }).collect();
            assert_eq!(case.no_numbers(), wanted, "{fault} {row} {column}");
        }
    }
}

#[test]
fn a_key_that_is_not_finite_counts_where_it_is_attended_to() {
    for (fault, window) in FAULTS
        .into_iter()
        .flat_map(|fault| [(fault, ALL), (fault, 70)])
    {
        for position in [0, 17, 50, 63, 200, 255, 256] {
            let mut case = Case::new(shape(4, 2, 64), &SOME_POSITIONS, window);
            let place = case.place(position as usize, false);
            case.pool[place + 9 * PAGE] = fault;
            let rows = SOME_POSITIONS.iter().enumerate().map(|(row, end)| {
                let is_attended = position <= *end && *end - position < window;
                // Two of the heads have these keys.
                if row % 2 == 0 && is_attended {
                    2 * 64
                } else {
                    0
                }
            });
            assert_eq!(
                case.no_numbers(),
                rows.collect::<Vec<_>>(),
                "{fault} {window} {position}"
            );
        }
    }
}

/// The scores are finite: an infinite value is then infinite, as on the CPU.
#[test]
fn values_that_are_not_finite_have_the_cpus_bits() {
    for fault in FAULTS {
        for position in [0, 50, 255, 256] {
            let mut case = Case::new(shape(3, 1, 64), &SOME_POSITIONS, ALL);
            let place = case.place(position, true);
            case.pool[place + 9] = fault;
            let told = case.no_numbers().iter().any(|count| *count > 0);
            assert_eq!(told, fault.is_nan(), "{fault} {position}");
            // And one of the other sign beside it.
            let place = case.place(position + 1, true);
            case.pool[place + 9] = -fault;
            assert_eq!(case.no_numbers()[6], 3, "{fault} {position}");
        }
    }
}

/// Numbers whose product is beyond all numbers.
#[test]
fn scores_that_overflow_make_their_head_no_number() {
    let mut case = Case::new(shape(3, 1, 64), &SOME_POSITIONS, ALL);
    case.queries[64..128].fill(3e38);
    assert_eq!(case.no_numbers(), [64, 0, 0, 0, 0, 0, 0]);
}

/// The comparison is no comparison if it does not see another order of a sum.
#[test]
fn another_order_has_other_bits() {
    let mut case = Case::new(shape(3, 1, 64), &[700], ALL);
    let expected = case.expected();
    // The first two pages of keys and values change places: the same sums in another order.
    case.pages.swap(0, 1);
    let got = case.run();
    assert_ne!(bits(&got), bits(&expected));
    let pairs = got.iter().zip(&expected);
    assert!(
        pairs
            .into_iter()
            .all(|(got, expected)| (got - expected).abs() < 1e-4)
    );
}
