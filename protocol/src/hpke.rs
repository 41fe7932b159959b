//! hpke (to be written).
