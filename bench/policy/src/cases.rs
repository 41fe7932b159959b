//! The nodes that are judged, and what they are judged by.

use attestation::{
    CollateralBundle, EvidenceProvider, IdentityKey, Manifest, NodeClaims, Nonce, UnixTime,
    Verified, Verifier, danger, roots::Roots, snp::Product,
};
use policy::{
    HardwareId, InForce, Placement, danger::accept_custom_anchors, draft::InventoryDraft,
};
use std::{collections::BTreeMap, error::Error};
use tee_sim::{
    GpuMachine, Machine, PolicyText, Publisher, TdxMachine, Vendor,
    nvidia::Nvidia,
    policy_text::{GpuText, TdxText},
    tdx::Intel,
};

pub const NOW: UnixTime = UnixTime(1_790_000_000);
const NONCE: Nonce = Nonce([7; 32]);
const MODEL: [u8; 32] = [2; 32];
const MRTD: [u8; 48] = [0xA1; 48];
const RTMR1: [u8; 48] = [0xB2; 48];
/// Pieces of hardware in the inventory, the node's own among them.
const HARDWARE: usize = 10_000;

/// What `[snp]` says beside what the simulated guest's demonstration says.
const SNP_LINES: &str = "tcb_fields = [\"reported\", \"committed\", \"launch\"]\n";
const SNP_TABLES: &str = r#"
[[snp.advisories]]
name = "AMD-SB-3019"
product = "genoa"
component = "microcode"
minimum = 1

[[snp.advisories]]
name = "AMD-SB-3023"
product = "genoa"
component = "snp"
minimum = 1
from = 2026-01-01T00:00:00Z
"#;

/// The same of `[tdx]`.
const TDX_TABLES: &str = r#"
[tdx.xfam]
required = ["x87", "sse"]
allowed = ["avx", "opmask", "zmm_hi256", "hi16_zmm", "pkru", "tilecfg", "tiledata"]

[[tdx.advisories]]
id = "INTEL-SA-00837"
until = 2027-01-01T00:00:00Z
"#;

const RESIDENCY: &str = "\n[residency]\ncountries = [\"DE\", \"FR\"]\ndevices = \"all\"\n";

/// Changes of a policy after which it denies the node.
const SPOILS: [(&str, &str); 13] = [
    (
        "name = \"simulated guest\"\ndigest = \"",
        "name = \"simulated guest\"\nuntil = 2026-01-01T00:00:00Z\ndigest = \"",
    ),
    (
        "component = \"microcode\"\nminimum = 1",
        "component = \"microcode\"\nminimum = 255",
    ),
    ("migrate_ma = \"forbid\"", "migrate_ma = \"require\""),
    ("vmpl = [0]", "vmpl = [1]"),
    (
        "name = \"simulated kernel\"\ndigest = \"b2",
        "name = \"simulated kernel\"\ndigest = \"00",
    ),
    ("allowed = [\"avx\"", "allowed = [\"apx\""),
    (
        "minimum_evaluation_number = 1",
        "minimum_evaluation_number = 100",
    ),
    (
        "sept_ve_disable = \"require\"",
        "sept_ve_disable = \"forbid\"",
    ),
    ("switches = 4", "switches = 3"),
    ("modes = [\"ppcie\"]", "modes = [\"spt\"]"),
    ("drivers = [\"", "drivers = [\"x"),
    ("countries = [\"DE\", \"FR\"]", "countries = [\"FR\"]"),
    ("name = \"model\"", "name = \"other\""),
];

/// One node under one policy, and an inventory if it has one.
pub struct Case {
    pub name: &'static str,
    pub what: &'static str,
    pub verified: Verified<NodeClaims>,
    pub policy: String,
    pub in_force: InForce,
    inventory: Option<InventoryDraft>,
}

/// Every case. Takes seconds: vendors' keys are long.
pub fn all() -> Result<[Case; 4], Box<dyn Error>> {
    let (snp, snp_text) = snp()?;
    let (tdx, tdx_text) = tdx()?;
    let inventory = |verified: &Verified<NodeClaims>| Some(inventory(verified.claims()));
    Ok([
        Case::of("snp", "an SNP node", (snp.clone(), snp_text.clone()), None),
        Case::of(
            "snp_inventory",
            "the SNP node and an inventory of 10,000 entries",
            (snp.clone(), snp_text + RESIDENCY),
            inventory(&snp),
        ),
        Case::of(
            "tdx_gpus",
            "a TDX node with 8 GPUs and 4 switches",
            (tdx.clone(), tdx_text.clone()),
            None,
        ),
        Case::of(
            "tdx_gpus_inventory",
            "the TDX node and an inventory of 10,000 entries, 13 of them its own",
            (tdx.clone(), tdx_text + RESIDENCY),
            inventory(&tdx),
        ),
    ])
}

impl Case {
    fn of(
        name: &'static str,
        what: &'static str,
        (verified, policy): (Verified<NodeClaims>, String),
        inventory: Option<InventoryDraft>,
    ) -> Self {
        let mut publisher = Publisher::new(NOW, &policy);
        if let Some(inventory) = &inventory {
            publisher.publish_inventory(inventory);
        }
        let in_force = publisher.in_force(NOW).map_policy(accept_custom_anchors);
        Self {
            name,
            what,
            verified,
            policy,
            in_force,
            inventory,
        }
    }

    /// The same node under policies that are each changed in one point so that they deny it.
    pub fn spoilt(&self) -> impl Iterator<Item = Self> {
        let fitting = SPOILS.iter().filter(|(from, _)| self.policy.contains(from));
        fitting.map(|(from, to)| {
            let policy = self.policy.replacen(from, to, 1);
            let node = (self.verified.clone(), policy);
            Self::of(self.name, from, node, self.inventory.clone())
        })
    }
}

