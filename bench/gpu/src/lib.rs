//! What a device can do and what of it the decoder uses: rates of tokens beside those of copies and products on the same device. The same code
//! runs in this package's tests on an emulated device with tiny shapes; what it says there is marked as no measurement.

mod ciphers;
pub mod cuda;
mod decoding;
mod failure;
mod limits;
mod models;
mod parity;
mod report;
mod rounds;
mod scale;
mod shape;

pub use failure::Failure;
pub use limits::Copies;
pub use models::RealModel;
pub use report::{Peer, Report, Standing};
pub use rounds::Rounds;
pub use scale::{Scale, Work};

use gpu::{Device, DeviceError};

/// A device that is measured, opened anew for each part: what a part took of its memory is given back.
pub trait Measured: Device + Copies {}

impl<D: Device + Copies> Measured for D {}

/// Measures everything, tells the report.
pub fn measure<D: Measured>(
    open: impl Fn() -> Result<D, DeviceError>,
    model: &RealModel,
    scale: &Scale,
    report: &mut Report,
) -> Result<(), Failure> {
    let limits = limits::measure(&open()?, scale)?;
    limits.tell(report);
    ciphers::measure(&open()?, scale, report)?;
    parity::check(&open()?.into(), model, scale, report)?;
    for work in &scale.real {
        models::real(&open, model, (work, scale), &limits, report)?;
    }
    for work in &scale.synthetic {
        models::synthetic(&open()?.into(), (work, scale), &limits, report)?;
    }
    Ok(())
}
