//! What the targets share: evidence cut out of one input, verified at a time when genuine evidence is valid.

pub mod nvidia;
pub mod policies;
pub mod seeds;
mod signed;
pub mod tdx;

pub use signed::{IDENTITY, payload, signed};

use attestation::{
    UnixTime,
    roots::SnpRoots,
    snp::{self, Evidence, SnpClaims, SnpError},
};

/// 2026-06-01T00:00:00Z, within the dates of the seeds.
const NOW: UnixTime = UnixTime(1_780_272_000);

/// Verifies under the vendor's roots.
pub fn verify(
    report: &[u8],
    vek: &[u8],
    chain: &[&[u8]],
    crls: &[&[u8]],
) -> Result<SnpClaims, SnpError> {
    let evidence = Evidence { report, vek, chain };
    snp::verify(&evidence, crls, &SnpRoots::vendor(), NOW)
}

/// One input as several: each part but the last after its length as a big-endian u16.
pub fn parts<const N: usize>(mut data: &[u8]) -> Option<[&[u8]; N]> {
    let mut parts = [&[][..]; N];
    for part in parts.iter_mut().take(N - 1) {
        let (length, rest) = data.split_first_chunk::<2>()?;
        (*part, data) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    }
    parts[N - 1] = data;
    Some(parts)
}

/// The inverse of [`parts`].
pub fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let (last, first) = parts.split_last().expect("at least one part");
    let mut data = Vec::new();
    for part in first {
        data.extend((part.len() as u16).to_be_bytes());
        data.extend_from_slice(part);
    }
    data.extend_from_slice(last);
    data
}
