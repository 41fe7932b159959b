//! Measures one round of everything: `bench MODEL.gguf PROMPT.ids [THREADS [ISA]]`, THREADS being as many as there are cores and
//! ISA the fastest path of the machine unless told.
//!
//! Prints lines `NAME VALUE`: `load_ms` (the file's bytes, their digest, packing), `load_peak_kib` (most memory up to then),
//! `prefillN_tokens_per_s` and `decodeN_tokens_per_s` (N is the prompt's length), `decode_b8_tokens_per_s` (eight sequences in
//! each step, whose prompts are parts of the prompt), `kv_kib` (pages of keys and values) and `peak_kib`.
#![expect(
    clippy::print_stdout,
    reason = "a measuring program, run by scripts/bench"
)]

use std::{env, error::Error, fs, path::Path, sync::Arc, time::Instant};

use engine::{
    decoder::{Decoder, KvPool, KvTable, MAX_STEP_TOKENS, PAGE_TOKENS, Part},
    gguf::Gguf,
    model::Model,
};
use kernels::Isa;

/// Tokens decoded in a round, of each sequence.
const DECODED: usize = 64;
/// Sequences of a batch.
const SEQUENCES: usize = 8;
/// Tokens of each sequence's prompt in a batch.
const PROMPT: usize = 64;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let model = arguments.next().ok_or("no model given")?;
    let prompt = ids(&arguments.next().ok_or("no prompt given")?)?;
    let threads = arguments.next().map_or(Ok(0), |n| n.parse())?;
    let isa = arguments.next().map_or(Ok(Isa::detect()), |n| isa(&n))?;
    let model = load(Path::new(&model))?;
    println!("load_peak_kib {}", peak_kib()?);
    let mut decoder = Decoder::with_isa(Arc::clone(&model), threads, isa);
    println!("isa {}", decoder.isa());
    let pages = SEQUENCES * (PROMPT + DECODED).div_ceil(PAGE_TOKENS);
    let mut pool = KvPool::new(&model, pages);
    println!("kv_kib {}", pages * KvPool::page_bytes(&model) / 1024);
    alone(&mut decoder, &mut pool, &prompt)?;
    together(&mut decoder, &mut pool, &prompt)?;
    println!("peak_kib {}", peak_kib()?);
    Ok(())
}

fn isa(name: &str) -> Outcome<Isa> {
    Ok(Isa::here(name.parse()?).ok_or("not on this machine")?)
}

fn ids(path: &str) -> Outcome<Vec<u32>> {
    let text = fs::read_to_string(path)?;
    let ids = text.split_whitespace().map(str::parse);
    Ok(ids.collect::<Result<_, _>>()?)
}

fn load(path: &Path) -> Outcome<Arc<Model>> {
    let start = Instant::now();
    let model = Arc::new(Model::take(&mut Gguf::open(path)?)?);
    println!("load_ms {}", start.elapsed().as_millis());
    Ok(model)
}

/// One sequence.
fn alone(decoder: &mut Decoder, pool: &mut KvPool, prompt: &[u32]) -> Outcome<()> {
    let (mut table, mut next) = (KvTable::default(), Vec::new());
    pool.reserve(&mut table, prompt.len() + DECODED)?;
    let start = Instant::now();
    for tokens in prompt.chunks(MAX_STEP_TOKENS) {
        next = step(decoder, pool, &mut [part(tokens, &mut table)])?;
    }
    let prefill = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for _ in 0..DECODED {
        next = step(decoder, pool, &mut [part(&next, &mut table)])?;
    }
    let decode = start.elapsed().as_secs_f64();
    pool.release(table);
    let depth = prompt.len();
    println!("prefill{depth}_tokens_per_s {:.1}", depth as f64 / prefill);
    println!("decode{depth}_tokens_per_s {:.1}", DECODED as f64 / decode);
    Ok(())
}

/// A batch of sequences.
fn together(decoder: &mut Decoder, pool: &mut KvPool, prompt: &[u32]) -> Outcome<()> {
    let (mut tables, mut next) = (Vec::new(), Vec::new());
    for prompt in prompt.chunks_exact(PROMPT).take(SEQUENCES) {
        let mut table = KvTable::default();
        pool.reserve(&mut table, PROMPT + DECODED)?;
        next.extend(step(decoder, pool, &mut [part(prompt, &mut table)])?);
        tables.push(table);
    }
    let start = Instant::now();
    for _ in 0..DECODED {
        let tokens = next.chunks(1).zip(&mut tables);
        let mut parts: Vec<_> = tokens.map(|(token, table)| part(token, table)).collect();
        next = step(decoder, pool, &mut parts)?;
    }
    let rate = (tables.len() * DECODED) as f64 / start.elapsed().as_secs_f64();
    println!("decode_b{}_tokens_per_s {rate:.1}", tables.len());
    Ok(())
}

fn part<'a>(tokens: &'a [u32], table: &'a mut KvTable) -> Part<'a> {
    Part {
        tokens,
        table,
        wants_logits: true,
    }
}

fn step(decoder: &mut Decoder, pool: &mut KvPool, parts: &mut [Part<'_>]) -> Outcome<Vec<u32>> {
    Ok(decoder.step(pool, parts)?.map(greatest).collect())
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

/// Most memory this process has had resident.
fn peak_kib() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    Ok(words.ok_or("no VmHWM")?.parse()?)
}
