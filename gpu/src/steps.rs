//! All steps that there can be, recorded at the start: each is one launch later.

use engine::decoder::MAX_STEP_TOKENS;

use crate::{Device, DeviceError, Launch, plan::StepShape};

/// A recording for each shape, smaller ones first.
pub(crate) struct Steps<D: Device> {
    recordings: Vec<(StepShape, D::Recording)>,
}

impl<D: Device> Steps<D> {
    /// Records all shapes, smaller ones first.
    pub(crate) fn record(
        device: &D,
        shapes: impl Iterator<Item = StepShape>,
        launches: impl Fn(StepShape) -> Option<Vec<Launch>>,
    ) -> Result<Self, DeviceError> {
        let record = |shape| {
            let launches = launches(shape).ok_or(DeviceError::Plan)?;
            Ok((shape, device.record(&launches)?))
        };
        let recordings = shapes.map(record);
        Ok(Self {
            recordings: recordings.collect::<Result<_, DeviceError>>()?,
        })
    }

    /// The smallest shape that has room, and its recording.
    pub(crate) fn find(&self, step: StepShape) -> Option<&(StepShape, D::Recording)> {
        let mut all = self.recordings.iter();
        all.find(|(shape, _)| shape.holds(step))
    }
}

/// Rows in the order of the parts: powers of two of them; for each no logits, and powers of two of them.
pub(crate) fn shapes_in_order(most_wanted: usize) -> impl Iterator<Item = StepShape> {
    powers(MAX_STEP_TOKENS).flat_map(move |rows| {
        let wanted = powers(most_wanted.min(rows));
        let wanted = [0].into_iter().chain(wanted);
        wanted.map(move |wanted| StepShape {
            singles: 0,
            rows,
            wanted,
        })
    })
}

/// How many rows that are no single tokens there are.
const OTHER_ROWS: [usize; 4] = [0, 16, 64, MAX_STEP_TOKENS];

/// Single tokens and others: powers of two of the former; with them as many logits, or more where there are others.
pub(crate) fn shapes_with_singles(most_wanted: usize) -> impl Iterator<Item = StepShape> {
    OTHER_ROWS.into_iter().flat_map(move |rows| {
        let singles = [0].into_iter().chain(powers(most_wanted));
        singles.flat_map(move |singles| {
            let wanted = [0].into_iter().chain(powers(most_wanted));
            let wanted = wanted.filter(move |wanted| match (singles, rows) {
                (0, 0) => false,
                (_, 0) => *wanted == singles,
                _ => *wanted >= singles,
            });
            wanted.map(move |wanted| StepShape {
                singles,
                rows,
                wanted,
            })
        })
    })
}

/// Powers of two up to the first that is not below `most`.
fn powers(most: usize) -> impl Iterator<Item = usize> {
    let last = most.next_power_of_two();
    std::iter::successors(Some(1), |power| Some(2 * power)).take_while(move |power| *power <= last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    /// Of which nothing but recordings is asked.
    struct Recorder;

    impl Device for Recorder {
        type Recording = usize;

        fn architecture(&self) -> &'static str {
            "none"
        }

        fn allocate(&self, _: usize) -> Result<Memory, DeviceError> {
            unreachable!()
        }

        fn upload(&self, _: Memory, _: &[u8]) -> Result<(), DeviceError> {
            unreachable!()
        }

        fn download(&self, _: Memory, _: &mut [u8]) -> Result<(), DeviceError> {
            unreachable!()
        }

        fn clear(&self, _: Memory) -> Result<(), DeviceError> {
            unreachable!()
        }

        fn launch(&self, _: &Launch) -> Result<(), DeviceError> {
            unreachable!()
        }

        fn record(&self, launches: &[Launch]) -> Result<usize, DeviceError> {
            Ok(launches.len())
        }

        fn replay(&self, _: &usize) -> Result<(), DeviceError> {
            unreachable!()
        }
    }

    #[test]
    fn a_shape_without_a_plan_is_refused() {
        let planned = |most: usize| {
            let launches = move |shape: StepShape| (shape.rows <= most).then(Vec::new);
            Steps::record(&Recorder, shapes_in_order(8), launches)
        };
        assert!(planned(MAX_STEP_TOKENS).is_ok());
        assert_eq!(planned(64).err(), Some(DeviceError::Plan));
    }

    #[test]
    fn every_step_has_a_shape_and_none_more_than_twice_its_size() {
        for most_wanted in [1, 3, 8, 256] {
            for rows in 1..=MAX_STEP_TOKENS {
                for wanted in 0..=most_wanted.min(rows) {
                    let step = StepShape {
                        singles: 0,
                        rows,
                        wanted,
                    };
                    let mut fitting =
                        shapes_in_order(most_wanted).filter(|shape| shape.holds(step));
                    let shape = fitting.next().unwrap();
                    assert!(shape.rows < 2 * rows && shape.wanted <= 2 * wanted);
                }
            }
        }
    }

    #[test]
    fn every_step_with_single_tokens_has_a_shape() {
        for (most, rows) in [1, 3, 8, 33].into_iter().zip([255, 0, 17, 64]) {
            let most_wanted = usize::next_power_of_two(most);
            for singles in usize::from(rows == 0)..=most {
                for wanted in 0..=most.min(singles + rows) {
                    let step = StepShape {
                        singles,
                        rows,
                        wanted,
                    };
                    let mut fitting =
                        shapes_with_singles(most_wanted).filter(|shape| shape.holds(step));
                    let shape = fitting.next().unwrap();
                    assert!(shape.singles <= 2 * singles && shape.rows <= 4 * rows + 16);
                }
            }
        }
    }
}
