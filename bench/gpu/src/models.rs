//! The models whose tokens are counted: a real one from its file, and one of a size that no package ships, whose weights are noise.

use std::{fs, io, path::Path, sync::Arc};

use engine::{
    gguf::Gguf,
    model::{Model, ModelConfig},
};
use gpu::{DeviceError, GpuDecoder};

use crate::{
    Failure, Measured, Report, Scale, Work,
    decoding::{self, Rates},
    limits::Limits,
    shape,
};

/// A model and a text in its tokens.
pub struct RealModel {
    pub model: Arc<Model>,
    pub prompt: Vec<u32>,
}

/// A decoder's arithmetic and the model that it runs, as lines name them.
struct Name {
    model: &'static str,
    arithmetic: &'static str,
}

impl RealModel {
    /// Reads a GGUF file, and a file of token numbers.
    pub fn read(model: &Path, prompt: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(prompt)?;
        let ids: Result<Vec<u32>, _> = text.split_whitespace().map(str::parse).collect();
        let mut gguf = Gguf::open(model).map_err(io::Error::other)?;
        Ok(Self {
            model: Arc::new(Model::take(&mut gguf).map_err(io::Error::other)?),
            prompt: ids.map_err(io::Error::other)?,
        })
    }

    /// As many of its tokens; from the beginning again where it has fewer.
    pub(crate) fn prompt(&self, tokens: usize) -> Vec<u32> {
        self.prompt.iter().copied().cycle().take(tokens).collect()
    }
}

/// Both arithmetics, each on a device of its own.
pub(crate) fn real<D: Measured>(
    open: &impl Fn() -> Result<D, DeviceError>,
    real: &RealModel,
    (work, scale): (&Work, &Scale),
    limits: &Limits,
    report: &mut Report,
) -> Result<(), Failure> {
    let (prompt, capacity) = (real.prompt(work.prompt_tokens), decoding::capacity(work));
    let mut exact = GpuDecoder::new(&Arc::new(open()?), &real.model, capacity)?;
    let rates = decoding::rates(&mut exact, (work, scale.rounds), &prompt)?;
    Name::new("smollm2", ".exact").tell(work, &rates, report);
    drop(exact);
    let mut fast = GpuDecoder::fast(&Arc::new(open()?), &real.model, capacity)?;
    let rates = decoding::rates(&mut fast, (work, scale.rounds), &prompt)?;
    let name = Name::new("smollm2", "");
    name.tell(work, &rates, report);
    name.compare((real.model.config(), work), &rates, limits, report);
    Ok(())
}

pub(crate) fn synthetic<D: Measured>(
    device: &Arc<D>,
    (work, scale): (&Work, &Scale),
    limits: &Limits,
    report: &mut Report,
) -> Result<(), Failure> {
    let vocabulary = scale.shape.vocabulary as u32;
    let prompt: Vec<u32> = (0..work.prompt_tokens as u32)
        .map(|at| at.wrapping_mul(0x9e37_79b9) % vocabulary)
        .collect();
    let capacity = decoding::capacity(work);
    let mut decoder = GpuDecoder::fast_of_noise(device, &scale.shape, capacity)?;
    let rates = decoding::rates(&mut decoder, (work, scale.rounds), &prompt)?;
    let name = Name::new("8b", "");
    name.tell(work, &rates, report);
    name.compare((&scale.shape, work), &rates, limits, report);
    Ok(())
}

impl Name {
    const fn new(model: &'static str, arithmetic: &'static str) -> Self {
        Self { model, arithmetic }
    }

    /// `decode_b8.8b`.
    fn of(&self, what: &str, work: &Work) -> String {
        format!("{what}_b{}.{}{}", work.batch, self.model, self.arithmetic)
    }

    fn tell(&self, work: &Work, rates: &Rates, report: &mut Report) {
        let (prompt, answer) = (work.prompt_tokens, work.answer_tokens);
        let unit = format!("tok/s, {} prompts of {prompt} tokens", work.batch);
        report.rate(&self.of("prefill", work), rates.prefill, &unit);
        let unit = format!(
            "tok/s, {answer} tokens behind each of {} prompts",
            work.batch
        );
        report.rate(&self.of("decode", work), rates.decode, &unit);
    }

    /// Beside what the device can do, and beside the peer.
    fn compare(
        &self,
        (config, work): (&ModelConfig, &Work),
        rates: &Rates,
        limits: &Limits,
        report: &mut Report,
    ) {
        let (prefill, decode) = (self.of("prefill", work), self.of("decode", work));
        let steps = rates.decode / work.batch as f64;
        let read = steps * shape::step_bytes(config, work);
        report.ratio(
            &format!("{decode}.vs_copy_limit"),
            read / limits.copies(report),
        );
        let prompts = rates.prefill / work.prompt_tokens as f64;
        let done = prompts * shape::prompt_operations(config, work);
        let part = done / limits.products(report);
        report.ratio(&format!("{prefill}.vs_matrix_limit"), part);
        report.beside(&decode, rates.decode);
        report.beside(&prefill, rates.prefill);
    }
}
