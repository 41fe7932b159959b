//! The same verifier natively: a request per line of standard input, an answer per line of standard output. `scripts/test-wasm` compares.

use std::io::{self, BufRead as _, Write as _};
use web::Trust;

fn main() -> io::Result<()> {
    let trust = Trust::vendor();
    let mut output = io::stdout().lock();
    for request in io::stdin().lock().lines() {
        writeln!(output, "{}", web::answer(request?.as_bytes(), &trust))?;
    }
    Ok(())
}
