//! The official openai SDK through `narthex proxy`: only its base URL changed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use protocol::PaddingProfile;
use std::process::Command;
use tests::stack::MODEL;

#[test]
fn the_openai_sdk_works_with_only_its_base_url_changed_under_each_padding_profile() {
    for padding in PaddingProfile::ALL {
        let shared = shared::padded(padding);
        let proxy = shared::proxy(&shared.stack);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/openai_sdk.py");
        let output = Command::new(shared::python())
            .args([script, &proxy.base_url, MODEL])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{padding:?}: {said}\nproxy:\n{}",
            String::from_utf8_lossy(&proxy.process.output())
        );
        assert!(said.contains("Ran 1"), "the SDK's tests ran: {said}");
    }
}
