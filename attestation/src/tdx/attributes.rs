//! ATTRIBUTES of a TD (TDX module ABI 348551, section "ATTRIBUTES").

/// ATTRIBUTES, raw bits, with the questions that a verifier asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TdAttributes(pub u64);

const DEBUG: u64 = 1;
/// TUD, "TD under debug": with any bit of this byte set the TD is not to be trusted.
const TUD: u64 = 0xFF;
const SERVTD_EXT: u64 = 1 << 17;
const SEPT_VE_DISABLE: u64 = 1 << 28;
const MIGRATABLE: u64 = 1 << 29;
const PKS: u64 = 1 << 30;
const PERFMON: u64 = 1 << 63;
/// Bits 3:1, 15:7, 26:23 and 61:32, which a verifier must refuse.
const RESERVED: u64 = 0x3FFF_FFFF_0780_FF8E;

impl TdAttributes {
    /// The host may look into the TD and change it (bit 0).
    #[must_use]
    pub const fn debug(self) -> bool {
        self.0 & DEBUG != 0
    }

    /// The TD is debugged or profiled from outside (any bit of 7:0).
    #[must_use]
    pub const fn under_debug(self) -> bool {
        self.0 & TUD != 0
    }

    /// The TDREPORT includes SERVTD_EXT (bit 17).
    #[must_use]
    pub const fn servtd_ext(self) -> bool {
        self.0 & SERVTD_EXT != 0
    }

    /// The host cannot make the TD take a #VE on its own pages (bit 28).
    #[must_use]
    pub const fn sept_ve_disable(self) -> bool {
        self.0 & SEPT_VE_DISABLE != 0
    }

    /// A migration TD may take the TD to another machine (bit 29).
    #[must_use]
    pub const fn migratable(self) -> bool {
        self.0 & MIGRATABLE != 0
    }

    /// Supervisor protection keys may be used (bit 30).
    #[must_use]
    pub const fn pks(self) -> bool {
        self.0 & PKS != 0
    }

    /// Performance counters may be used (bit 63).
    #[must_use]
    pub const fn perfmon(self) -> bool {
        self.0 & PERFMON != 0
    }

    pub(super) const fn has_reserved(self) -> bool {
        self.0 & RESERVED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::TdAttributes;

    #[test]
    fn every_bit_is_reserved_or_known() {
        let known = [
            0, 4, 5, 6, 16, 17, 18, 19, 20, 21, 22, 27, 28, 29, 30, 31, 62, 63,
        ];
        for bit in 0..64 {
            let attributes = TdAttributes(1 << bit);
            assert_eq!(attributes.has_reserved(), !known.contains(&bit), "{bit}");
            assert_eq!(attributes.under_debug(), bit < 8);
            assert_eq!(attributes.debug(), bit == 0);
            assert_eq!(attributes.servtd_ext(), bit == 17);
            assert_eq!(attributes.sept_ve_disable(), bit == 28);
            assert_eq!(attributes.migratable(), bit == 29);
            assert_eq!(attributes.pks(), bit == 30);
            assert_eq!(attributes.perfmon(), bit == 63);
        }
    }
}
