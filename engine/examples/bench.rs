//! Measures prefill and decoding: `bench MODEL.gguf PROMPT.ids [THREADS] [ROUNDS]`.
//!
//! Prints, of the best round, `prefillN_tokens_per_s RATE` and `decodeN_tokens_per_s RATE`, N being the prompt's length.
#![expect(
    clippy::print_stdout,
    reason = "a measuring program, run by scripts/bench"
)]

use std::{env, error::Error, fs, path::Path, sync::Arc, time::Instant};

use engine::{
    decoder::{Decoder, KvCache},
    gguf::Gguf,
    model::Model,
};

/// Tokens decoded in a round.
const DECODED: usize = 64;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let model = arguments.next().ok_or("no model given")?;
    let prompt = ids(&arguments.next().ok_or("no prompt given")?)?;
    let threads = arguments.next().map_or(Ok(0), |n| n.parse())?;
    let rounds = arguments.next().map_or(Ok(5), |n| n.parse())?;
    let model = load(Path::new(&model))?;
    let mut decoder = Decoder::new(Arc::clone(&model), threads);
    let mut best = (0.0_f64, 0.0_f64);
    for _ in 0..rounds {
        let (prefill, decode) = round(&mut decoder, &model, &prompt)?;
        best = (best.0.max(prefill), best.1.max(decode));
    }
    let depth = prompt.len();
    println!("isa {}", decoder.isa());
    println!("prefill{depth}_tokens_per_s {:.1}", best.0);
    println!("decode{depth}_tokens_per_s {:.1}", best.1);
    Ok(())
}

fn ids(path: &str) -> Outcome<Vec<u32>> {
    let text = fs::read_to_string(path)?;
    Ok(text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?)
}

fn load(path: &Path) -> Outcome<Arc<Model>> {
    let start = Instant::now();
    let gguf = Gguf::open(path)?;
    let opened = start.elapsed();
    let model = Arc::new(Model::load(&gguf)?);
    println!(
        "open_ms {}\npack_ms {}",
        opened.as_millis(),
        (start.elapsed() - opened).as_millis()
    );
    Ok(model)
}

fn round(decoder: &mut Decoder, model: &Model, prompt: &[u32]) -> Outcome<(f64, f64)> {
    let mut cache = KvCache::new(model, prompt.len() + DECODED);
    let start = Instant::now();
    let mut next = greatest(decoder.forward(prompt, &mut cache)?);
    let prefill = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for _ in 0..DECODED {
        next = greatest(decoder.forward(&[next], &mut cache)?);
    }
    let decode = start.elapsed().as_secs_f64();
    Ok((prompt.len() as f64 / prefill, DECODED as f64 / decode))
}

fn greatest(logits: &[f32]) -> u32 {
    let greater =
        |best: (usize, f32), next: (usize, f32)| if next.1 > best.1 { next } else { best };
    logits
        .iter()
        .copied()
        .enumerate()
        .fold((0, f32::MIN), greater)
        .0 as u32
}
