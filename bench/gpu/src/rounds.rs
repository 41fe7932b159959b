//! How long what a device was told takes: by the clock, from an idle device to an idle device.

use std::time::Instant;

use gpu::{Device, DeviceError, Launch, Memory};

/// How often.
#[derive(Clone, Copy)]
pub struct Rounds {
    /// Rounds, after one that warms up.
    pub count: usize,
    /// How often in a round.
    pub times: usize,
}

impl Rounds {
    /// The seconds of each round, of which the first is not counted.
    pub fn each<E>(self, mut round: impl FnMut() -> Result<f64, E>) -> Result<Vec<f64>, E> {
        round()?;
        (0..self.count).map(|_| round()).collect()
    }

    /// Seconds of one run of `launches` in the fastest round; `place` is memory of the device.
    pub fn launches<D: Device>(
        self,
        device: &D,
        launches: &[Launch],
        place: Memory,
    ) -> Result<f64, DeviceError> {
        let recording = device.record(launches)?;
        let seconds = self.each(|| {
            wait(device, place)?;
            let start = Instant::now();
            for _ in 0..self.times {
                device.replay(&recording)?;
            }
            wait(device, place)?;
            Ok::<_, DeviceError>(start.elapsed().as_secs_f64())
        })?;
        Ok(least(&seconds) / self.times as f64)
    }
}

/// A copy back waits for all that was asked before.
fn wait<D: Device>(device: &D, place: Memory) -> Result<(), DeviceError> {
    device.download(place, &mut [0; 4])
}

pub(crate) fn least(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
