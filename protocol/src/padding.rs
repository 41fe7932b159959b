//! Padding profiles: how much of an exchange's length and timing its wire shows (docs/protocol.md, "Padding"). The manifest names the
//! profile, so it is measured; the receipt repeats it.

/// How a node pads what it sends and what its clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PaddingProfile {
    /// Nothing is padded.
    Off,
    /// Requests go up to the next bucket; answers travel in records of one size.
    #[default]
    Default,
    /// As [`PaddingProfile::Default`] with fewer buckets; a stream's records are sent at a constant rate and their number goes up to a bucket.
    Strict,
}

/// Plaintext bytes of one response chunk under a profile that pads.
pub const RECORD_LEN: usize = 512;

/// Bytes of a sealed record on the wire: a two-byte length, the record, its tag. The last of an answer has one byte in place of the length.
pub const SEALED_RECORD_LEN: usize = 2 + RECORD_LEN + 16;

/// Fewest records of an answer, or of its end where parts of it went out before, under `default`.
const FEWEST_DEFAULT: usize = 8;
/// Fewest records of an answer under `strict`.
const FEWEST_STRICT: usize = 16;

/// The smallest request bucket, in bytes of binary HTTP.
const SMALLEST_BUCKET: usize = 1024;
/// Above, four times as much would be too much.
const LARGEST_POWER_OF_FOUR: usize = 1 << 20;

impl PaddingProfile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Default, Self::Strict];

    /// The profile that a manifest or a receipt names.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == name)
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Default => "default",
            Self::Strict => "strict",
        }
    }

    /// Bytes that a request of `length` bytes of binary HTTP is padded to: `default` has two buckets for each power of two from 1 KiB on (1,
    /// 1.5, 2, 3, 4, 6, .. KiB), `strict` one for each power of four (1, 4, 16, .. KiB) up to 1 MiB and for each power of two above.
    #[must_use]
    pub fn request_len(self, length: usize) -> usize {
        match self {
            Self::Off => length,
            Self::Default => half_step(length),
            Self::Strict if length <= LARGEST_POWER_OF_FOUR => power_of_four(length),
            Self::Strict => length.next_power_of_two(),
        }
    }

    /// Plaintext bytes of every response chunk; `None`: as the answer comes.
    #[must_use]
    pub const fn record_len(self) -> Option<usize> {
        match self {
            Self::Off => None,
            Self::Default | Self::Strict => Some(RECORD_LEN),
        }
    }

    /// Records that an answer ends with, of which `given` went out before and the rest needs at least `needed`: under `default` the rest goes up
    /// to a power of two, under `strict` all of them together.
    #[must_use]
    pub fn last_records(self, given: usize, needed: usize) -> usize {
        match self {
            Self::Off => needed,
            Self::Default => needed.max(FEWEST_DEFAULT).next_power_of_two(),
            Self::Strict => {
                let all = given.saturating_add(needed).max(FEWEST_STRICT);
                all.next_power_of_two().saturating_sub(given)
            }
        }
    }
}

fn half_step(length: usize) -> usize {
    let above = length.max(SMALLEST_BUCKET).next_power_of_two();
    let between = above / 4 * 3;
    if length <= between && between > SMALLEST_BUCKET {
        between
    } else {
        above
    }
}

fn power_of_four(length: usize) -> usize {
    let above = length.max(SMALLEST_BUCKET).next_power_of_two();
    // 1 KiB is 4^5: the exponents of powers of four are even.
    above << (above.trailing_zeros() % 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for profile in PaddingProfile::ALL {
            assert_eq!(PaddingProfile::parse(profile.as_str()), Some(profile));
        }
        assert_eq!(PaddingProfile::parse("Off"), None);
        assert_eq!(PaddingProfile::parse(""), None);
    }

    #[test]
    fn requests_go_up_to_their_bucket() {
        let buckets = |profile: PaddingProfile, lengths: &[usize]| -> Vec<usize> {
            lengths.iter().map(|&at| profile.request_len(at)).collect()
        };
        let lengths = [0, 1, 1024, 1025, 1536, 1537, 2048, 2049, 3072, 3073, 70_000];
        assert_eq!(buckets(PaddingProfile::Off, &lengths), lengths);
        assert_eq!(
            buckets(PaddingProfile::Default, &lengths),
            [
                1024, 1024, 1024, 1536, 1536, 2048, 2048, 3072, 3072, 4096, 98_304
            ]
        );
        assert_eq!(
            buckets(PaddingProfile::Strict, &lengths),
            [
                1024, 1024, 1024, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 262_144
            ]
        );
    }

    #[test]
    fn a_large_request_is_not_padded_to_four_times_its_length() {
        let largest = (4 << 20) + 2000;
        assert_eq!(PaddingProfile::Strict.request_len(1 << 20), 1 << 20);
        assert_eq!(PaddingProfile::Strict.request_len((1 << 20) + 1), 2 << 20);
        assert_eq!(PaddingProfile::Strict.request_len(largest), 8 << 20);
        assert_eq!(PaddingProfile::Default.request_len(largest), 6 << 20);
    }

    #[test]
    fn answers_end_with_a_bucket() {
        let default = |given, needed| PaddingProfile::Default.last_records(given, needed);
        assert_eq!([default(0, 1), default(9, 8), default(9, 9)], [8, 8, 16]);
        let strict = |given, needed| PaddingProfile::Strict.last_records(given, needed);
        assert_eq!([strict(0, 1), strict(10, 6), strict(10, 7)], [16, 6, 22]);
        assert_eq!(PaddingProfile::Off.last_records(3, 2), 2);
    }
}
