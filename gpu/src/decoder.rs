//! The forward pass on a device, behind the engine's scheduler.

use std::{slice::ChunksExact, sync::Arc};

use engine::{
    decoder::{DecoderError, KvPool, MAX_STEP_TOKENS, PAGE_TOKENS, Pages, Part, Row, check_parts},
    local::{Capacity, Forward},
    model::{Model, ModelConfig},
    sampler::Plain,
};
use zeroize::Zeroize;

use crate::{
    Device, DeviceError, DevicePages,
    arena::Arena,
    buffers::{Buffers, Sizes, logit_columns},
    fast::{self, FastMatrix},
    input::Input,
    layout::Layout,
    operations::{DeviceMatrix, activation_bytes},
    plan::{Plan, StepShape},
    steps::{Steps, shapes_in_order, shapes_with_singles},
    weights::DeviceWeights,
};

/// A model on a device. All memory is taken, and all steps are recorded, when it is made; a step is one copy to the device, one
/// launch and one copy back: of the tokens that were chosen there, or of logits where somebody else has to choose. Wiped when
/// dropped, on the device too.
pub struct GpuDecoder<D: Device> {
    // Dropped in this order: recordings, then what they use.
    steps: Steps<D>,
    pool: KvPool<DevicePages<D>>,
    buffers: Buffers,
    arena: Arena<D>,
    config: ModelConfig,
    context_tokens: usize,
    layout: Layout,
    read_back: Vec<u8>,
    logits: Vec<f32>,
    /// As the last step gave them.
    chosen: Vec<u32>,
    failure: Option<DeviceError>,
}

impl<D: Device> GpuDecoder<D> {
    /// A decoder in the exact arithmetic: the same logits, bit for bit, as [`engine::decoder::Decoder`]'s.
    pub fn new(device: &Arc<D>, model: &Model, capacity: Capacity) -> Result<Self, DeviceError> {
        let mut arena = Arena::new(device);
        let weights = DeviceWeights::upload(&mut arena, model, capacity.context_tokens)?;
        Self::exact_with(arena, &weights, model.config(), capacity)
    }

    /// The same with weights that are there.
    pub(crate) fn exact_with(
        mut arena: Arena<D>,
        weights: &DeviceWeights<DeviceMatrix>,
        config: &ModelConfig,
        capacity: Capacity,
    ) -> Result<Self, DeviceError> {
        let pages = DevicePages::new(&mut arena, config, capacity.pages, size_of::<f32>())?;
        let most_wanted = sequences(capacity).next_power_of_two();
        let sizes = Sizes {
            activation_bytes,
            head_value_bytes: size_of::<f32>(),
            rows: MAX_STEP_TOKENS,
            wanted: most_wanted,
        };
        let buffers = buffers(&mut arena, config, capacity, sizes)?;
        let launches = |shape| {
            let plan = Plan {
                config,
                weights,
                buffers: &buffers,
                caches: pages.layers(),
                shape,
            };
            plan.launches()
        };
        let steps = Steps::record(&**arena.device(), shapes_in_order(most_wanted), launches)?;
        let parts = (steps, pages, buffers, arena);
        Ok(Self::of(parts, *config, capacity, Layout::InOrder))
    }

    /// A decoder in the fast arithmetic: bf16 weights, keys and values, other bits than a CPU's.
    ///
    /// A step's company changes no bit, nor does where a prompt is cut into pieces of several tokens. Single tokens, as all answers'
    /// are, are summed in another order than several. The bits are those of one architecture and of one choice of operations,
    /// which `capacity.sequences` makes.
    pub fn fast(device: &Arc<D>, model: &Model, capacity: Capacity) -> Result<Self, DeviceError> {
        fast::check(model.config())?;
        let mut arena = Arena::new(device);
        let weights = DeviceWeights::upload(&mut arena, model, capacity.context_tokens)?;
        Self::fast_with(arena, &weights, model.config(), capacity)
    }

    /// A decoder in the fast arithmetic whose weights are noise, made in pieces: for measurements, where no model is at hand.
    pub fn fast_of_noise(
        device: &Arc<D>,
        config: &ModelConfig,
        capacity: Capacity,
    ) -> Result<Self, DeviceError> {
        fast::check(config)?;
        let mut arena = Arena::new(device);
        let weights = fast::noise_weights(&mut arena, config, capacity.context_tokens)?;
        Self::fast_with(arena, &weights, config, capacity)
    }

