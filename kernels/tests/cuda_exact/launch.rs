//! Launches of planes of blocks, as the exact entry points take them.

use crate::cuda_cpu::{Arguments, Memory, Shape, library};

/// Launches and waits.
pub(crate) fn launch(entry: &str, grid: (usize, usize), threads: usize, arguments: Arguments<'_>) {
    let [x, y, threads] = [grid.0, grid.1, threads].map(|count| u32::try_from(count).unwrap());
    let outcome = library().launch(entry, Shape::plane(x, y, threads), arguments);
    assert_eq!(outcome, Ok(()), "{entry}");
}

/// Adds memory that may be missing.
pub(crate) fn memory_or_null<'a, T: Copy>(
    arguments: Arguments<'a>,
    memory: Option<&'a Memory<T>>,
) -> Arguments<'a> {
    match memory {
        Some(memory) => arguments.memory(memory),
        None => arguments.null(),
    }
}
