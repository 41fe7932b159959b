//! The routes inside the seal.

use super::{ApiError, Shape};
use crate::receipts::RequestId;
use policy::TenantRole;

const MODELS: &str = "/v1/models";
const RECEIPTS: &str = "/narthex/receipts/";

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /v1/chat/completions` or `POST /v1/completions`.
    Completion(Shape),
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/{id}`.
    Model(String),
    /// `GET /narthex/receipts/{request-id}`; `None`: no request can have that id.
    Receipt(Option<RequestId>),
}

impl Route {
    /// Every role that opens any route.
    pub(crate) const ALL_ROLES: [TenantRole; 3] =
        [TenantRole::Infer, TenantRole::Audit, TenantRole::Operate];

    /// The roles that open it to a tenant, each by itself.
    pub(crate) const fn roles(&self) -> &'static [TenantRole] {
        match self {
            Self::Completion(_) => &[TenantRole::Infer],
            Self::Receipt(_) => &[TenantRole::Infer, TenantRole::Audit],
            Self::Models | Self::Model(_) => &Self::ALL_ROLES,
        }
    }

    /// Finds the route of a request; queries are no part of any.
    pub(crate) fn find(method: &str, path: &str) -> Result<Self, ApiError> {
        let (route, allowed) = match path {
            "/v1/chat/completions" => (Self::Completion(Shape::Chat), "POST"),
            "/v1/completions" => (Self::Completion(Shape::Text), "POST"),
            MODELS => (Self::Models, "GET"),
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

/// 32 digits of lower-case hexadecimal.
fn request_id(text: &str) -> Option<RequestId> {
    let mut id = RequestId::default();
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
            Route::Completion(Shape::Chat)
        );
        assert_eq!(
            found("POST", "/v1/completions"),
            Route::Completion(Shape::Text)
        );
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
        for path in [
            "/v1/embeddings",
            "/",
            "/v1/models/",
            "/v1/models/a/b",
            "/v1/models?x=1",
        ] {
            assert_eq!(code("GET", path), "unknown_url", "{path}");
        }
    }
}
