//! What a GPU can do and what of it the decoder uses, on the first CUDA device of this machine.
//!
//! usage: bench-gpu machine                          a line about the device
//!        bench-gpu measure MODEL PROMPT_IDS [PEER]  everything; PEER: a file of PyTorch's rates, lines `NAME VALUE`
//!        bench-gpu touch MODEL PROMPT_IDS           every kernel with tiny shapes, for tools that watch each access

use std::{env, fs, path::Path, process::ExitCode};

use bench_gpu::{Failure, Peer, RealModel, Report, Scale, Standing, cuda, measure};
use gpu::driver::CudaDevice;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["machine"] => machine(),
        ["measure", model, prompt] => run(model, prompt, Kind::measured("")),
        ["measure", model, prompt, peer] => run(model, prompt, Kind::measured(peer)),
        ["touch", model, prompt] => run(model, prompt, Kind::touched()),
        _ => {
            eprintln!(
                "usage: bench-gpu machine | measure MODEL PROMPT_IDS [PEER] | touch MODEL PROMPT_IDS"
            );
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.text());
            ExitCode::from(failure.exit_status())
        }
    }
}

/// What is measured, and what its numbers are.
struct Kind {
    scale: Scale,
    standing: Standing,
    peer: Peer,
}

impl Kind {
    fn measured(peer: &str) -> Self {
        Self {
            scale: Scale::full(),
            standing: Standing::Measured,
            peer: Peer::parse(&fs::read_to_string(peer).unwrap_or_default()),
        }
    }

    fn touched() -> Self {
        Self {
            scale: Scale::tiny(),
            standing: Standing::Dry,
            peer: Peer::default(),
        }
    }
}

fn machine() -> Result<(), Failure> {
    println!("{}", cuda::machine()?);
    Ok(())
}

fn run(model: &str, prompt: &str, kind: Kind) -> Result<(), Failure> {
    let open = || CudaDevice::open(cuda::INDEX);
    // Before a model is read for nothing.
    drop(open()?);
    let real = RealModel::read(Path::new(model), Path::new(prompt)).expect("model and prompt");
    let mut report = Report::new(kind.standing, kind.peer, |line| println!("{line}"));
    measure(open, &real, &kind.scale, &mut report)
}
