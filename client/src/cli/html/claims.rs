//! A tree of claims as rows of names and values.

use serde_json::Value;

/// `a.b.c` and its value for every leaf; empty containers are leaves too. Nothing for no claims.
pub(super) fn rows(claims: &Value) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    if !claims.is_null() {
        collect(String::new(), claims, &mut rows);
    }
    rows
}

fn collect(name: String, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (member, value) in members {
                collect(below(&name, member), value, rows);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (i, value) in items.iter().enumerate() {
                collect(below(&name, &i.to_string()), value, rows);
            }
        }
        Value::String(text) => rows.push((name, text.clone())),
        Value::Null => rows.push((name, "none".into())),
        other => rows.push((name, other.to_string())),
    }
}

fn below(name: &str, member: &str) -> String {
    if name.is_empty() {
        member.to_owned()
    } else {
        format!("{name}.{member}")
    }
}

#[cfg(test)]
mod tests {
    use super::rows;
    use serde_json::{Value, json};

    #[test]
    fn every_leaf_has_its_row() {
        let claims = json!({"a": {"b": [1, {"c": "x"}], "d": null}, "e": false, "f": []});
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            rows(&claims),
            [
                pair("a.b.0", "1"),
                pair("a.b.1.c", "x"),
                pair("a.d", "none"),
                pair("e", "false"),
                pair("f", "[]"),
            ]
        );
        assert!(rows(&Value::Null).is_empty());
    }
}
