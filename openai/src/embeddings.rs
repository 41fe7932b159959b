//! `POST /v1/embeddings`: texts in, vectors out.

use super::{
    ApiError,
    asked::take_model,
    fields::Fields,
    neutral::take_neutral,
    prompts::{not_empty, read_prompts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use engine::{Embeddings, Prompt};
use serde::Serialize;
use serde_json::{Value, json};

/// Most texts of one request.
const MAX_INPUTS: usize = 2048;
const INPUT: &str = "a string, an array of token ids, or an array of up to 2048 of either";
const ENCODINGS: &str = "float or base64";

/// What a request asks for. No Debug: it holds the texts.
pub struct AskedEmbeddings {
    /// Who is to make the vectors.
    pub model: String,
    /// Of what.
    pub texts: Vec<Prompt>,
    /// How they are to be written.
    pub form: VectorForm,
}

/// How vectors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorForm {
    encoding: Encoding,
    /// Length that they must have.
    dimensions: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Float,
    /// Of 32-bit floats, little-endian.
    Base64,
}

/// One vector, in OpenAI's order of fields.
#[derive(Serialize)]
struct Entry<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Float(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
    model: &'a str,
    usage: Value,
}

/// Reads a request for vectors.
pub fn read_embeddings(body: &[u8]) -> Result<AskedEmbeddings, ApiError> {
    let mut fields = Fields::of_body(body)?;
    let asked = AskedEmbeddings {
        model: take_model(&mut fields)?,
        texts: take_texts(&mut fields)?,
        form: VectorForm {
            encoding: take_encoding(&mut fields)?,
            dimensions: fields.take("dimensions", "a positive integer")?,
        },
    };
    take_neutral(&mut fields)?;
    fields.finish()?;
    Ok(asked)
}

fn take_texts(fields: &mut Fields<'_>) -> Result<Vec<Prompt>, ApiError> {
    let value = fields
        .take_raw("input")
        .ok_or_else(|| ApiError::missing("input"))?;
    let texts = read_prompts(value, "input", MAX_INPUTS);
    let texts = texts.ok_or_else(|| ApiError::invalid("input", INPUT))?;
    let texts = texts.into_iter().map(|text| not_empty(text, "input"));
    texts.collect()
}

fn take_encoding(fields: &mut Fields<'_>) -> Result<Encoding, ApiError> {
    let name: Option<String> = fields.take("encoding_format", ENCODINGS)?;
    match name.as_deref() {
        None | Some("float") => Ok(Encoding::Float),
        Some("base64") => Ok(Encoding::Base64),
        Some(_) => Err(ApiError::invalid("encoding_format", ENCODINGS)),
    }
}

impl VectorForm {
    /// The vectors as one document.
    pub fn document(self, embeddings: &Embeddings, model: &str) -> Result<Vec<u8>, ApiError> {
        let differs = |dimensions| embeddings.vectors.iter().any(|v| v.len() != dimensions);
        if self.dimensions.is_some_and(differs) {
            return Err(ApiError::unsupported("dimensions"));
        }
        let entries = embeddings.vectors.iter().enumerate();
        let tokens = embeddings.prompt_tokens;
        let list = List {
            object: "list",
            data: entries
                .map(|(index, vector)| self.entry(index, vector))
                .collect(),
            model,
            usage: json!({"prompt_tokens": tokens, "total_tokens": tokens}),
        };
        serde_json::to_vec(&list).map_err(|_| ApiError::engine_failed())
    }

    fn entry(self, index: usize, vector: &[f32]) -> Entry<'_> {
        let embedding = match self.encoding {
            Encoding::Float => Vector::Float(vector),
            Encoding::Base64 => {
                let bytes = vector.iter().flat_map(|number| number.to_le_bytes());
                Vector::Base64(STANDARD.encode(bytes.collect::<Vec<u8>>()))
            }
        };
        Entry {
            object: "embedding",
            index,
            embedding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rest: &str) -> Result<AskedEmbeddings, ApiError> {
        read_embeddings(format!(r#"{{"model":"m"{rest}}}"#).as_bytes())
    }

    fn document(rest: &str) -> Result<Value, ApiError> {
        let asked = read(&format!(r#","input":"x"{rest}"#))?;
        let made = Embeddings {
            vectors: vec![vec![0.1, -1.0]],
            prompt_tokens: 3,
        };
        let document = asked.form.document(&made, "m")?;
        Ok(serde_json::from_slice(&document).unwrap())
    }

    #[test]
    fn vectors_are_written_either_way() {
        let floats = document("").unwrap();
        let entry = json!({"object": "embedding", "index": 0, "embedding": [0.1, -1.0]});
        assert_eq!(floats["data"][0], entry);
        assert_eq!(
            floats["usage"],
            json!({"prompt_tokens": 3, "total_tokens": 3})
        );
        let base64 = document(r#","encoding_format":"base64""#).unwrap();
        assert_eq!(base64["data"][0]["embedding"], "zczMPQAAgL8=");
    }

    #[test]
    fn other_dimensions_are_refused() {
        assert!(document(r#","dimensions":2"#).is_ok());
        let refused = document(r#","dimensions":1"#).unwrap_err();
        assert_eq!(refused.code, "unsupported_parameter");
    }

    #[test]
    fn inputs_have_their_limits() {
        let texts = |count| format!(r#","input":[{}]"#, vec!["\"a\""; count].join(","));
        assert_eq!(
            read(&texts(MAX_INPUTS)).ok().unwrap().texts.len(),
            MAX_INPUTS
        );
        for (rest, code) in [
            (texts(MAX_INPUTS + 1).as_str(), "invalid_value"),
            ("", "missing_required_parameter"),
            (r#","input":"""#, "empty_prompt"),
            (r#","input":["a",""]"#, "empty_prompt"),
            (r#","input":[]"#, "invalid_value"),
            (r#","input":{}"#, "invalid_value"),
            (r#","input":"x","encoding_format":"hex""#, "invalid_value"),
            (r#","input":"x","dimensions":-1"#, "invalid_value"),
            (r#","input":"x","x":1"#, "unsupported_parameter"),
        ] {
            assert_eq!(read(rest).err().unwrap().code, code);
        }
    }
}
