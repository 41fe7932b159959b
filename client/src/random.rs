//! Random bytes from the operating system's generator, through aws-lc.

use crate::ClientError;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], ClientError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ClientError::Random)?;
    Ok(bytes)
}
