//! TCB versions: eight bytes whose meaning depends on the product.

use super::Product;

/// A TCB version, component-wise (AMD 57230 table 3; Turin puts FMC first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TcbVersion {
    /// FMC firmware; only on Turin.
    pub fmc: Option<u8>,
    /// Boot loader SVN.
    pub bootloader: u8,
    /// PSP operating system SVN.
    pub tee: u8,
    /// SNP firmware SVN.
    pub snp: u8,
    /// Microcode patch level.
    pub microcode: u8,
}

/// TCB_VERSION as received: a little-endian u64, byte 0 first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawTcb(pub(super) [u8; 8]);

/// The last arc of the VEK extension (1.3.6.1.4.1.3704.1.3.x) that names each byte of TCB_VERSION, AMD 57230 tables 11 and 12.
pub(super) const fn extension_arcs(product: Product) -> [u32; 8] {
    match product {
        Product::Milan | Product::Genoa => [1, 2, 4, 5, 6, 7, 3, 8],
        Product::Turin => [9, 1, 2, 3, 5, 6, 7, 8],
    }
}

/// Whether the arc names a byte that is in use; AMD's certificates carry the reserved ones too, as zeros.
pub(super) const fn is_in_use(arc: u32) -> bool {
    matches!(arc, 1 | 2 | 3 | 8 | 9)
}

impl RawTcb {
    /// The components by name; `None` if a reserved byte is not zero.
    pub(super) const fn components(self, product: Product) -> Option<TcbVersion> {
        match (product, self.0) {
            (Product::Milan | Product::Genoa, [bootloader, tee, 0, 0, 0, 0, snp, microcode]) => {
                Some(TcbVersion {
                    fmc: None,
                    bootloader,
                    tee,
                    snp,
                    microcode,
                })
            }
            (Product::Turin, [fmc, bootloader, tee, snp, 0, 0, 0, microcode]) => Some(TcbVersion {
                fmc: Some(fmc),
                bootloader,
                tee,
                snp,
                microcode,
            }),
            _ => None,
        }
    }
}

impl std::fmt::Display for TcbVersion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(fmc) = self.fmc {
            write!(formatter, "fmc {fmc}, ")?;
        }
        let Self {
            bootloader,
            tee,
            snp,
            microcode,
            ..
        } = self;
        write!(
            formatter,
            "bootloader {bootloader}, tee {tee}, snp {snp}, microcode {microcode}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Product, RawTcb, TcbVersion};

    #[test]
    fn milan_and_genoa_put_the_boot_loader_first() {
        let expected = TcbVersion {
            fmc: None,
            bootloader: 1,
            tee: 2,
            snp: 7,
            microcode: 8,
        };
        let raw = RawTcb([1, 2, 0, 0, 0, 0, 7, 8]);
        assert_eq!(raw.components(Product::Milan), Some(expected));
        assert_eq!(raw.components(Product::Genoa), Some(expected));
        assert_eq!(raw.components(Product::Turin), None);
    }

    #[test]
    fn turin_puts_fmc_first() {
        let expected = TcbVersion {
            fmc: Some(1),
            bootloader: 2,
            tee: 3,
            snp: 4,
            microcode: 8,
        };
        let raw = RawTcb([1, 2, 3, 4, 0, 0, 0, 8]);
        assert_eq!(raw.components(Product::Turin), Some(expected));
        assert_eq!(raw.components(Product::Milan), None);
    }
}
