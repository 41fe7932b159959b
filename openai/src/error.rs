//! Errors in OpenAI's shape. They quote the client's own names and numbers, so they travel inside the seal only: no Display, and Debug
//! shows the code alone.

use serde_json::{Value, json};
use std::fmt;

/// Code of the one error that passes by itself.
const BUSY: &str = "engine_busy";

/// One error of the inner API.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status inside the seal.
    pub status: u16,
    /// Stable code.
    pub code: &'static str,
    kind: &'static str,
    param: Option<String>,
    message: String,
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl ApiError {
    fn client(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            kind: "invalid_request_error",
            param: None,
            message: message.into(),
        }
    }

    fn server(status: u16, code: &'static str, message: &'static str) -> Self {
        Self {
            kind: "server_error",
            ..Self::client(status, code, message)
        }
    }

    /// The same about parameter `param`.
    pub fn about(self, param: impl Into<String>) -> Self {
        Self {
            param: Some(param.into()),
            ..self
        }
    }

    /// The body is not one JSON object.
    pub fn invalid_json(line: usize, column: usize) -> Self {
        let message = format!("The body is not one JSON object (line {line}, column {column}).");
        Self::client(400, "invalid_json", message)
    }

    /// A required parameter is absent.
    pub fn missing(param: &'static str) -> Self {
        let message = format!("Missing required parameter: '{param}'.");
        Self::client(400, "missing_required_parameter", message).about(param)
    }

    /// A parameter stands there twice.
    pub fn doubled(param: &str) -> Self {
        let message = format!("The parameter '{param}' is given twice.");
        Self::client(400, "doubled_parameter", message).about(param)
    }

    /// A parameter has a value of another type or outside its range.
    pub fn invalid(param: impl Into<String>, expected: &str) -> Self {
        let param = param.into();
        let message = format!("Invalid value for '{param}': expected {expected}.");
        Self::client(400, "invalid_value", message).about(param)
    }

    /// A parameter, or this value of it, that would change the answer and is not implemented, or is unknown.
    pub fn unsupported(param: impl Into<String>) -> Self {
        let param = param.into();
        let message =
            format!("Unsupported parameter: '{param}' is not supported here with this value.");
        Self::client(400, "unsupported_parameter", message).about(param)
    }

    /// No such model.
    pub fn model_not_found(name: &str) -> Self {
        let message =
            format!("The model '{name}' does not exist here. GET /v1/models lists what does.");
        Self::client(404, "model_not_found", message).about("model")
    }

    /// Prompt and answer exceed the context.
    pub fn context_length_exceeded(prompt: usize, answer: usize, context: usize) -> Self {
        let message = format!(
            "This model's context holds {context} tokens; the request needs {} ({prompt} in the prompt, {answer} for the answer).",
            prompt.saturating_add(answer)
        );
        Self::client(400, "context_length_exceeded", message)
    }

    /// The prompt alone exceeds the context.
    pub fn prompt_too_long(context: usize) -> Self {
        let message =
            format!("This model's context holds {context} tokens; the prompt alone has more.");
        Self::client(400, "context_length_exceeded", message)
    }

    /// The chat template refused the messages.
    pub fn template(reason: &str) -> Self {
        let message = format!("The model's chat template refused the messages: {reason}");
        Self::client(400, "invalid_messages", message)
    }

    /// Nothing to continue.
    pub fn empty_prompt(param: &'static str) -> Self {
        Self::client(400, "empty_prompt", "The prompt is empty.").about(param)
    }

    /// Token ids that are none of the model's.
    pub fn unknown_token() -> Self {
        let message = "The prompt has a token that is not in this model's vocabulary.";
        Self::client(400, "invalid_value", message)
    }

    /// A sampling parameter or a stop string that the engine does not take; `why` quotes nothing.
    pub fn impossible(why: &str) -> Self {
        let message = format!("Invalid value: {why}.");
        Self::client(400, "invalid_value", message)
    }

    /// A schema that the engine cannot follow; `why` quotes nothing.
    pub fn invalid_schema(why: &str) -> Self {
        let message = format!("The schema cannot be followed: {why}.");
        Self::client(400, "invalid_schema", message)
    }

    /// The model is of another kind.
    pub fn unsupported_by_model(what: &str) -> Self {
        let message = format!("This model does not do this: {what}.");
        Self::client(400, "unsupported_by_model", message)
    }

    /// The engine cannot do it, and did not say why.
    pub fn engine_refused() -> Self {
        let message = "The engine that serves this model cannot do what is asked.";
        Self::client(400, "engine_refused", message)
    }

    /// Something is asked for that only who keeps answers has.
    pub fn nothing_is_kept(status: u16) -> Self {
        let message = "Answers are not kept: send what was said before in 'input'.";
        Self::client(status, "nothing_is_kept", message)
    }

    /// No such route.
    pub fn unknown_route() -> Self {
        Self::client(
            404,
            "unknown_url",
            "There is no such route inside the seal.",
        )
    }

    /// No receipt is kept of this request, or not for this tenant.
    pub fn receipt_not_found() -> Self {
        Self::client(
            404,
            "receipt_not_found",
            "No receipt of this request is kept here: they are kept for an hour, the newest ones only.",
        )
    }

    /// The route exists for another method.
    pub fn method_not_allowed() -> Self {
        Self::client(
            405,
            "method_not_allowed",
            "The route does not know this method.",
        )
    }

    /// The body is not JSON by its own word.
    pub fn media_type() -> Self {
        Self::client(
            415,
            "unsupported_media_type",
            "The body must be application/json.",
        )
    }

    /// The sealed headers are not meant for this runtime as it is now: one coarse answer for all of them.
    pub fn misdirected() -> Self {
        let message = "The request was sealed for another node, policy, attestation, place or time: challenge the node again, \
                       then seal again.";
        Self::client(421, "sealed_header_mismatch", message)
    }

    /// An order stops the tenant that signed.
    pub fn tenant_stopped() -> Self {
        let message = "An order stops this tenant: nothing is served to it.";
        Self::client(403, "tenant_stopped", message)
    }

    /// An order stops this runtime.
    pub fn stopped() -> Self {
        let message = "An order has stopped this node; the answer is not complete.";
        Self::server(503, "stopped", message)
    }

    /// The lease of the policy in force has ended.
    pub fn lease_ended() -> Self {
        let message = "The lease of this node's policy has ended; the answer is not complete.";
        Self::server(503, "lease_ended", message)
    }

    /// No room for another job.
    pub fn busy() -> Self {
        Self::server(
            503,
            BUSY,
            "All slots of the engine are taken. Try again in a moment.",
        )
    }

    /// The engine broke off.
    pub fn engine_failed() -> Self {
        Self::server(
            500,
            "engine_failed",
            "The engine failed; the answer is not complete.",
        )
    }

    /// The time for one answer is over.
    pub fn timed_out() -> Self {
        Self::server(
            504,
            "timeout",
            "The answer took longer than this runtime allows; it is not complete.",
        )
    }

    /// Whether the client should come back soon.
    pub fn is_temporary(&self) -> bool {
        self.code == BUSY
    }

    /// OpenAI's JSON.
    pub fn to_json(&self) -> Vec<u8> {
        self.to_value().to_string().into_bytes()
    }

    /// What a human reads.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn to_value(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }
}
