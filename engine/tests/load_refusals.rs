//! Model files that are changed in one place, and why no engine starts on them.

use crate::{real_model, tiny};
use std::path::Path;

use engine::{
    gguf::Gguf,
    local::{IsaName, LoadError, LocalConfig, LocalEngine},
};

const CONFIG: LocalConfig = LocalConfig {
    threads: 1,
    max_sequences: 1,
    queue: 0,
    max_context: 16,
    isa: None,
    step_tokens: 64,
    kv_bytes: 0,
    tenant_jobs: 0,
    cached_tokens_per_secret: 0,
};

/// Tensors with a row for each token.
const BY_TOKEN: [&str; 2] = ["token_embd.weight", "output.weight"];

/// The real file with the first `from` after `key` replaced by `to`, of the same length.
fn changed(key: &str, from: &str, to: &str) -> Gguf {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(real_model::path()).unwrap();
    let key = find(&bytes, key);
    let (_, after) = bytes.split_at_mut(key);
    let at = find(after, from);
    after
        .get_mut(at..at + to.len())
        .unwrap()
        .copy_from_slice(to.as_bytes());
    Gguf::from_bytes(bytes).unwrap()
}

fn find(bytes: &[u8], text: &str) -> usize {
    let mut windows = bytes.windows(text.len());
    windows
        .position(|window| window == text.as_bytes())
        .unwrap()
}

fn refusal(key: &str, from: &str, to: &str) -> LoadError {
    LocalEngine::from_gguf(changed(key, from, to), CONFIG)
        .err()
        .unwrap()
}

#[test]
fn no_file() {
    let refused = LocalEngine::load(Path::new("no/such/model.gguf"), CONFIG)
        .err()
        .unwrap();
    assert_eq!(refused.code(), "gguf.io");
}

#[test]
fn another_tokenizer() {
    assert_eq!(
        refusal("tokenizer.ggml.model", "gpt2", "rwkv").code(),
        "tokenizer.model"
    );
}

/// The tokenizer of a model file may have fewer tokens than the embedding has rows, and not more.
#[test]
fn tokens_that_the_weights_do_not_know() {
    let load = |difference: isize| {
        let mut file = tiny::speaking("qwen3-1");
        for tensor in file
            .tensors
            .iter_mut()
            .filter(|tensor| BY_TOKEN.contains(&&*tensor.name))
        {
            let rows = tensor.dimensions[1] as usize;
            let wanted = rows.saturating_add_signed(difference);
            tensor.bytes.resize(tensor.bytes.len() / rows * wanted, 0);
            tensor.dimensions[1] = wanted as u64;
        }
        let loaded = LocalEngine::from_gguf(Gguf::from_bytes(file.bytes()).unwrap(), CONFIG);
        loaded.err().map_or("", |error| error.code())
    };
    assert_eq!([-1, 0, 1].map(load), ["engine.vocabulary", "", ""]);
}

#[test]
fn no_tokenizer() {
    let refused = refusal("tokenizer.ggml.pr", "e", "o");
    assert_eq!(refused.code(), "gguf.missing_key");
}

#[test]
fn a_template_that_is_none() {
    assert_eq!(
        refusal("tokenizer.chat_template", "{% for", "{% fro").code(),
        "chat.syntax"
    );
}

#[test]
fn another_architecture() {
    let refused = refusal("general.architecture", "llama", "gemma");
    assert!(matches!(refused, LoadError::Model(_)), "{refused}");
}

#[test]
fn no_name() {
    let name = "Smollm2 135M 8k Lc100K Mix1 Ep2";
    let refused = refusal("general.name", name, &" ".repeat(name.len()));
    assert_eq!(refused.code(), "engine.name");
}

#[test]
fn instructions_that_are_not_there() {
    assert_eq!(LoadError::Isa(IsaName::Avx512Vnni).code(), "engine.isa");
    let absent = |name: &IsaName| kernels::Isa::here(*name).is_none();
    for isa in IsaName::ALL.into_iter().filter(absent) {
        let isa = Some(isa);
        let refused = LocalEngine::load(&real_model::path(), LocalConfig { isa, ..CONFIG });
        assert_eq!(refused.err().unwrap().code(), "engine.isa");
    }
}

#[test]
fn memory_that_holds_no_sequence() {
    // 30 layers of three heads, 64 wide, keys and values in four bytes, 16 positions.
    let page = 30 * 3 * 64 * 2 * 4 * 16;
    let load = |kv_bytes, max_context| {
        let config = LocalConfig {
            kv_bytes,
            max_context,
            ..CONFIG
        };
        LocalEngine::load(&real_model::path(), config).err()
    };
    assert_eq!(load(page, 16), None);
    let refused = load(page, 17).unwrap();
    assert_eq!(refused, LoadError::KvMemory(2 * page));
    assert_eq!(refused.code(), "engine.kv_memory");
    assert_eq!(load(usize::MAX, 16), Some(LoadError::KvMemory(page)));
}

#[test]
fn impossible_limits_are_refused() {
    let possible = LocalConfig {
        max_context: 2,
        ..CONFIG
    };
    let impossible = [
        LocalConfig {
            max_sequences: 0,
            ..possible
        },
        LocalConfig {
            max_sequences: 4097,
            ..possible
        },
        LocalConfig {
            queue: 65_537,
            ..possible
        },
        LocalConfig {
            max_context: 1,
            ..possible
        },
        LocalConfig {
            step_tokens: 0,
            ..possible
        },
        LocalConfig {
            step_tokens: 257,
            ..possible
        },
    ];
    for config in impossible {
        let refused = LocalEngine::load(&real_model::path(), config)
            .err()
            .unwrap();
        assert_eq!(refused.code(), "engine.config", "{config:?}");
    }
}
