//! The attestation result, and its export as EAR (draft-ietf-rats-ear).
