//! The cipher, and rows packed into panels.

use kernels::{
    lanes::LANES,
    matmul::{Format, Matrix},
};

use super::{Answers, SelfTestError, bench::Bench, noise::Noise};
use crate::{
    Device,
    operations::{CipherSegment, Decipher, ExpandKey, PLANES_BYTES, Pack},
};

/// SP 800-38A, F.5.5: key, first sixteen bytes of the counter, plaintext, ciphertext.
const KEY: [u8; 32] = *b"\x60\x3d\xeb\x10\x15\xca\x71\xbe\x2b\x73\xae\xf0\x85\x7d\x77\x81\x1f\x35\x2c\x07\x3b\x61\x08\xd7\x2d\x98\x10\xa3\x09\x14\xdf\xf4";
const NONCE: [u8; 12] = *b"\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb";
const COUNTER: u32 = 0xfcfd_feff;
const PLAINTEXT: [u8; 64] = *b"\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a\xae\x2d\x8a\x57\x1e\x03\xac\x9c\x9e\xb7\x6f\xac\x45\xaf\x8e\x51\x30\xc8\x1c\x46\xa3\x5c\xe4\x11\xe5\xfb\xc1\x19\x1a\x0a\x52\xef\xf6\x9f\x24\x45\xdf\x4f\x9b\x17\xad\x2b\x41\x7b\xe6\x6c\x37\x10";
const CIPHERTEXT: [u8; 64] = *b"\x60\x1e\xc3\x13\x77\x57\x89\xa5\xb7\xa7\xf5\x04\xbb\xf3\xd2\x28\xf4\x43\xe3\xca\x4d\x62\xb5\x9a\xca\x84\xe9\x90\xca\xca\xf5\xc5\x2b\x09\x30\xda\xa2\x3d\xe9\x4c\xe8\x70\x17\xba\x2d\x84\x98\x8d\xdf\xc9\xc5\x8d\xb6\x7a\xad\xa6\x13\xc2\xdd\x08\x45\x79\x41\xa6";

/// More than a block of threads deciphers.
const LONG: usize = 3 * 8192;
/// One panel and some more.
const ROWS: usize = LANES + 5;
const COLUMNS: usize = 512;

pub(super) fn test<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
) -> Result<(), SelfTestError> {
    cipher(bench, answers)?;
    let mut formats = Format::ALL.iter();
    formats.try_for_each(|format| pack(bench, answers, *format))
}

/// The vector by itself, and at the end of a long segment.
fn cipher<D: Device>(bench: &mut Bench<D>, answers: &mut Answers) -> Result<(), SelfTestError> {
    let (key, planes) = (bench.arena.copied(&KEY)?, bench.arena.bytes(PLANES_BYTES)?);
    let first = CipherSegment {
        offset: 0,
        bytes: CIPHERTEXT.len(),
        counter: COUNTER,
        nonce: NONCE,
    };
    let blocks = (LONG - CIPHERTEXT.len()) / 16;
    let last = CipherSegment {
        offset: CIPHERTEXT.len(),
        bytes: LONG,
        counter: COUNTER.wrapping_sub(blocks as u32),
        nonce: NONCE,
    };
    let mut text = [&CIPHERTEXT[..], &[0; LONG]].concat();
    let (_, end) = text.split_at_mut(LONG);
    end.copy_from_slice(&CIPHERTEXT);
    let table = [first, last].map(CipherSegment::to_bytes).concat();
    let decipher = Decipher {
        text: bench.arena.copied(&text)?,
        segments: bench.arena.copied(&table)?,
        planes,
        count: 2,
        longest: LONG,
    };
    bench.run(&[ExpandKey { key, planes }.launch(), decipher.launch()])?;
    let mut found = vec![0; text.len()];
    bench.arena.device().download(decipher.text, &mut found)?;
    let ends = [found.split_at(64).0, found.split_at(LONG).1].concat();
    let expected = [PLAINTEXT; 2].concat();
    answers.take("aes256_ctr", &words(&ends), &words(&expected))
}

fn pack<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
    format: Format,
) -> Result<(), SelfTestError> {
    let rows = Noise::new(401).blocks(ROWS * format.row_bytes(COLUMNS));
    let packed = Matrix::pack(format, COLUMNS, &rows);
    let packed = packed.map_err(|error| SelfTestError::WrongAnswer(error.to_string()))?;
    let panels = 0..packed.panel_count();
    let expected = panels.flat_map(|panel| packed.packed_panel(panel).bytes);
    let expected: Vec<u8> = expected.copied().collect();
    let pack = Pack {
        format,
        file: bench.arena.copied(&rows)?,
        rows: ROWS,
        columns: COLUMNS,
        panels: bench.arena.bytes(expected.len())?,
        first_panel: 0,
        panel_step: 1,
        not_finite: bench.arena.words(1)?,
    };
    bench.run(&[pack.launch()])?;
    let answer = bench.floats(pack.panels, expected.len() / 4)?;
    let flag = bench.floats(pack.not_finite, 1)?;
    let name = format!("exact_pack_{}", format.name());
    let expected = [words(&expected), vec![0.0]].concat();
    answers.take(&name, &[answer, flag].concat(), &expected)
}

/// Bits as answers are told.
fn words(bytes: &[u8]) -> Vec<f32> {
    let words = bytes.as_chunks::<4>().0.iter();
    words.map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
