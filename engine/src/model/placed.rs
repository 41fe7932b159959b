//! Matrices that lie in a model file which is not in memory: where each is, for those who read and pack it elsewhere.

use std::ops::Range;

use kernels::{
    lanes::LANES,
    matmul::{Format, PackError},
    quantize::BLOCK,
};

use super::{
    Model, ModelError, config,
    reader::{Reader, format_of},
    tensors::Tensors,
    weights::{self, Joined},
};
use crate::gguf::{Gguf, ModelBytes, Tensor};

/// A matrix made of some that lie in a file, its panels of sixteen rows in the order that [`kernels::matmul::Matrix`] has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedMatrix {
    parts: Vec<PlacedPart>,
    panels: Vec<PlacedPanel>,
}

/// One of the file's matrices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedPart {
    /// The tensor's name.
    pub name: String,
    /// How its weights are stored.
    pub format: Format,
    /// How many rows.
    pub rows: usize,
    /// Width of a row.
    pub columns: usize,
    /// Its bytes in the file.
    pub range: Range<usize>,
}

/// A panel by its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedPanel {
    /// Which part.
    pub part: usize,
    /// Which of the part's panels.
    pub panel: usize,
}

impl PlacedMatrix {
    fn of(part: PlacedPart) -> Self {
        let panels = 0..part.rows.div_ceil(LANES);
        Self {
            parts: vec![part],
            panels: panels.map(|panel| PlacedPanel { part: 0, panel }).collect(),
        }
    }

    /// What it is made of.
    pub fn parts(&self) -> &[PlacedPart] {
        &self.parts
    }

    /// Its panels in their order.
    pub fn panels(&self) -> &[PlacedPanel] {
        &self.panels
    }

    /// How the weights of each panel are stored.
    pub fn formats(&self) -> impl Iterator<Item = Format> {
        let part = |panel: &PlacedPanel| self.parts.get(panel.part);
        self.panels.iter().filter_map(part).map(|part| part.format)
    }

    /// Width of a row in blocks of 32 columns.
    pub fn blocks_per_row(&self) -> usize {
        self.parts.first().map_or(0, |part| part.columns / BLOCK)
    }

    /// Takes the parts of another; gives where its panels are now.
    fn adopt(&mut self, other: Self) -> impl Iterator<Item = PlacedPanel> + use<> {
        let before = self.parts.len();
        self.parts.extend(other.parts);
        other.panels.into_iter().map(move |panel| PlacedPanel {
            part: before + panel.part,
            ..panel
        })
    }
}

impl Joined for PlacedMatrix {
    fn stack(mut self, below: Self) -> Self {
        let panels = self.adopt(below);
        self.panels.extend(panels);
        self
    }

    fn interleave(mut self, other: Self) -> Self {
        let odd = self.adopt(other);
        let pairs = self.panels.iter().copied().zip(odd);
        self.panels = pairs.flat_map(|(even, odd)| [even, odd]).collect();
        self
    }
}

impl Model<PlacedMatrix> {
    /// The model of a file that `bytes` holds and whose header `gguf` is: vectors are read, matrices stay where they are.
    pub fn describe(gguf: &Gguf, bytes: &dyn ModelBytes) -> Result<Self, ModelError> {
        let config = config::read(gguf)?;
        let source = FarTensors { gguf, bytes };
        let matrix = |reader: &Reader<'_>, name: &str, rows, columns| {
            let part = part(gguf, name, (rows, columns))?;
            reader.leave_out(name);
            Ok(PlacedMatrix::of(part))
        };
        let weights = weights::read(&source, &config, &matrix)?;
        Ok(Self { config, weights })
    }
}

fn part(
    gguf: &Gguf,
    name: &str,
    (rows, columns): (usize, usize),
) -> Result<PlacedPart, ModelError> {
    let place = gguf.place(name)?;
    if (place.rows, place.columns) != (rows, columns) {
        return Err(ModelError::Shape(name.to_owned()));
    }
    let format = format_of(name, place.kind)?;
    if !columns.is_multiple_of(format.block_columns()) || !columns.is_multiple_of(BLOCK) {
        return Err(ModelError::Pack {
            name: name.to_owned(),
            reason: PackError::Columns(columns),
        });
    }
    Ok(PlacedPart {
        name: name.to_owned(),
        format,
        rows,
        columns,
        range: place.range,
    })
}

/// Tensors that are read one by one.
struct FarTensors<'a> {
    gguf: &'a Gguf,
    bytes: &'a dyn ModelBytes,
}

impl Tensors for FarTensors<'_> {
    fn has(&self, name: &str) -> bool {
        self.gguf.place(name).is_ok()
    }

    fn tensor(&self, name: &str) -> Result<Tensor<'_>, ModelError> {
        let place = self.gguf.place(name)?;
        let range = place.range.start as u64..place.range.end as u64;
        let bytes = self.bytes.read(range);
        Ok(Tensor {
            kind: place.kind,
            columns: place.columns,
            rows: place.rows,
            bytes: bytes.map_err(ModelError::Unreadable)?.into(),
        })
    }

    fn names(&self) -> Vec<String> {
        self.gguf.tensor_names().map(str::to_owned).collect()
    }
}
