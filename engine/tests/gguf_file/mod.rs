//! Writes GGUF files, right or wrong, for tests.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it")]

/// Type numbers of metadata values.
pub(crate) const U32: u32 = 4;
pub(crate) const I32: u32 = 5;
pub(crate) const F32: u32 = 6;
pub(crate) const BOOL: u32 = 7;
pub(crate) const STR: u32 = 8;
pub(crate) const ARRAY: u32 = 9;
pub(crate) const I64: u32 = 11;

/// Type number of a tensor, with elements and bytes of a block.
pub(crate) type Kind = (u32, usize, usize);

pub(crate) const TENSOR_F32: Kind = (0, 1, 4);
pub(crate) const TENSOR_F16: Kind = (1, 1, 2);
pub(crate) const TENSOR_Q4_1: Kind = (3, 32, 20);
pub(crate) const TENSOR_Q2_K: Kind = (10, 256, 84);
pub(crate) const TENSOR_Q8_0: Kind = (8, 32, 34);

/// Every type that matrices may have, with where its blocks have 16-bit floats (of F32, the upper half).
pub(crate) const MATRIX_TYPES: [(Kind, &[usize]); 11] = [
    (TENSOR_F32, &[2]),
    (TENSOR_F16, &[0]),
    ((2, 32, 18), &[0]),
    (TENSOR_Q4_1, &[0, 2]),
    ((6, 32, 22), &[0]),
    ((7, 32, 24), &[0, 2]),
    (TENSOR_Q8_0, &[0]),
    ((12, 256, 144), &[0, 2]),
    ((13, 256, 176), &[0, 2]),
    ((14, 256, 210), &[208]),
    ((30, 1, 2), &[0]),
];

/// A file to be written; the fields can be made wrong.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u32,
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    pub(crate) tensors: Vec<TensorEntry>,
    pub(crate) alignment: usize,
}

/// A tensor to be written.
#[derive(Clone)]
pub(crate) struct TensorEntry {
    pub(crate) name: String,
    pub(crate) dimensions: Vec<u64>,
    pub(crate) kind: u32,
    /// Added to where the tensor really is.
    pub(crate) offset_error: u64,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    pub(crate) fn new() -> Self {
        Self {
            magic: *b"GGUF",
            version: 3,
            metadata: Vec::new(),
            tensors: Vec::new(),
            alignment: 32,
        }
    }

    /// Adds or replaces an entry; `value` begins with its type.
    pub(crate) fn set(&mut self, key: &str, value: Vec<u8>) -> &mut Self {
        self.metadata.retain(|(other, _)| other != key);
        self.metadata.push((key.to_owned(), value));
        self
    }

    pub(crate) fn remove(&mut self, key: &str) -> &mut Self {
        self.metadata.retain(|(other, _)| other != key);
        self
    }

    /// Adds or replaces a tensor; `dimensions` begin with the columns.
    pub(crate) fn tensor(
        &mut self,
        name: &str,
        (kind, block, block_bytes): (u32, usize, usize),
        dimensions: &[usize],
    ) -> &mut TensorEntry {
        let elements: usize = dimensions.iter().product();
        self.tensors.retain(|tensor| tensor.name != name);
        self.tensors.push(TensorEntry {
            name: name.to_owned(),
            dimensions: dimensions.iter().map(|d| *d as u64).collect(),
            kind,
            offset_error: 0,
            bytes: vec![0; elements / block * block_bytes],
        });
        self.tensors.last_mut().unwrap()
    }

    pub(crate) fn named(&mut self, name: &str) -> &mut TensorEntry {
        let mut tensors = self.tensors.iter_mut();
        tensors.find(|tensor| tensor.name == name).unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (mut header, mut data) = (self.magic.to_vec(), Vec::new());
        header.extend(self.version.to_le_bytes());
        header.extend((self.tensors.len() as u64).to_le_bytes());
        header.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            header.extend(str(key));
            header.extend(value);
        }
        for tensor in &self.tensors {
            data.resize(data.len().next_multiple_of(self.alignment), 0);
            header.extend(tensor.header(data.len() as u64));
            data.extend(&tensor.bytes);
        }
        header.resize(header.len().next_multiple_of(self.alignment), 0);
        header.extend(data);
        header
    }
}

impl TensorEntry {
    fn header(&self, offset: u64) -> Vec<u8> {
        let mut header = str(&self.name);
        header.extend((self.dimensions.len() as u32).to_le_bytes());
        self.dimensions
            .iter()
            .for_each(|d| header.extend(d.to_le_bytes()));
        header.extend(self.kind.to_le_bytes());
        header.extend(offset.wrapping_add(self.offset_error).to_le_bytes());
        header
    }

