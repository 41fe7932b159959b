//! A packed weight matrix in a device's memory.

use kernels::{
    lanes::LANES,
    matmul::{Format, Matrix},
    quantize::BLOCK,
};

use crate::{Device, DeviceError, Memory, arena::Arena};

/// A packed weight matrix: the panels that [`Matrix`] has, those of each format together.
#[derive(Clone, Debug)]
pub struct DeviceMatrix {
    products: Vec<Product>,
    panels: usize,
    blocks_per_row: usize,
}

/// Panels of one format, and where their rows go: panel `p` is the matrix's panel `first_panel + p * panel_step`.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// How the weights are stored.
    pub format: Format,
    /// `[panel][block]`.
    pub memory: Memory,
    /// How many panels.
    pub panels: usize,
    /// Place of the first of them.
    pub first_panel: usize,
    /// From one to the next.
    pub panel_step: usize,
}

impl Product {
    /// The matrix's panel that is the `panel`-th here.
    fn place(&self, panel: usize) -> usize {
        self.first_panel + panel * self.panel_step
    }
}

impl DeviceMatrix {
    /// Copies a matrix to a device.
    pub(crate) fn upload<D: Device>(
        arena: &mut Arena<D>,
        matrix: &Matrix,
    ) -> Result<Self, DeviceError> {
        let panels = 0..matrix.panel_count();
        let formats = panels.map(|panel| matrix.packed_panel(panel).format);
        let room = Self::room(arena, formats, matrix.blocks_per_row())?;
        for product in &room.products {
            let places = (0..product.panels).map(|panel| product.place(panel));
            let bytes: Vec<u8> = places
                .flat_map(|place| matrix.packed_panel(place).bytes)
                .copied()
                .collect();
            arena.device().upload(product.memory, &bytes)?;
        }
        Ok(room)
    }

    /// Room for panels of these formats, in their order; all zeros.
    pub(crate) fn room<D: Device>(
        arena: &mut Arena<D>,
        formats: impl Iterator<Item = Format>,
        blocks_per_row: usize,
    ) -> Result<Self, DeviceError> {
        let runs = runs(formats);
        let panels = runs.iter().map(|run| run.places.len()).sum();
        let products = runs.iter().map(|run| run.room(arena, blocks_per_row));
        Ok(Self {
            products: products.collect::<Result<_, _>>()?,
            panels,
            blocks_per_row,
        })
    }

    /// In which product a panel is, and in which place of it.
    pub(crate) fn find(&self, panel: usize) -> Option<(&Product, usize)> {
        let place = |product: &Product| {
            let behind = panel.checked_sub(product.first_panel)?;
            let place = behind / product.panel_step;
            (behind % product.panel_step == 0 && place < product.panels).then_some(place)
        };
        let mut products = self.products.iter();
        products.find_map(|product| Some((product, place(product)?)))
    }

    /// Its panels by their formats.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// How many panels there are.
    pub fn panels(&self) -> usize {
        self.panels
    }

    /// Rows, with those that fill the last panel.
    pub fn padded_rows(&self) -> usize {
        self.panels * LANES
    }

    /// Width of a row in blocks.
    pub fn blocks_per_row(&self) -> usize {
        self.blocks_per_row
    }

    /// Width of a row.
    pub fn columns(&self) -> usize {
        self.blocks_per_row * BLOCK
    }
}

/// Panels of one format that are equally far apart.
struct Run {
    format: Format,
    places: Vec<usize>,
}

impl Run {
    fn step(&self) -> usize {
        match self.places.as_slice() {
            [first, second, ..] => second - first,
            _ => 1,
        }
    }

    fn takes(&self, format: Format, place: usize) -> bool {
        let next = self.places.last().map_or(place, |last| last + self.step());
        self.format == format && (self.places.len() < 2 || next == place)
    }

    fn room<D: Device>(
        &self,
        arena: &mut Arena<D>,
        blocks_per_row: usize,
    ) -> Result<Product, DeviceError> {
        let panel_bytes = self.format.panel_bytes(blocks_per_row * BLOCK);
        Ok(Product {
            format: self.format,
            memory: arena.bytes(self.places.len() * panel_bytes)?,
            panels: self.places.len(),
            first_panel: self.places.first().copied().unwrap_or(0),
            panel_step: self.step(),
        })
    }
}

/// All panels: those of one format together, as far as they are equally far apart.
fn runs(formats: impl Iterator<Item = Format>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, format) in formats.enumerate() {
        match runs.iter_mut().find(|run| run.takes(format, place)) {
            Some(run) => run.places.push(place),
            None => runs.push(Run {
                format,
                places: vec![place],
            }),
        }
    }
    runs
}