    fn fast_with(
        mut arena: Arena<D>,
        weights: &DeviceWeights<FastMatrix>,
        config: &ModelConfig,
        capacity: Capacity,
    ) -> Result<Self, DeviceError> {
        let most_wanted = sequences(capacity).next_power_of_two();
        let pages = DevicePages::new(&mut arena, config, capacity.pages, fast::VALUE_BYTES)?;
        let sizes = Sizes {
            activation_bytes: |columns| fast::VALUE_BYTES * columns,
            head_value_bytes: fast::VALUE_BYTES,
            rows: most_wanted + MAX_STEP_TOKENS,
            wanted: most_wanted,
        };
        let buffers = buffers(&mut arena, config, capacity, sizes)?;
        let singles = [most_wanted, config.heads, config.head_width];
        let parts = fast::Parts::new(&mut arena, singles, capacity.context_tokens)?;
        let launches = |shape| {
            let plan = fast::FastPlan {
                config,
                weights,
                buffers: &buffers,
                parts: &parts,
                caches: pages.layers(),
                shape,
            };
            Some(plan.launches())
        };
        let steps = Steps::record(
            &**arena.device(),
            shapes_with_singles(most_wanted),
            launches,
        )?;
        let parts = (steps, pages, buffers, arena);
        Ok(Self::of(parts, *config, capacity, Layout::SinglesFirst(0)))
    }

    fn of(
        (steps, pages, buffers, arena): (Steps<D>, DevicePages<D>, Buffers, Arena<D>),
        config: ModelConfig,
        capacity: Capacity,
        layout: Layout,
    ) -> Self {
        let most_wanted = sequences(capacity).next_power_of_two();
        Self {
            steps,
            pool: KvPool::with_memory(pages, capacity.pages),
            context_tokens: capacity.context_tokens,
            layout,
            read_back: vec![0; 4 * most_wanted * logit_columns(&config)],
            logits: vec![0.0; most_wanted * config.vocabulary],
            chosen: vec![0; most_wanted],
            buffers,
            arena,
            config,
            failure: None,
        }
    }

    /// The pages of all sequences.
    pub fn pages(&mut self) -> &mut KvPool<DevicePages<D>> {
        &mut self.pool
    }

    /// Most tokens of a sequence.
    pub fn context_tokens(&self) -> usize {
        self.context_tokens
    }

    /// Most sequences of a step.
    pub(crate) fn most_sequences(&self) -> usize {
        self.buffers.input.sequences()
    }