    /// Fills a matrix of any type with bytes that look random and small scales: of floats, which begin at `offsets` of a
    /// block, only the lower bits of the exponent are kept.
    pub(crate) fn fill_matrix(&mut self, seed: u64) {
        let mut types = MATRIX_TYPES.iter();
        let ((_, _, block), offsets) = types.find(|(kind, _)| kind.0 == self.kind).unwrap();
        let mut state = seed;
        self.bytes.fill_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        for block in self.bytes.chunks_mut(*block) {
            for offset in *offsets {
                let top = block.get_mut(offset + 1).unwrap();
                *top = *top & 0x87 | 0x18;
            }
        }
    }

    /// Fills blocks with quants that look random and small scales.
    pub(crate) fn fill(&mut self, seed: u64) {
        let mut state = seed;
        let mut noise = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        match self.kind {
            0 => self.bytes.as_chunks_mut().0.iter_mut().for_each(|value| {
                *value = (0.5 + f32::from(noise()) / 256.0).to_le_bytes();
            }),
            3 => self
                .bytes
                .as_chunks_mut()
                .0
                .iter_mut()
                .for_each(|block: &mut [u8; 20]| {
                    block.fill_with(&mut noise);
                    // Scale 1/64 (f16 0x2400) and offset -1/8 (0xb000), so that weights go from -0.125 to 0.11.
                    block[..4].copy_from_slice(&[0x00, 0x24, 0x00, 0xb0]);
                }),
            _ => self
                .bytes
                .as_chunks_mut()
                .0
                .iter_mut()
                .for_each(|block: &mut [u8; 34]| {
                    block.fill_with(&mut noise);
                    block[..2].copy_from_slice(&[0x00, 0x14]);
                }),
        }
    }
}

pub(crate) fn str(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

pub(crate) fn value(kind: u32, bytes: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes(), bytes].concat()
}

pub(crate) fn u32_value(number: u32) -> Vec<u8> {
    value(U32, &number.to_le_bytes())
}

pub(crate) fn f32_value(number: f32) -> Vec<u8> {
    value(F32, &number.to_le_bytes())
}

pub(crate) fn str_value(text: &str) -> Vec<u8> {
    value(STR, &str(text))
}

pub(crate) fn array(kind: u32, length: u64, bytes: &[u8]) -> Vec<u8> {
    [
        &ARRAY.to_le_bytes()[..],
        &kind.to_le_bytes(),
        &length.to_le_bytes(),
        bytes,
    ]
    .concat()
}

/// A Llama of one or more blocks: width 128 in two heads, one key-value head, 64 wide; 96 tokens.
pub(crate) fn llama(layers: u32) -> File {
    sized_llama(layers, 128, 192, 96)
}

/// A Llama with heads 64 wide, one of them for keys and values.
pub(crate) fn sized_llama(layers: u32, width: usize, ffn: usize, vocabulary: usize) -> File {
    let mut file = File::new();
    file.set("general.architecture", str_value("llama"))
        .set("llama.context_length", u32_value(640))
        .set("llama.embedding_length", u32_value(width as u32))
        .set("llama.block_count", u32_value(layers))
        .set("llama.attention.head_count", u32_value(width as u32 / 64))
        .set("llama.attention.head_count_kv", u32_value(1))
        .set("llama.feed_forward_length", u32_value(ffn as u32))
        .set("llama.attention.layer_norm_rms_epsilon", f32_value(1e-5));
    file.tensor("token_embd.weight", TENSOR_Q8_0, &[width, vocabulary])
        .fill(1);
    file.tensor("output_norm.weight", TENSOR_F32, &[width])
        .fill(2);
    for layer in 0..layers {
        let mut add = |part: &str, kind, dimensions: &[usize]| {
            let name = format!("blk.{layer}.{part}.weight");
            let seed = u64::from(layer) * 100 + file.tensors.len() as u64;
            file.tensor(&name, kind, dimensions).fill(seed);
        };
        add("attn_norm", TENSOR_F32, &[width]);
        add("attn_q", TENSOR_Q4_1, &[width, width]);
        add("attn_k", TENSOR_Q4_1, &[width, 64]);
        add("attn_v", TENSOR_Q4_1, &[width, 64]);
        add("attn_output", TENSOR_Q4_1, &[width, width]);
        add("ffn_norm", TENSOR_F32, &[width]);
        add("ffn_gate", TENSOR_Q4_1, &[width, ffn]);
        add("ffn_up", TENSOR_Q4_1, &[width, ffn]);
        add("ffn_down", TENSOR_Q4_1, &[ffn, width]);
    }
    file
}
