//! chunk (to be written).
