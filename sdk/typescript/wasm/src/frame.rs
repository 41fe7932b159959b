//! How orders and answers cross the boundary: length of the JSON (u32, little-endian), the JSON, then bytes.

use zeroize::Zeroizing;

/// One order or answer. The bytes may be a prompt: wiped on drop.
#[derive(Default)]
pub struct Frame {
    /// JSON.
    pub json: String,
    /// What the JSON speaks of.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Frame {
    /// Reads a frame; `None` if it is none.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let (length, rest) = frame.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (json, bytes) = rest.split_at_checked(length)?;
        Some(Self {
            json: str::from_utf8(json).ok()?.to_owned(),
            bytes: Zeroizing::new(bytes.to_vec()),
        })
    }

    /// Writes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.json.len()).unwrap_or(u32::MAX);
        let mut out = Vec::with_capacity(4 + self.json.len() + self.bytes.len());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(self.json.as_bytes());
        out.extend_from_slice(&self.bytes);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_is_not() {
        let frame = Frame {
            json: "{}".to_owned(),
            bytes: Zeroizing::new(vec![1, 2]),
        };
        let bytes = frame.to_bytes();
        assert_eq!(bytes, [2, 0, 0, 0, b'{', b'}', 1, 2]);
        let read = Frame::parse(&bytes).unwrap();
        assert_eq!((read.json.as_str(), &read.bytes[..]), ("{}", &[1, 2][..]));
        for cut in 0..6 {
            assert!(Frame::parse(&bytes[..cut]).is_none(), "{cut}");
        }
        assert!(Frame::parse(&[1, 0, 0, 0, 0xff]).is_none());
        assert!(Frame::parse(&[0xff, 0xff, 0xff, 0xff, 0]).is_none());
    }
}
