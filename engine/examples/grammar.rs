//! What following a grammar costs: `grammar MODEL.gguf FILE...`, each FILE a JSON schema (`.json`) or a Lark grammar.
//!
//! Prints microseconds: to compile, and of the masks of a random answer the median and the greatest.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring program"
)]

use std::{env, fs, path::Path, sync::Arc, time::Instant};

use engine::{
    Grammar,
    gguf::Gguf,
    grammar::{Grammars, Progress},
    tokenizer::Tokenizer,
};

const MOST_TOKENS: usize = 300;

fn main() {
    let mut arguments = env::args().skip(1);
    let model = arguments.next().unwrap();
    let gguf = Gguf::open(Path::new(&model)).unwrap();
    let tokenizer = Arc::new(Tokenizer::from_gguf(&gguf).unwrap());
    let grammars = Grammars::new(Arc::clone(&tokenizer));
    let begun = Instant::now();
    let _ = grammars.constraint(&Grammar::JsonObject);
    println!("first {:.0} us", us(begun));
    measure(&grammars, &tokenizer, "json_object", &Grammar::JsonObject);
    for path in arguments {
        let text = fs::read_to_string(&path).unwrap();
        let grammar = match path.ends_with(".json") {
            true => Grammar::JsonSchema(text),
            false => Grammar::Lark(text),
        };
        measure(&grammars, &tokenizer, &path, &grammar);
    }
}

fn measure(grammars: &Grammars, tokenizer: &Tokenizer, name: &str, grammar: &Grammar) {
    let begun = Instant::now();
    let constraint = grammars.constraint(grammar);
    let compile = us(begun);
    let mut constraint = match constraint {
        Ok(constraint) => constraint,
        Err(error) => return println!("{name}: {compile:.0} us, {error:?}"),
    };
    let (mut masks, mut random, mut end) = (Vec::new(), 1u64, "cut");
    for _ in 0..MOST_TOKENS {
        let begun = Instant::now();
        let Ok(allowed) = constraint.allowed() else {
            end = "failed";
            break;
        };
        masks.push(us(begun));
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let ids = (0u32..).zip(allowed.0).flat_map(|(word, bits)| {
            (0..32)
                .filter(move |bit| bits >> bit & 1 == 1)
                .map(move |bit| word * 32 + bit)
        });
        let ids: Vec<u32> = ids.collect();
        let id = ids[(random >> 33) as usize % ids.len()];
        if tokenizer.is_end(id) || constraint.advance(id) == Ok(Progress::Complete) {
            end = "whole";
            break;
        }
    }
    masks.sort_by(f64::total_cmp);
    let (median, most) = (masks[masks.len() / 2], masks[masks.len() - 1]);
    let count = masks.len();
    println!(
        "{name}: compile {compile:.0}, {count} masks median {median:.0} most {most:.0} us, {end}"
    );
}

fn us(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6
}
