//! AMD's root and intermediate certificates, pinned; each with its source and SHA-256 in `roots/README.md`.
