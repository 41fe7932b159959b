//! The routes inside the seal.

use super::{ApiError, Asked, read_chat, read_response, read_text};
use policy::TenantRole;

const MODELS: &str = "/v1/models";
const RECEIPTS: &str = "/narthex/receipts/";
const RESPONSES: &str = "/v1/responses";

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// What makes tokens.
    Completion(Completion),
    /// `POST /v1/embeddings`.
    Embeddings,
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/{id}`.
    Model(String),
    /// `GET /narthex/receipts/{request-id}`; `None`: no request can have that id.
    Receipt(Option<[u8; 16]>),
}

/// The routes that make tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `POST /v1/completions`.
    Text,
    /// `POST /v1/responses`.
    Response,
}

impl Completion {
    /// Reads the body of a request.
    pub fn read(self, body: &[u8]) -> Result<Asked, ApiError> {
        match self {
            Self::Chat => read_chat(body),
            Self::Text => read_text(body),
            Self::Response => read_response(body),
        }
    }
}

impl Route {
    /// Every role that opens any route.
    pub const ALL_ROLES: [TenantRole; 3] =
        [TenantRole::Infer, TenantRole::Audit, TenantRole::Operate];

    /// The roles that open it to a tenant, each by itself.
    pub const fn roles(&self) -> &'static [TenantRole] {
        match self {
            Self::Completion(_) | Self::Embeddings => &[TenantRole::Infer],
            Self::Receipt(_) => &[TenantRole::Infer, TenantRole::Audit],
            Self::Models | Self::Model(_) => &Self::ALL_ROLES,
        }
    }

    /// Finds the route of a request; queries are no part of any.
    pub fn find(method: &str, path: &str) -> Result<Self, ApiError> {
        let (route, allowed) = match path {
            "/v1/chat/completions" => (Self::Completion(Completion::Chat), "POST"),
            "/v1/completions" => (Self::Completion(Completion::Text), "POST"),
            RESPONSES => (Self::Completion(Completion::Response), "POST"),
            "/v1/embeddings" => (Self::Embeddings, "POST"),
            MODELS => (Self::Models, "GET"),
            other if is_kept_elsewhere(method, other) => {
                return Err(ApiError::nothing_is_kept(404));
            }
            other => (Self::one(other)?, "GET"),
        };
        if method == allowed {
            Ok(route)
        } else {
            Err(ApiError::method_not_allowed())
        }
    }

    /// The routes whose last segment names something.
    fn one(path: &str) -> Result<Self, ApiError> {
        if let Some(id) = path.strip_prefix(RECEIPTS) {
            return Ok(Self::Receipt(request_id(id)));
        }
        path.strip_prefix(MODELS)
            .and_then(|rest| rest.strip_prefix('/'))
            .filter(|id| !id.is_empty() && !id.contains('/'))
            .map(|id| Self::Model(id.to_owned()))
            .ok_or_else(ApiError::unknown_route)
    }
}

/// Whether it asks for a response by its id, as who keeps them would have it.
fn is_kept_elsewhere(method: &str, path: &str) -> bool {
    let id = path
        .strip_prefix(RESPONSES)
        .and_then(|rest| rest.strip_prefix('/'));
    matches!(method, "GET" | "DELETE") && id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

/// 32 digits of lower-case hexadecimal.
fn request_id(text: &str) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    hex::decode_to_slice(text, &mut id).ok()?;
    (hex::encode(id) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_route() {
        let found = |method, path| Route::find(method, path).unwrap();
        assert_eq!(
            found("POST", "/v1/chat/completions"),
            Route::Completion(Completion::Chat)
        );
        assert_eq!(
            found("POST", "/v1/completions"),
            Route::Completion(Completion::Text)
        );
        assert_eq!(
            found("POST", "/v1/responses"),
            Route::Completion(Completion::Response)
        );
        assert_eq!(found("POST", "/v1/embeddings"), Route::Embeddings);
        assert_eq!(found("GET", "/v1/models"), Route::Models);
        assert_eq!(found("GET", "/v1/models/m"), Route::Model("m".to_owned()));
        let id = "0a".repeat(16);
        assert_eq!(
            found("GET", &format!("/narthex/receipts/{id}")),
            Route::Receipt(Some([10; 16]))
        );
    }

    #[test]
    fn what_is_no_request_id_names_no_receipt() {
        let digits = "0a".repeat(16);
        for id in [
            "",
            &digits[1..],
            &digits.to_uppercase(),
            &format!("{digits}00"),
            &format!("{digits}/"),
        ] {
            let found = Route::find("GET", &format!("/narthex/receipts/{id}"));
            assert_eq!(found, Ok(Route::Receipt(None)), "{id}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let code = |method, path| Route::find(method, path).unwrap_err().code;
        assert_eq!(code("GET", "/v1/chat/completions"), "method_not_allowed");
        assert_eq!(code("POST", "/v1/models"), "method_not_allowed");
        assert_eq!(code("POST", "/narthex/receipts/00"), "method_not_allowed");
        assert_eq!(code("GET", "/v1/embeddings"), "method_not_allowed");
        assert_eq!(code("GET", "/v1/responses"), "method_not_allowed");
        assert_eq!(code("GET", "/v1/responses/resp_1"), "nothing_is_kept");
        assert_eq!(code("DELETE", "/v1/responses/resp_1"), "nothing_is_kept");
        assert_eq!(code("POST", "/v1/responses/resp_1"), "unknown_url");
        for path in [
            "/v1/responses/",
            "/v1/responses/resp_1/input_items",
            "/",
            "/v1/models/",
            "/v1/models/a/b",
            "/v1/models?x=1",
        ] {
            assert_eq!(code("GET", path), "unknown_url", "{path}");
        }
    }
}
