//! Arrays of a request, element by element.

use super::ApiError;
use serde::{
    Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// The elements of `array`, which is called `name` and has at most `most` of them.
pub(crate) fn elements<'a>(
    array: &'a RawValue,
    name: &str,
    most: usize,
) -> Result<Vec<&'a RawValue>, ApiError> {
    let mut json = serde_json::Deserializer::from_str(array.get());
    json.deserialize_seq(AtMost(most))
        .map_err(|_| ApiError::invalid(name, &format!("an array of at most {most} elements")))
}

/// Reads an array and stops at the first element too many, before memory is given to all of them.
struct AtMost(usize);

impl<'de> Visitor<'de> for AtMost {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {} elements", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            if elements.len() == self.0 {
                return Err(serde::de::Error::invalid_length(self.0 + 1, &self));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_has_its_limit() {
        let read = |text: &str| {
            let array = RawValue::from_string(text.to_owned()).unwrap();
            elements(&array, "a", 2).map(|elements| elements.len())
        };
        assert_eq!(read("[]"), Ok(0));
        assert_eq!(read("[1, {}]"), Ok(2));
        for refused in ["[1,2,3]", "{}", "1", "\"[]\""] {
            assert_eq!(read(refused).unwrap_err().code, "invalid_value");
        }
    }
}
