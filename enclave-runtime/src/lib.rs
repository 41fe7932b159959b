//! enclave-runtime.
