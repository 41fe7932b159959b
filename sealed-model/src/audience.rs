//! Who may read what is written, and that nobody else has a hand in it.

use rustix::process::geteuid;
use std::{fs::Metadata, os::unix::fs::MetadataExt};

/// Who may read what is written. Nobody but the user may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The user alone.
    Owner,
    /// Everyone whom the umask allows.
    All,
}

impl Audience {
    pub(crate) const fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }

    pub(crate) const fn folder_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::All => 0o755,
        }
    }

    /// Whether what was opened is this user's file, under one name, or their folder, and gives others no more than they may have.
    pub(crate) fn admits(self, opened: &Metadata) -> bool {
        let is_one = opened.is_dir() || opened.is_file() && opened.nlink() == 1;
        let is_ours = opened.uid() == geteuid().as_raw();
        is_one && is_ours && opened.mode() & self.withheld() == 0
    }

    /// The permissions that others must not have.
    const fn withheld(self) -> u32 {
        match self {
            Self::Owner => 0o077,
            Self::All => 0o022,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, chown},
    };

    #[test]
    fn what_others_may_use_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, b"").unwrap();
        let admits = |audience: Audience, mode: u32| {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            audience.admits(&fs::metadata(&file).unwrap())
        };
        assert!(admits(Audience::Owner, 0o600));
        for mode in [0o640, 0o604, 0o602, 0o610] {
            assert!(!admits(Audience::Owner, mode), "{mode:o}");
        }
        assert!(admits(Audience::All, 0o644));
        for mode in [0o664, 0o646] {
            assert!(!admits(Audience::All, mode), "{mode:o}");
        }
        fs::hard_link(&file, place.path().join("other")).unwrap();
        assert!(!admits(Audience::Owner, 0o600));
    }

    #[test]
    fn what_is_another_s_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, b"").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        // Only root can give a file away.
        if chown(&file, Some(12_345), None).is_ok() {
            assert!(!Audience::Owner.admits(&fs::metadata(&file).unwrap()));
        }
    }
}
