//! Intel TDX: quotes v4 and v5, judged against Intel's collateral at a time that the caller gives.

mod collateral;

pub use collateral::Collateral;
