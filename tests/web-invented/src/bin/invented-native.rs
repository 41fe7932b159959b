//! The same natively: a request per line of standard input, an answer per line of standard output. `scripts/test-wasm` compares.

use std::io::{self, BufRead as _, Write as _};

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for request in io::stdin().lock().lines() {
        writeln!(output, "{}", web_invented::answer(request?.as_bytes()))?;
    }
    Ok(())
}
