//! A call that got no answer, as the caller's HTTP tells it.

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There was no connection: nothing was sent.
    Connect(String),
    /// The connection broke before the answer's head, or while its body was read.
    Broken(String),
    /// No answer in time.
    TimedOut,
}
