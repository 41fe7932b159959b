//! decoder (to be written).
