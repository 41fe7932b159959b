//! The routes inside the seal.

use super::{ApiError, Shape};

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /v1/chat/completions` or `POST /v1/completions`.
    Completion(Shape),
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/{id}`.
    Model(String),
}

impl Route {
    /// Finds the route of a request; queries are no part of any.
    pub(crate) fn find(method: &str, path: &str) -> Result<Self, ApiError> {
        let (route, allowed) = match path {
            "/v1/chat/completions" => (Self::Completion(Shape::Chat), "POST"),
            "/v1/completions" => (Self::Completion(Shape::Text), "POST"),
            "/v1/models" => (Self::Models, "GET"),
            other => (Self::model(other)?, "GET"),
        };
        if method == allowed {
            Ok(route)
        } else {
            Err(ApiError::method_not_allowed())
        }
    }

    fn model(path: &str) -> Result<Self, ApiError> {
        path.strip_prefix("/v1/models/")
            .filter(|id| !id.is_empty() && !id.contains('/'))
            .map(|id| Self::Model(id.to_owned()))
            .ok_or_else(ApiError::unknown_route)
    }
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
    }

    #[test]
    fn refuses_everything_else() {
        let code = |method, path| Route::find(method, path).unwrap_err().code;
        assert_eq!(code("GET", "/v1/chat/completions"), "method_not_allowed");
        assert_eq!(code("POST", "/v1/models"), "method_not_allowed");
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
