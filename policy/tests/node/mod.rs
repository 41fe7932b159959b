//! One simulated node and what may be in force around it, for the tests of the rules about nodes.
#![allow(clippy::disallowed_methods, reason = "tests, with invented vendors")]

use attestation::{
    IdentityKey, Manifest, NodeClaims, Nonce, UnixTime, Verified, Verifier, danger, roots::Roots,
    snp::Product,
};
use policy::{
    Admitted, Denial, HardwareId, InForce, Placement, Publication, Reason,
    danger::accept_custom_anchors, draft::InventoryDraft,
};
use std::{collections::BTreeMap, sync::LazyLock};
use tee_sim::{Machine, PolicyText, Publisher, Vendor, nvidia::Nvidia, tdx::Intel};

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);

/// The policy's window.
pub(crate) const NOT_BEFORE: UnixTime = UnixTime(NOW.0 - 1000);
pub(crate) const EXPIRES: UnixTime = UnixTime(NOW.0 + 100_000);

const NONCE: Nonce = Nonce([9; 32]);

static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));
pub(crate) static MACHINE: LazyLock<Machine> = LazyLock::new(machine);

/// A machine of the one vendor.
pub(crate) fn machine() -> Machine {
    Machine::new(&VENDOR)
}

/// A verifier of the machine with such a GPU.
pub(crate) fn verifier(nvidia: &Nvidia) -> Verifier {
    let nvidia = nvidia.issue(&[0; 32]);
    danger::verifier(Roots {
        snp: danger::snp_roots(VENDOR.ark_der(), VENDOR.ask_der()),
        tdx: danger::tdx_roots(&Intel::invent(NOW).root_der()),
        nvidia: danger::nvidia_roots(&nvidia.device_root, &nvidia.rim_root),
    })
}

/// The machine's chip.
pub(crate) fn chip() -> HardwareId {
    HardwareId::of_cpu(verified(NOW, |_| {}).claims()).unwrap()
}

fn manifest() -> Manifest {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "great".to_owned(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: Some([8; 32]),
        kernels_digest: [5; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 8192,
        max_request_bytes: 65536,
        padding: "default".to_owned(),
        policy_root: [6; 32],
        gpu: None,
    }
}

/// The node's claims, verified at `at`, with a manifest that `edit` changed.
pub(crate) fn verified(at: UnixTime, edit: impl FnOnce(&mut Manifest)) -> Verified<NodeClaims> {
    verified_of(&MACHINE, at, edit)
}

/// The claims of another machine.
pub(crate) fn verified_of(
    machine: &Machine,
    at: UnixTime,
    edit: impl FnOnce(&mut Manifest),
) -> Verified<NodeClaims> {
    let mut manifest = manifest();
    edit(&mut manifest);
    let bundle = machine.bundle(IdentityKey([7; 32]), manifest.to_cbor(), &NONCE);
    machine
        .verifier()
        .verify(&bundle, Some(&NONCE), at)
        .unwrap()
}

/// A policy that admits the machine, and `more` tables.
pub(crate) fn text(more: &str) -> String {
    PolicyText::admitting(MACHINE.report(), NOT_BEFORE, EXPIRES).to_toml() + more
}

/// Everything in force that a team publishes with this policy and after `publish`.
pub(crate) fn in_force(policy: &str, publish: impl FnOnce(&mut Publisher)) -> InForce {
    let mut team = Publisher::new(NOW, policy);
    publish(&mut team);
    let publication = Publication::parse(&team.files()).unwrap();
    let in_force = publication.verify(&team.pinned(), NOW).unwrap();
    in_force.map_policy(accept_custom_anchors)
}

/// An inventory that places `id` in Frankfurt.
pub(crate) fn inventory(id: HardwareId) -> InventoryDraft {
    let placement = Placement {
        owner: "hospital".to_owned(),
        site: "fra1".to_owned(),
        country: "DE".to_owned(),
        valid_from: NOT_BEFORE,
        valid_until: None,
        custody: None,
    };
    InventoryDraft {
        version: 1,
        name: "hardware".to_owned(),
        not_before: NOT_BEFORE,
        expires: EXPIRES,
        hardware: BTreeMap::from([(id, placement)]),
    }
}

/// [`inventory`] with an entry that `edit` changed.
pub(crate) fn inventory_with(id: HardwareId, edit: impl FnOnce(&mut Placement)) -> InventoryDraft {
    let mut inventory = inventory(id);
    edit(inventory.hardware.get_mut(&id).unwrap());
    inventory
}

/// The reasons against a node.
pub(crate) fn reasons(result: Result<Admitted, Denial>) -> Vec<Reason> {
    result.map_or_else(|denial| denial.reasons, |_| Vec::new())
}

/// Their codes.
pub(crate) fn codes(result: Result<Admitted, Denial>) -> Vec<&'static str> {
    let reasons = reasons(result);
    reasons.iter().map(|reason| reason.code).collect()
}
