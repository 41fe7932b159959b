//! Every kind keeps what it is given; what the kernel shows of it is in `tests/secret_memory_test.rs`.

use super::*;

#[test]
fn every_kind_keeps_what_it_is_given() {
    for kind in PageKind::ALL {
        for length in [0, 1, 32, 2432, 4096, 10_000] {
            let secret: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let kept = SecretPages { kind }.keep(&secret);
            assert_eq!(kept.expose(), secret, "{} {length}", kind.name());
        }
    }
}

#[test]
fn secrets_do_not_share_pages() {
    let memory = SecretPages::probe();
    let (a, b) = (memory.keep(&[1; 32]), memory.keep(&[2; 32]));
    drop(a);
    assert_eq!(b.expose(), [2; 32]);
}

#[test]
fn a_secret_is_read_on_any_thread() {
    let kept = SecretPages::probe().keep(&[7; 32]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(kept.expose(), [7; 32]));
        }
    });
}
