//! Which board a GPU is on, by the numbers that name its VBIOS manifests.

use attestation::nvidia::Device;

/// `boards`: PROJECT, PROJECT_SKU and CHIP_SKU, joined by underscores: `1010_0200_882`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board(String);

impl Board {
    /// `None` unless `text` has three parts of letters and digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric())
        };
        let is_board = text.split('_').count() == 3 && text.split('_').all(is_part);
        is_board.then(|| Self(text.to_owned()))
    }

    /// As the document writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `device` is on such a board; one that does not tell all three is not. Case does not count.
    #[must_use]
    pub fn is_of(&self, device: &Device) -> bool {
        let parts = [&device.project, &device.project_sku, &device.chip_sku];
        let mut named = self.0.split('_').zip(parts);
        named.all(|(part, has)| {
            has.as_deref()
                .is_some_and(|has| has.eq_ignore_ascii_case(part))
        })
    }
}
