//! A licence as CycloneDX tells it: by its SPDX identifier where it is one that models come under, else by name.

use serde_json::{Value, json};

/// Identifiers of the SPDX licence list, in its spelling.
const SPDX: [&str; 22] = [
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unlicense",
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-NC-ND-4.0",
    "MPL-2.0",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "GPL-2.0-only",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "EUPL-1.2",
    "ECL-2.0",
];

/// An entry of `licenses`.
pub(super) fn entry(licence: &str) -> Value {
    let known = SPDX.into_iter().find(|id| id.eq_ignore_ascii_case(licence));
    match known {
        Some(id) => json!({ "license": { "id": id } }),
        None => json!({ "license": { "name": licence } }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_in_any_case_and_names_as_they_stand() {
        assert_eq!(
            entry("apache-2.0"),
            json!({"license": {"id": "Apache-2.0"}})
        );
        assert_eq!(entry("llama3.2"), json!({"license": {"name": "llama3.2"}}));
    }
}
