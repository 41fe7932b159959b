//! Versions of drivers and firmware, compared part by part.

use std::cmp::Ordering;

/// Most parts of a version; NVIDIA's have three (drivers) or five (VBIOS).
const MAX_PARTS: usize = 8;

/// A version from which on others are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionFloor {
    text: String,
    parts: Vec<u32>,
    notation: Notation,
}

/// How the parts between the dots are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `570.124.06`, of drivers.
    Decimal,
    /// `96.00.9F.00.01`, of VBIOS.
    Hexadecimal,
}

impl VersionFloor {
    /// `None` if `text` is no version.
    pub(crate) fn parse(text: &str, notation: Notation) -> Option<Self> {
        let parts: Option<Vec<u32>> = notation.parts(text).collect();
        let counts = notation.least_parts()..=MAX_PARTS;
        let parts = parts.filter(|parts| counts.contains(&parts.len()))?;
        let text = text.to_owned();
        Some(Self {
            text,
            parts,
            notation,
        })
    }

    /// As the document writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `version` is this one or a later one; what is no version is not.
    #[must_use]
    pub fn accepts(&self, version: &str) -> bool {
        let parts = || self.notation.parts(version);
        let is_version = parts().all(|part| part.is_some()) && parts().count() <= MAX_PARTS;
        let floor = self.parts.iter().map(|part| Some(*part));
        is_version && parts().cmp(floor) != Ordering::Less
    }

    /// Whether both are of one line of firmware, which their first two parts name: `96.00` is Hopper's, `96.10` its switches', `97.00` Blackwell's.
    #[must_use]
    pub fn is_of_one_line(&self, version: &str) -> bool {
        let floor = self.parts.iter().map(|part| Some(*part)).take(2);
        self.notation.parts(version).take(2).eq(floor)
    }
}

impl Notation {
    /// A VBIOS begins with the two parts that name its line.
    const fn least_parts(self) -> usize {
        match self {
            Self::Decimal => 1,
            Self::Hexadecimal => 2,
        }
    }

    /// The number of each part; `None` for one that is none.
    fn parts(self, text: &str) -> impl Iterator<Item = Option<u32>> {
        text.split('.').map(move |part| self.number(part))
    }

    /// No sign, no blank, at most 6 digits.
    fn number(self, part: &str) -> Option<u32> {
        let radix = match self {
            Self::Decimal => 10,
            Self::Hexadecimal => 16,
        };
        let is_number = (1..=6).contains(&part.len()) && part.chars().all(|c| c.is_digit(radix));
        is_number.then(|| u32::from_str_radix(part, radix).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::{Notation, VersionFloor};
    use proptest::prelude::*;

    fn driver(text: &str) -> VersionFloor {
        VersionFloor::parse(text, Notation::Decimal).unwrap()
    }

    fn vbios(text: &str) -> VersionFloor {
        VersionFloor::parse(text, Notation::Hexadecimal).unwrap()
    }

    #[test]
    fn parts_are_numbers() {
        assert!(driver("570.124.06").accepts("570.124.6"));
        assert!(driver("570.124.06").accepts("570.133.01"));
        assert!(driver("570.9.06").accepts("570.10.00"));
        assert!(driver("550.90.07").accepts("570.1.1"));
        assert!(driver("570.124").accepts("570.124.06"));
        assert!(!driver("570.124.06").accepts("570.124.05"));
        assert!(!driver("570.124.06").accepts("570.124"));
        assert!(!driver("570.124.06").accepts("99.999.99"));
    }

    #[test]
    fn a_vbios_is_hexadecimal() {
        assert!(vbios("96.00.9F.00.01").accepts("96.00.a0.00.00"));
        assert!(!vbios("96.00.9F.00.01").accepts("96.00.9E.FF.FF"));
        assert!(vbios("96.00.9F.00.01").is_of_one_line("96.00.01.00.00"));
        assert!(!vbios("96.00.9F.00.01").is_of_one_line("96.10.9F.00.01"));
        assert!(!vbios("96.00.9F.00.01").is_of_one_line("97.00.9F.00.01"));
    }

    #[test]
    fn what_is_no_version_is_below_every_floor() {
        for text in [
            "",
            ".",
            "570.",
            ".1",
            "570.x",
            "+570",
            "570.-1",
            "570 ",
            "1.1.1.1.1.1.1.1.1",
            "9999999",
        ] {
            assert!(!driver("0").accepts(text), "{text:?}");
            assert_eq!(
                VersionFloor::parse(text, Notation::Decimal),
                None,
                "{text:?}"
            );
        }
        assert!(!driver("0").accepts("570.1F"));
        assert_eq!(VersionFloor::parse("96", Notation::Hexadecimal), None);
    }

    proptest! {
        #[test]
        fn a_floor_accepts_what_is_not_less(floor in [0_u32..1000, 0..1000, 0..1000], has in [0_u32..1000, 0..1000, 0..1000]) {
            let text = |[a, b, c]: [u32; 3]| format!("{a}.{b}.{c:02}");
            prop_assert_eq!(driver(&text(floor)).accepts(&text(has)), has >= floor);
        }
    }
}