fn text(machine: &Machine) -> PolicyText {
    let begins = UnixTime(NOW.0 - 3600);
    let text = PolicyText::admitting(machine.report(), begins, NOW.plus(100_000));
    text.model("model", MODEL)
}

fn snp() -> Result<(Verified<NodeClaims>, String), Box<dyn Error>> {
    let machine = Machine::new(&Vendor::invent(Product::Genoa));
    let bundle = machine.bundle(IdentityKey([7; 32]), manifest(), &NONCE);
    let verified = machine.verifier().verify(&bundle, Some(&NONCE), NOW)?;
    let text = text(&machine).to_toml();
    let text = text.replacen("[snp]\n", &format!("[snp]\n{SNP_LINES}"), 1);
    Ok((verified, text + SNP_TABLES))
}

fn tdx() -> Result<(Verified<NodeClaims>, String), Box<dyn Error>> {
    let intel = Intel::invent(NOW).with(|draft| {
        let td = draft.quote.body.report_mut();
        (td.mr_td, td.rtmrs[1]) = (MRTD, RTMR1);
    });
    let nvidia = Nvidia::invent(NOW);
    let cpu = TdxMachine::new(intel.clone());
    let collateral = cpu.collateral();
    let machine = GpuMachine::new(cpu, nvidia.machine(8, 4));
    let collateral = collateral.merge(machine.collateral());
    let verified = verify(&machine, &intel, &nvidia, collateral)?;
    let text = tdx_text(&verified);
    Ok((verified, text))
}

fn verify(
    machine: &dyn EvidenceProvider,
    intel: &Intel,
    nvidia: &Nvidia,
    collateral: CollateralBundle,
) -> Result<Verified<NodeClaims>, Box<dyn Error>> {
    let bundle = tee_sim::bundle(machine, IdentityKey([7; 32]), manifest(), &NONCE);
    let issued = nvidia.issue(&[0; 32]);
    let verifier: Verifier = danger::verifier(Roots {
        tdx: danger::tdx_roots(&intel.root_der()),
        nvidia: danger::nvidia_roots(&issued.device_root, &issued.rim_root),
        ..Roots::vendor()
    });
    let verifier = verifier.with_collateral(collateral);
    Ok(verifier.verify(&bundle, Some(&NONCE), NOW)?)
}

/// A policy that means this machine: its versions are those that the devices tell.
fn tdx_text(verified: &Verified<NodeClaims>) -> String {
    let mut text = text(&Machine::new(&Vendor::invent(Product::Genoa)));
    text.admits_snp = false;
    text.tdx = Some(TdxText {
        mrtd: MRTD,
        rtmr1: RTMR1,
    });
    let devices = verified.claims().devices.iter();
    let devices: Vec<_> = devices.flat_map(|machine| &machine.devices).collect();
    let drivers = devices
        .iter()
        .find_map(|one| one.device.driver_version.clone());
    let mut vbios: Vec<_> = devices
        .iter()
        .map(|one| one.device.vbios_version.clone())
        .collect();
    vbios.dedup();
    text.gpu = Some(GpuText {
        count: 8,
        driver: drivers.unwrap_or_default(),
        vbios: vbios.join("\", \""),
    });
    let whole = "count = 8\nswitches = 4\ntopology = \"whole\"\nchips = [\"GH100\"]";
    let toml = text.to_toml().replacen("count = 8", whole, 1);
    toml.replacen("modes = [\"spt\"]", "modes = [\"ppcie\"]", 1) + TDX_TABLES
}

fn manifest() -> Vec<u8> {
    Manifest {
        runtime_version: "0".to_owned(),
        runtime_digest: [0; 32],
        model: "model".to_owned(),
        model_digest: MODEL,
        tokenizer_digest: [0; 32],
        template_digest: [0; 32],
        aibom_digest: None,
        kernels_digest: [0; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 1,
        max_request_bytes: 1 << 20,
        padding: "off".to_owned(),
        policy_root: [0; 32],
        gpu: None,
    }
    .to_cbor()
}

/// What hardware the claims are of.
pub fn hardware(claims: &NodeClaims) -> Vec<HardwareId> {
    let devices = claims.devices.iter().flat_map(|machine| &machine.devices);
    let devices = devices.map(|one| HardwareId::NvidiaDevice(one.device.pdi.0));
    HardwareId::of_cpu(claims)
        .into_iter()
        .chain(devices)
        .collect()
}

fn inventory(claims: &NodeClaims) -> InventoryDraft {
    let placement = Placement {
        owner: "Example GmbH".to_owned(),
        site: "fra-1".to_owned(),
        country: "DE".to_owned(),
        valid_from: UnixTime(NOW.0 - 86_400),
        valid_until: Some(NOW.plus(86_400)),
        custody: None,
    };
    let own = hardware(claims);
    let others = (0..HARDWARE - own.len()).map(|number| {
        let mut chip = [0xC0; 64];
        chip[..8].copy_from_slice(&number.to_be_bytes());
        HardwareId::SnpChip(chip)
    });
    let all = own.iter().copied().chain(others);
    let hardware: BTreeMap<_, _> = all.map(|id| (id, placement.clone())).collect();
    InventoryDraft {
        version: 1,
        name: "bench".to_owned(),
        not_before: UnixTime(NOW.0 - 3600),
        expires: NOW.plus(100_000),
        hardware,
    }
}
