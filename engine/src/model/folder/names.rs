//! Names of tensors: those of GGUF files, by which weights are read, to those of Hugging Face.

use super::super::{ModelError, tensors::Tensors};
use crate::{
    gguf::Tensor,
    loose::Loose,
    safetensors::{LooseSafetensors, SafetensorsError},
};

/// A folder's tensors by the names that GGUF files give them. Each is given once.
pub(in super::super) struct FolderTensors {
    loose: Loose<SafetensorsError>,
    /// Whether the embedding makes the logits too.
    tied: bool,
}

const EMBEDDING: &str = "model.embed_tokens.weight";
const OUTPUT: &str = "lm_head.weight";

/// Tensors of no layer.
const WHOLE: [(&str, &str); 3] = [
    ("token_embd.weight", EMBEDDING),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", OUTPUT),
];

/// Tensors of a layer, without `blk.N.` and `model.layers.N.`, and without `.weight` and `.bias`.
const PARTS: [(&str, &str); 11] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// What old files keep of the rotary embedding; it follows from the configuration.
const INV_FREQ: &str = ".self_attn.rotary_emb.inv_freq";

impl FolderTensors {
    /// Refuses a tensor that has a name of GGUF files already, which would pass for the one that is read by it; and a matrix for logits where
    /// the embedding is to make them and is another.
    pub(in super::super) fn new(
        mut tensors: LooseSafetensors,
        tied: bool,
    ) -> Result<Self, ModelError> {
        if let Some(name) = tensors.keys().find(|name| theirs(name).is_some()) {
            return Err(ModelError::UnknownTensor(name.clone()));
        }
        if tied {
            leave_output(&mut tensors)?;
        }
        Ok(Self {
            loose: Loose::new(tensors),
            tied,
        })
    }
}

/// Takes out the matrix for logits, if the files have it: the embedding once more.
fn leave_output(tensors: &mut LooseSafetensors) -> Result<(), ModelError> {
    let Some(output) = tensors.remove(OUTPUT) else {
        return Ok(());
    };
    match (tensors.get(EMBEDDING), output) {
        (Some(Ok(embedding)), Ok(output)) if is_same(embedding, &output) => Ok(()),
        _ => Err(ModelError::TiedOutput),
    }
}

fn is_same(one: &Tensor<'_>, other: &Tensor<'_>) -> bool {
    let shape = |tensor: &Tensor<'_>| (tensor.kind, tensor.rows, tensor.columns);
    shape(one) == shape(other) && one.bytes == other.bytes
}

impl Tensors for FolderTensors {
    fn has(&self, name: &str) -> bool {
        match name {
            "output.weight" => !self.tied,
            _ => theirs(name).is_some_and(|name| self.loose.has(&name)),
        }
    }

    fn tensor(&self, name: &str) -> Result<Tensor<'_>, ModelError> {
        let theirs = theirs(name).unwrap_or_else(|| name.to_owned());
        let tensor = self.loose.take(&theirs);
        Ok(tensor.ok_or(SafetensorsError::MissingTensor(theirs))??)
    }

    fn names(&self) -> Vec<String> {
        let names = self.loose.names().into_iter();
        let names = names.filter(|name| !is_inv_freq(name));
        names.map(|name| ours(&name).unwrap_or(name)).collect()
    }
}

fn is_inv_freq(name: &str) -> bool {
    let layer = name.strip_prefix("model.layers.");
    let layer = layer.and_then(|name| name.strip_suffix(INV_FREQ));
    layer.is_some_and(|layer| layer.parse::<u32>().is_ok())
}

/// The name of Hugging Face for that of a GGUF file.
fn theirs(name: &str) -> Option<String> {
    if let Some((_, theirs)) = WHOLE.iter().find(|(ours, _)| *ours == name) {
        return Some((*theirs).to_owned());
    }
    let (layer, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let (part, kind) = part.rsplit_once('.')?;
    let (_, theirs) = PARTS.iter().find(|(ours, _)| *ours == part)?;
    Some(format!("model.layers.{layer}.{theirs}.{kind}"))
}

/// The name of a GGUF file for that of Hugging Face.
fn ours(name: &str) -> Option<String> {
    if let Some((ours, _)) = WHOLE.iter().find(|(_, theirs)| *theirs == name) {
        return Some((*ours).to_owned());
    }
    let (layer, part) = name.strip_prefix("model.layers.")?.split_once('.')?;
    let (part, kind) = part.rsplit_once('.')?;
    let (ours, _) = PARTS.iter().find(|(_, theirs)| *theirs == part)?;
    Some(format!("blk.{layer}.{ours}.{kind}"))
}
