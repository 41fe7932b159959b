//! The one place of the demo that prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the demo shows what happens"
)]

use std::{error::Error, io::Write};

/// A heading.
pub(crate) fn step(title: &str) {
    println!("\n== {title}");
    let _ = std::io::stdout().flush();
}

/// A line.
pub(crate) fn line(text: &str) {
    println!("   {text}");
    let _ = std::io::stdout().flush();
}

/// Why the demo failed.
pub(crate) fn failure(error: &(dyn Error + 'static)) {
    eprintln!("narthex-demo: {error}");
}
