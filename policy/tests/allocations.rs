//! A node that is admitted costs no allocation: what reasons need is made when there is one. Counted by the allocator itself, thread by thread.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests, with invented vendors"
)]
#![expect(unsafe_code, reason = "a global allocator is unsafe to write")]

use attestation::{
    EvidenceProvider, IdentityKey, Manifest, NodeClaims, Nonce, UnixTime, Verified, Verifier,
    danger, roots::Roots, snp::Product,
};
use policy::{HardwareId, Placement, Policy, danger::accept_custom_anchors, draft::InventoryDraft};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    collections::BTreeMap,
};
use tee_sim::{
    GpuMachine, Machine, PolicyText, Publisher, TdxMachine, Vendor,
    nvidia::Nvidia,
    policy_text::{GpuText, TdxText},
    tdx::Intel,
};

const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([9; 32]);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, and a count of what each thread asks of it.
struct Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call goes on to the system's allocator as it came; counting touches a constant-initialised thread-local only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread while it judges a node that `text` admits.
fn allocations(text: &str, verified: &Verified<NodeClaims>) -> u64 {
    let policy = Policy::from_toml(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}"));
    let policy = accept_custom_anchors(policy);
    let verified = verified.clone();
    let before = ALLOCATIONS.get();
    let verdict = policy.evaluate(verified, NOW);
    let allocations = ALLOCATIONS.get() - before;
    verdict.unwrap_or_else(|denial| panic!("{:?}", denial.reasons));
    allocations
}

fn manifest() -> Vec<u8> {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "model".to_owned(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 8192,
        max_request_bytes: 65536,
        padding: "off".to_owned(),
        policy_root: [6; 32],
        gpu: None,
    }
    .to_cbor()
}

fn verified(verifier: &Verifier, machine: &dyn EvidenceProvider) -> Verified<NodeClaims> {
    let bundle = tee_sim::bundle(machine, IdentityKey([7; 32]), manifest(), &NONCE);
    verifier.verify(&bundle, Some(&NONCE), NOW).unwrap()
}

fn text(machine: &Machine) -> PolicyText {
    let text = PolicyText::admitting(machine.report(), UnixTime(NOW.0 - 1000), NOW.plus(100_000));
    text.model("model", [2; 32])
}

#[test]
fn an_snp_node() {
    let machine = Machine::new(&Vendor::invent(Product::Genoa));
    let verified = verified(&machine.verifier(), &machine);
    let rules = r#"
[[snp.advisories]]
name = "AMD-SB-1"
product = "genoa"
component = "microcode"
minimum = 1

[[snp.host_data]]
name = "none"
value = "0000000000000000000000000000000000000000000000000000000000000000"
until = 2027-01-01T00:00:00Z
"#;
    let lines = "[snp]\ntcb_fields = [\"reported\", \"committed\", \"launch\", \"current\"]\n";
    let text = text(&machine).to_toml().replacen("[snp]\n", lines, 1);
    assert_eq!(allocations(&(text + rules), &verified), 0);
}

#[test]
fn an_snp_node_of_an_inventory() {
    let machine = Machine::new(&Vendor::invent(Product::Genoa));
    let verified = verified(&machine.verifier(), &machine);
    let rules = "\n[residency]\ncountries = [\"DE\"]\ndevices = \"cpu\"\n";
    let mut team = Publisher::new(NOW, &(text(&machine).to_toml() + rules));
    let placement = Placement {
        owner: "hospital".to_owned(),
        site: "fra1".to_owned(),
        country: "DE".to_owned(),
        valid_from: UnixTime(NOW.0 - 1000),
        valid_until: None,
        custody: None,
    };
    let chip = HardwareId::of_cpu(verified.claims()).unwrap();
    team.publish_inventory(&InventoryDraft {
        version: 1,
        name: "hardware".to_owned(),
        not_before: UnixTime(NOW.0 - 1000),
        expires: NOW.plus(100_000),
        hardware: BTreeMap::from([(chip, placement)]),
    });
    let in_force = team.in_force(NOW).map_policy(accept_custom_anchors);
    let before = ALLOCATIONS.get();
    let verdict = in_force.evaluate(verified, NOW);
    let allocations = ALLOCATIONS.get() - before;
    assert_eq!(verdict.unwrap().placement().unwrap().site, "fra1");
    assert_eq!(allocations, 0);
}

#[test]
fn a_tdx_node_with_gpus_and_switches() {
    let intel = Intel::invent(NOW);
    let nvidia = Nvidia::invent(NOW);
    let cpu = TdxMachine::new(intel.clone());
    let collateral = cpu.collateral();
    let machine = GpuMachine::new(cpu, nvidia.machine(8, 4));
    let collateral = collateral.merge(machine.collateral());
    let issued = nvidia.issue(&[0; 32]);
    let verifier = danger::verifier(Roots {
        tdx: danger::tdx_roots(&intel.root_der()),
        nvidia: danger::nvidia_roots(&issued.device_root, &issued.rim_root),
        ..Roots::vendor()
    });
    let verified = verified(&verifier.with_collateral(collateral), &machine);
    assert_eq!(allocations(&whole_machine(&verified), &verified), 0);
}

/// A policy that means this TDX node and all its devices.
fn whole_machine(verified: &Verified<NodeClaims>) -> String {
    let attestation::CpuClaims::Tdx(claims) = &verified.claims().cpu else {
        panic!("another TEE");
    };
    let devices = &verified.claims().devices.as_ref().unwrap().devices;
    let (gpu, switch) = (&devices[0].device, &devices[8].device);
    let mut text = text(&Machine::new(&Vendor::invent(Product::Genoa)));
    text.admits_snp = false;
    text.tdx = Some(TdxText {
        mrtd: claims.td.mr_td,
        rtmr1: claims.td.rtmrs[1],
    });
    text.gpu = Some(GpuText {
        count: 8,
        driver: gpu.driver_version.clone().unwrap(),
        vbios: format!("{}\", \"{}", gpu.vbios_version, switch.vbios_version),
    });
    let whole = "count = 8\nswitches = 4\ntopology = \"whole\"\nchips = [\"GH100\"]\nminimum_driver = \"1\"";
    let toml = text.to_toml().replacen("count = 8", whole, 1);
    let toml = toml.replacen("[\"spt\"]", "[\"ppcie\"]", 1);
    toml + "\n[tdx.xfam]\nrequired = [\"x87\", \"sse\"]\nallowed = [\"avx\", \"opmask\", \"zmm_hi256\", \"hi16_zmm\", \"pkru\", \"tilecfg\", \"tiledata\"]\n"
}
