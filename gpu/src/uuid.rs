//! Which piece of hardware a device is.

/// A GPU's UUID, as the driver tells it. It names a piece of hardware: it has no `Debug`, and belongs in no log and no message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceUuid([u8; 16]);

impl DeviceUuid {
    /// `None` for zeros, which are what is there where nothing was told.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_name_no_device() {
        assert!(DeviceUuid::new([0; 16]).is_none());
        let mut bytes = [0; 16];
        bytes[15] = 1;
        assert!(DeviceUuid::new(bytes).is_some());
    }
}
