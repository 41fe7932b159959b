//! Distinguished names as the vendors write them.

use crate::der::{element, object_identifier, sequence, set, utf8_string};

/// A distinguished name; two vendors order its attributes differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Last arc of each attribute type below 2.5.4, and its text, in their order.
    pub attributes: Vec<(u32, String)>,
}

const COMMON_NAME: u32 = 3;
const COUNTRY: u32 = 6;
const LOCALITY: u32 = 7;
const STATE: u32 = 8;
const ORGANIZATION: u32 = 10;
const ORGANIZATIONAL_UNIT: u32 = 11;

impl Name {
    /// As in AMD's certificates.
    #[must_use]
    pub fn amd(common_name: &str) -> Self {
        Self::new(&[
            (ORGANIZATIONAL_UNIT, "Engineering"),
            (COUNTRY, "US"),
            (LOCALITY, "Santa Clara"),
            (STATE, "CA"),
            (ORGANIZATION, "Advanced Micro Devices"),
            (COMMON_NAME, common_name),
        ])
    }

    /// As in Intel's certificates.
    #[must_use]
    pub fn intel(common_name: &str) -> Self {
        Self::new(&[
            (COMMON_NAME, common_name),
            (ORGANIZATION, "Intel Corporation"),
            (LOCALITY, "Santa Clara"),
            (STATE, "CA"),
            (COUNTRY, "US"),
        ])
    }

    /// As in NVIDIA's certificates.
    #[must_use]
    pub fn nvidia(common_name: &str) -> Self {
        Self::new(&[
            (COMMON_NAME, common_name),
            (ORGANIZATION, "NVIDIA Corporation"),
            (COUNTRY, "US"),
        ])
    }

    fn new(attributes: &[(u32, &str)]) -> Self {
        let owned = |&(arc, text): &(u32, &str)| (arc, text.to_owned());
        Self {
            attributes: attributes.iter().map(owned).collect(),
        }
    }

    /// RDNSequence, DER: one attribute in each relative name; PrintableString for the country, UTF8String else.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let attributes = self.attributes.iter().map(|(arc, text)| {
            let value = match *arc {
                COUNTRY => element(0x13, text.as_bytes()),
                _ => utf8_string(text),
            };
            set(&sequence(&[object_identifier(&[2, 5, 4, *arc]), value]))
        });
        sequence(&attributes.collect::<Vec<_>>())
    }
}
