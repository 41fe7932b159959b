//! The entry `devices`: an array of `[report, [certificate ..]]`.

use super::MAX_BUNDLE_BYTES;
use crate::{DeviceEvidence, cbor};
use ciborium::Value;

/// Most devices of a node: eight GPUs, four switches, and room.
const MAX_DEVICES: usize = 32;
/// Most certificates of a device; real ones have five.
const MAX_CERTIFICATES: usize = 8;

/// None, too many, an empty report and an empty chain are refused.
pub(super) fn from_cbor(bytes: &[u8]) -> Option<Vec<DeviceEvidence>> {
    let devices = cbor::decode(bytes, MAX_BUNDLE_BYTES)?.into_array().ok()?;
    if devices.is_empty() || devices.len() > MAX_DEVICES {
        return None;
    }
    devices.into_iter().map(device).collect()
}

fn device(value: Value) -> Option<DeviceEvidence> {
    let [report, chain] = <[Value; 2]>::try_from(value.into_array().ok()?).ok()?;
    let report = report.into_bytes().ok()?;
    let chain = chain.into_array().ok()?;
    if report.is_empty() || chain.is_empty() || chain.len() > MAX_CERTIFICATES {
        return None;
    }
    let chain = chain.into_iter().map(|der| der.into_bytes().ok());
    Some(DeviceEvidence {
        report,
        chain: chain.collect::<Option<_>>()?,
    })
}

pub(super) fn to_cbor(devices: &[DeviceEvidence]) -> Vec<u8> {
    let one = |device: &DeviceEvidence| {
        let chain = device.chain.iter().map(|der| Value::from(der.as_slice()));
        let report = Value::from(device.report.as_slice());
        Value::Array(vec![report, Value::Array(chain.collect())])
    };
    cbor::encode(&Value::Array(devices.iter().map(one).collect()))
}
