//! What the answer to one call means, as far as it is acted on.

use crate::{Failure, SessionError, call, call::Question, problem::Problem};

const SEALED_REQUEST: &str = "the sealed request";

/// Head of the answer whose body is being read.
pub(super) struct Answer {
    status: u16,
    media_type: Option<String>,
}

/// Why the relay gave no sealed answer, as far as it is acted on.
pub(super) enum NotRelayed {
    /// RFC 9458 section 5.3: the node does not know the key.
    KeyProblem,
    /// A refused connection, 503, or a node that the gateway does not reach: another may do. The word is not authenticated.
    Unavailable(String),
    /// The runtime refused the envelope as such: it may have restarted under the same key id.
    EnvelopeRefused,
    Refused(SessionError),
}

impl Answer {
    pub(super) const fn new(status: u16, media_type: Option<String>) -> Self {
        Self { status, media_type }
    }

    /// The body, if it is a 200 of the right media type and below the cap.
    pub(super) fn accepted(
        &self,
        question: Question,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, SessionError> {
        let what = question.what();
        match self.status {
            200 => {}
            401 | 403 => return Err(SessionError::Unauthorized(self.status)),
            503 => {
                let detail = Problem::parse(&body).detail();
                return Err(SessionError::Unavailable(format!(
                    "{what}: status 503{detail}"
                )));
            }
            status => {
                let detail = Problem::parse(&body).detail();
                return Err(SessionError::Status {
                    what,
                    status,
                    detail,
                });
            }
        }
        let is_right = self.media_type.as_deref() == Some(question.media_type());
        if !is_right || body.len() > question.max_bytes() {
            return Err(SessionError::Answer(what));
        }
        Ok(body)
    }

    /// What a relay's answer says that is no sealed stream.
    pub(super) fn refusal(&self, body: &[u8]) -> NotRelayed {
        let problem = Problem::parse(body);
        NotRelayed::Refused(match self.status {
            400 if problem.is_key_problem() => return NotRelayed::KeyProblem,
            400 if problem.is_envelope_refused() => return NotRelayed::EnvelopeRefused,
            503 => return NotRelayed::Unavailable(format!("status 503{}", problem.detail())),
            status if problem.is_node_absent() => {
                return NotRelayed::Unavailable(format!("status {status}{}", problem.detail()));
            }
            200 => SessionError::Answer(SEALED_REQUEST),
            400 => SessionError::EnvelopeRefused(400),
            401 | 403 => SessionError::Unauthorized(self.status),
            status => SessionError::Status {
                what: SEALED_REQUEST,
                status,
                detail: problem.detail(),
            },
        })
    }
}

pub(super) fn unanswered(failure: Failure) -> SessionError {
    match failure {
        Failure::Connect(why) | Failure::Broken(why) => SessionError::Unreachable(why),
        Failure::TimedOut => SessionError::TimedOut(call::ANSWER_TIMEOUT_S),
    }
}

pub(super) fn interrupted(failure: Failure) -> NotRelayed {
    match failure {
        Failure::Connect(why) => NotRelayed::Unavailable(why),
        Failure::Broken(why) => NotRelayed::Refused(SessionError::Interrupted(why)),
        Failure::TimedOut => NotRelayed::Refused(SessionError::TimedOut(call::STALL_TIMEOUT_S)),
    }
}

/// A media type without its parameters.
pub(super) fn media_type(content_type: &str) -> &str {
    content_type
        .split(';')
        .next()
        .unwrap_or(content_type)
        .trim()
}
