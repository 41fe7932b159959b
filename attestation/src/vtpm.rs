//! Azure confidential VMs: the HCL report, the variable data that it binds, and the TPM quote that carries the nonce.
