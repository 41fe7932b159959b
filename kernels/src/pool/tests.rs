//! Every chunk once, whatever the number of threads; sleeping, panicking and ending.

use super::*;

fn pool(threads: usize) -> Pool {
    Pool::new(NonZeroUsize::new(threads).unwrap())
}

#[test]
fn every_chunk_is_run_once_with_its_index() {
    for threads in [1, 2, 3, 8] {
        let mut pool = pool(threads);
        assert_eq!(pool.threads(), threads);
        for length in [0, 1, 5, 64, 1000] {
            let mut items = vec![0_u32; length];
            pool.for_chunks(&mut items, 7, |index, chunk| {
                chunk.iter_mut().for_each(|item| *item += 1 + index as u32);
            });
            let expected: Vec<u32> = (0..length as u32).map(|i| 1 + i / 7).collect();
            assert_eq!(items, expected);
        }
    }
}

#[test]
fn sleeping_workers_wake() {
    let mut pool = pool(3);
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        let mut items = [0; 32];
        pool.for_chunks(&mut items, 1, |_, chunk| chunk.fill(1));
        assert_eq!(items, [1; 32]);
    }
}

#[test]
fn many_short_rounds() {
    let mut pool = pool(4);
    let mut items = [0_u32; 16];
    for _ in 0..5_000 {
        pool.for_chunks(&mut items, 1, |_, chunk| chunk[0] += 1);
    }
    assert_eq!(items, [5_000; 16]);
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_survives_it() {
    let mut pool = pool(2);
    let attempt = std::panic::AssertUnwindSafe(|| {
        pool.for_chunks(&mut [0; 8], 1, |index, _| assert!(index != 5, "chunk five"));
    });
    assert!(std::panic::catch_unwind(attempt).is_err());
    let mut items = [0; 8];
    pool.for_chunks(&mut items, 1, |_, chunk| chunk.fill(1));
    assert_eq!(items, [1; 8]);
}
