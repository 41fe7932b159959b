//! The measuring code on the emulated device: that it runs to its end, and that nothing it says passes for a measurement.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "a test, which uses a part of what other tests share"
)]

#[path = "../../../kernels/tests/cuda_cpu/mod.rs"]
mod cuda_cpu;
#[path = "../../../gpu/tests/emulated/device.rs"]
mod device;
#[path = "../../../engine/tests/gguf_file/mod.rs"]
mod gguf_file;

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Instant};

use bench_gpu::{Copies, Peer, RealModel, Report, Scale, Standing, measure};
use device::Emulated;
use engine::{gguf::Gguf, model::Model};
use gpu::{Device, DeviceError};

const PEER: &str = "matrix 1e12\ncopy_limit 1e9\ndecode_b1.8b 2.0\nprefill_b9.8b 3.0\n";

impl Copies for Emulated {
    fn copies(&self, bytes: usize, scale: &Scale) -> Result<Vec<f64>, DeviceError> {
        let (from, to) = (self.allocate(bytes)?, self.allocate(bytes)?);
        let mut text = vec![0; bytes];
        scale.rounds.each(|| {
            let start = Instant::now();
            self.download(from, &mut text)?;
            self.upload(to, &text)?;
            Ok(start.elapsed().as_secs_f64())
        })
    }
}

fn model() -> RealModel {
    let bytes = gguf_file::llama(1).bytes();
    let model = Model::take(&mut Gguf::from_bytes(bytes).unwrap()).unwrap();
    RealModel {
        prompt: (0..model.config().vocabulary as u32).collect(),
        model: Arc::new(model),
    }
}

#[test]
fn everything_runs_to_its_end_and_says_that_it_measured_nothing() {
    let lines = Rc::new(RefCell::new(Vec::<String>::new()));
    let sink = Rc::clone(&lines);
    let push = move |line| sink.borrow_mut().push(line);
    let mut report = Report::new(Standing::Dry, Peer::parse(PEER), push);
    let open = || Ok(Emulated::default());
    let done = measure(open, &model(), &Scale::tiny(), &mut report);
    assert!(done.is_ok(), "{}", done.unwrap_err().text());
    let lines = lines.take();
    for line in &lines {
        assert!(line.starts_with("dry run, no measurement: "), "{line}");
    }
    for name in [
        "gpu.copy_limit ",
        "gpu.matrix ",
        "gpu.matrix.pytorch ",
        "ratio gpu.matrix.vs_pytorch ",
        "gpu.decrypt.aes256_ctr ",
        "gpu.decrypt.chacha20 ",
        "gpu.parity: 3 tokens",
        "gpu.prefill_b1.smollm2.exact ",
        "gpu.decode_b2.smollm2.exact ",
        "gpu.decode_b1.smollm2 ",
        "ratio gpu.decode_b1.8b.vs_copy_limit ",
        "ratio gpu.prefill_b9.8b.vs_matrix_limit ",
        "ratio gpu.decode_b1.8b.vs_pytorch ",
        "ratio gpu.prefill_b9.8b.vs_pytorch ",
    ] {
        let count = lines.iter().filter(|line| line.contains(name)).count();
        assert_eq!(count, 1, "{name} in {lines:#?}");
    }
}
