//! The chips that this vendor makes.

/// A GPU or a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chip {
    /// Hopper.
    Gh100,
    /// The switch of Hopper machines.
    Ls10,
}

impl Chip {
    /// Identifier of the chip `number`.
    pub(super) const fn pdi(self, number: u8) -> [u8; 8] {
        match self {
            Self::Gh100 => [0x43, 0x1D, 0x48, 0x0F, 0xE5, 0xE8, 0x72, number],
            Self::Ls10 => [0x20, 0x3E, 0xB3, 0x1A, 0xD9, 0xED, 0x00, number],
        }
    }
}
