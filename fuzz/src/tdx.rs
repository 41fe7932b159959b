//! An invented Intel out of the conformance suite: evidence that passes, to be changed.

use attestation::{
    UnixTime, danger,
    roots::TdxRoots,
    tdx::{Collateral, Evidence},
};

/// A quote of TD 1.5 with its PCK chain.
pub const QUOTE: &[u8] = include_bytes!("../../attestation/testdata/tdx/shared/quote.bin");
/// A quote whose PCK chain the collateral brings.
pub const QUOTE_WITHOUT_CHAIN: &[u8] =
    include_bytes!("../../attestation/testdata/tdx/005-pck-chain-in-the-collateral/quote.bin");
/// Collateral for both, as JSON.
pub const COLLATERAL: &[u8] = include_bytes!(
    "../../attestation/testdata/tdx/005-pck-chain-in-the-collateral/collateral.json"
);
const ROOT: &[u8] = include_bytes!("../../attestation/testdata/tdx/roots/root.der");
/// 2026-06-01T00:00:00Z, when the suite is judged.
pub const NOW: UnixTime = UnixTime(1_780_272_000);

/// The collateral, parsed.
pub fn collateral() -> Collateral {
    Collateral::from_json(COLLATERAL).expect("the suite's collateral is well-formed")
}

/// The suite's root.
pub fn roots() -> TdxRoots {
    danger::tdx_roots(ROOT)
}

/// A quote alone.
pub fn evidence(quote: &[u8]) -> Evidence<'_> {
    Evidence {
        quote,
        event_log: None,
    }
}
