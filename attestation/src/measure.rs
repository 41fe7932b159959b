//! Launch measurements computed from the artefacts that a guest was started from.
