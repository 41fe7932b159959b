//! Product lines, as the CPUID fields and the certificates name them.

/// Product line, from the certificate chain and checked against the report's CPUID fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Family 19h models 00h to 0Fh.
    Milan,
    /// Family 19h models 10h to 1Fh and A0h to AFh (Genoa, Bergamo, Siena).
    Genoa,
    /// Family 1Ah models 00h to 11h.
    Turin,
}

impl Product {
    /// From CPUID_FAM_ID and CPUID_MOD_ID (combined family and model), in reports from version 3 on.
    pub(super) const fn from_cpuid(family: u8, model: u8) -> Option<Self> {
        match (family, model) {
            (0x19, 0x00..=0x0F) => Some(Self::Milan),
            (0x19, 0x10..=0x1F | 0xA0..=0xAF) => Some(Self::Genoa),
            (0x1A, 0x00..=0x11) => Some(Self::Turin),
            _ => None,
        }
    }

    /// From the extension productName: the product, then, in older certificates, a hyphen and the stepping.
    pub(super) fn from_certificate(product_name: &str) -> Option<Self> {
        let product = product_name
            .split_once('-')
            .map_or(product_name, |(product, _)| product);
        match product {
            "Milan" => Some(Self::Milan),
            "Genoa" | "Bergamo" | "Siena" => Some(Self::Genoa),
            "Turin" => Some(Self::Turin),
            _ => None,
        }
    }

    /// As in the common names of AMD's certificates.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        }
    }

    /// Bytes of CHIP_ID that the HWID extension names; the others are zero.
    pub(super) const fn hwid_bytes(self) -> usize {
        match self {
            Self::Milan | Self::Genoa => 64,
            Self::Turin => 8,
        }
    }
}

impl std::fmt::Display for Product {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Product;

    #[test]
    fn families_and_models_are_those_of_the_specification() {
        for (family, model, product) in [
            (0x19, 0x00, Some(Product::Milan)),
            (0x19, 0x01, Some(Product::Milan)),
            (0x19, 0x11, Some(Product::Genoa)),
            (0x19, 0xA0, Some(Product::Genoa)),
            (0x19, 0x20, None),
            (0x1A, 0x02, Some(Product::Turin)),
            (0x1A, 0x11, Some(Product::Turin)),
            (0x1A, 0x12, None),
            (0x17, 0x31, None),
        ] {
            assert_eq!(
                Product::from_cpuid(family, model),
                product,
                "{family:x} {model:x}"
            );
        }
    }

    #[test]
    fn product_names_may_carry_a_stepping() {
        assert_eq!(Product::from_certificate("Milan-B0"), Some(Product::Milan));
        assert_eq!(Product::from_certificate("Siena"), Some(Product::Genoa));
        assert_eq!(Product::from_certificate("Turin"), Some(Product::Turin));
        for unknown in ["", "milan", "MilanB0", "Venice", "-Milan"] {
            assert_eq!(Product::from_certificate(unknown), None, "{unknown}");
        }
    }
}
