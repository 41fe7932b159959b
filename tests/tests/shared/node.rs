//! Scripts of ours under Node, with the packages of the cache beside them: both are reached through links, so that nothing is installed
//! into the tree.

use super::{node_modules, place};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// `script` of `tests/interop/node`.
pub(crate) fn node(script: &str) -> Command {
    let place = linked();
    let mut node = Command::new("node");
    node.args(["--preserve-symlinks", "--preserve-symlinks-main"])
        .arg(place.join("scripts").join(script));
    node
}

/// Made once for all tests of this program.
fn linked() -> &'static Path {
    static LINKED: OnceLock<PathBuf> = OnceLock::new();
    LINKED.get_or_init(|| {
        let place = place("-node");
        let _absent = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/node");
        symlink(scripts, place.join("scripts")).unwrap();
        symlink(node_modules(), place.join("node_modules")).unwrap();
        place
    })
}