    fn check(&self, parts: &[Part<'_>]) -> Result<(), DecoderError> {
        if self.failure.is_some() {
            return Err(DecoderError::Device);
        }
        check_parts(&self.config, parts)?;
        let capacity_tokens = self.context_tokens;
        let fits = |part: &Part<'_>| part.table.len() + part.tokens.len() <= capacity_tokens;
        match parts.iter().all(fits) {
            true if parts.len() <= self.buffers.input.sequences() => Ok(()),
            true => Err(DecoderError::TooManyTokens),
            false => Err(DecoderError::CacheFull { capacity_tokens }),
        }
    }

    /// Appends to each sequence its tokens; gives how many rows want something.
    fn advance(
        &mut self,
        parts: &mut [Part<'_>],
        choices: &[Option<Plain>],
    ) -> Result<usize, DecoderError> {
        self.check(parts)?;
        let wanted = self.pass(parts, choices).map_err(|failure| {
            self.failure = Some(failure);
            DecoderError::Device
        })?;
        for part in parts {
            part.table.extend(part.tokens.len());
        }
        Ok(wanted)
    }

    /// Sends tokens through the model.
    fn pass(
        &mut self,
        parts: &[Part<'_>],
        choices: &[Option<Plain>],
    ) -> Result<usize, DeviceError> {
        let step = self.shape(parts);
        let (device, wanted) = (self.arena.device(), step.wanted);
        let (shape, recording) = self.steps.find(step).ok_or(DeviceError::Graph(0))?;
        let layout = match self.layout {
            Layout::InOrder => Layout::InOrder,
            Layout::SinglesFirst(_) => Layout::SinglesFirst(shape.singles),
        };
        let input = &self.buffers.input;
        input.upload(&**device, layout, parts, choices)?;
        device.replay(recording)?;
        let (shape, plain) = (*shape, choices.iter().flatten().count());
        if plain > 0 || wanted == 0 {
            self.read_chosen(shape)?;
        }
        if plain < wanted {
            self.read_logits(shape, wanted)?;
        }
        Ok(wanted)
    }

    /// How large a step is.
    fn shape(&self, parts: &[Part<'_>]) -> StepShape {
        let tokens: usize = parts.iter().map(|part| part.tokens.len()).sum();
        let singles = parts.iter().filter(|part| self.layout.is_single(part));
        let singles = singles.count();
        StepShape {
            singles,
            rows: tokens - singles,
            wanted: parts.iter().filter(|part| part.wants_logits).count(),
        }
    }

    /// Also where nothing is wanted: what went wrong on the device is told by the copy that waits for it.
    fn read_chosen(&mut self, shape: StepShape) -> Result<(), DeviceError> {
        let bytes = self.read_back.split_at_mut(4 * shape.wanted).0;
        self.arena.device().download(self.buffers.chosen, bytes)?;
        let ids = bytes.as_chunks::<4>().0.iter();
        let ids = ids.map(|bytes| u32::from_le_bytes(*bytes));
        self.chosen
            .iter_mut()
            .zip(ids)
            .for_each(|(out, id)| *out = id);
        Ok(())
    }

    fn read_logits(&mut self, shape: StepShape, wanted: usize) -> Result<(), DeviceError> {
        let columns = logit_columns(&self.config);
        let bytes = self.read_back.split_at_mut(4 * shape.wanted * columns).0;
        self.arena.device().download(self.buffers.logits, bytes)?;
        let rows = bytes.as_chunks::<4>().0.chunks_exact(columns).take(wanted);
        let out = self.logits.chunks_exact_mut(self.config.vocabulary);
        for (out, row) in out.zip(rows) {
            let values = row.iter().map(|bytes| f32::from_le_bytes(*bytes));
            out.iter_mut()
                .zip(values)
                .for_each(|(out, value)| *out = value);
        }
        Ok(())
    }

    /// A token of the vocabulary, if one was chosen.
    fn token(&self, id: u32) -> Option<u32> {
        ((id as usize) < self.config.vocabulary).then_some(id)
    }
}

/// Most sequences of a step.
fn sequences(capacity: Capacity) -> usize {
    capacity.sequences.min(MAX_STEP_TOKENS)
}

fn buffers<D: Device>(
    arena: &mut Arena<D>,
    config: &ModelConfig,
    capacity: Capacity,
    sizes: Sizes,
) -> Result<Buffers, DeviceError> {
    let pages_per_sequence = capacity.context_tokens.div_ceil(PAGE_TOKENS);
    let input = Input::new(arena, sizes.rows, sequences(capacity), pages_per_sequence)?;
    Buffers::new(arena, config, input, sizes)
}

impl<D: Device> Forward for GpuDecoder<D> {
    fn pool(&mut self) -> &mut Pages {
        &mut self.pool
    }

    fn step(&mut self, parts: &mut [Part<'_>]) -> Result<ChunksExact<'_, f32>, DecoderError> {
        let wanted = self.advance(parts, &[])?;
        let logits = self.logits.split_at(wanted * self.config.vocabulary).0;
        Ok(logits.chunks_exact(self.config.vocabulary))
    }

    fn choose(
        &mut self,
        parts: &mut [Part<'_>],
        choices: &[Option<Plain>],
    ) -> Result<Vec<Row<'_>>, DecoderError> {
        self.advance(parts, choices)?;
        let logits = self.logits.chunks_exact(self.config.vocabulary);
        let rows = choices.iter().zip(&self.chosen).zip(logits);
        let row = |((choice, id), logits): ((&Option<Plain>, &u32), _)| match choice {
            Some(_) => Row::Token(self.token(*id)),
            None => Row::Logits(logits),
        };
        Ok(rows.map(row).collect())
    }

    fn failure(&self) -> Option<&'static str> {
        self.failure.as_ref().map(DeviceError::code)
    }
}

impl<D: Device> Drop for GpuDecoder<D> {
    fn drop(&mut self) {
        self.read_back.zeroize();
        self.logits.zeroize();
        self.chosen.zeroize();
    }
}
