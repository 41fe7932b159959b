//! Tensor operations, one folder per operation: contract, scalar reference, AVX-512 launcher, parity test side by side.
