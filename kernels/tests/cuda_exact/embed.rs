//! `exact_embed_*` against rows of a matrix.

use kernels::matmul::Format;

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::launch,
    weights::{bits, matrix, packed},
};

const COLUMNS: usize = 512;

#[test]
fn rows_have_the_cpus_bits() {
    let (tokens, scale) = ([39_u32, 0, 17, 17], 22.627_417_f32);
    for format in Format::ALL {
        let matrix = matrix(*format, 40, COLUMNS);
        let stream = in_both_orders(|| bits(&embedded(*format, &packed(&matrix), &tokens, scale)));
        for (token, got) in tokens.iter().zip(stream.chunks(COLUMNS)) {
            let mut row = vec![0.0; COLUMNS];
            matrix.row(*token as usize, &mut row);
            row.iter_mut().for_each(|value| *value *= scale);
            assert_eq!(got, bits(&row), "{format:?}");
        }
    }
}

fn embedded(format: Format, weights: &[u8], tokens: &[u32], scale: f32) -> Vec<f32> {
    let (weights, tokens) = (Memory::of(weights), Memory::of(tokens));
    let stream = Memory::unwritten(tokens.len() * COLUMNS);
    let arguments = Arguments::new()
        .memory(&weights)
        .memory(&tokens)
        .memory(&stream)
        .value(COLUMNS as u32)
        .value(scale);
    let entry = format!("exact_embed_{}", format.name());
    launch(&entry, (tokens.len(), 1), 128, arguments);
    stream.read()
}
