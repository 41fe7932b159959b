//! Whether the device, in exact arithmetic, says what the CPU says.

use std::sync::Arc;

use engine::decoder::{Decoder, KvCache};
use gpu::{Device, GpuDecoder};

use crate::{
    Failure, RealModel, Report, Scale, Work,
    decoding::{self, Sequence, advance},
};

/// Tokens of the prompt.
const PROMPT_TOKENS: usize = 20;

/// Greedy answers to one prompt, token by token.
pub(crate) fn check<D: Device>(
    device: &Arc<D>,
    real: &RealModel,
    scale: &Scale,
    report: &mut Report,
) -> Result<(), Failure> {
    let work = Work {
        batch: 1,
        prompt_tokens: PROMPT_TOKENS,
        answer_tokens: scale.parity_tokens,
    };
    let prompt = real.prompt(PROMPT_TOKENS);
    let own = on_device(device, real, (&work, &prompt))?;
    let expected = on_cpu(real, (&work, &prompt))?;
    match own.iter().zip(&expected).position(|(own, cpu)| own != cpu) {
        Some(at) => Err(Failure::Parity(at)),
        None => {
            let count = own.len();
            report.text(&format!(
                "gpu.parity: {count} tokens of exact arithmetic, all the CPU's"
            ));
            Ok(())
        }
    }
}

fn on_device<D: Device>(
    device: &Arc<D>,
    real: &RealModel,
    (work, prompt): (&Work, &[u32]),
) -> Result<Vec<u32>, Failure> {
    let mut decoder = GpuDecoder::new(device, &real.model, decoding::capacity(work))?;
    let mut sequence = [Sequence::default()];
    sequence[0].read(&mut decoder, prompt)?;
    let mut tokens = vec![sequence[0].token];
    for _ in 1..work.answer_tokens {
        advance(&mut decoder, &mut sequence)?;
        tokens.push(sequence[0].token);
    }
    Ok(tokens)
}

fn on_cpu(real: &RealModel, (work, prompt): (&Work, &[u32])) -> Result<Vec<u32>, Failure> {
    let mut decoder = Decoder::new(Arc::clone(&real.model), 0);
    let mut cache = KvCache::new(&real.model, work.tokens());
    let mut tokens = vec![greatest(decoder.forward(prompt, &mut cache)?)];
    for at in 1..work.answer_tokens {
        let logits = decoder.forward(&tokens[at - 1..at], &mut cache)?;
        tokens.push(greatest(logits));
    }
    Ok(tokens)
}

/// The first of the greatest.
fn greatest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best as u32
}
