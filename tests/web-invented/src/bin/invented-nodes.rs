//! Bundles of simulated nodes as requests, one JSON object per line with the verdict that each demands.

use attestation::{
    CollateralBundle, EvidenceBundle, EvidenceProvider, IdentityKey, Manifest, Nonce, UnixTime,
    snp::Product,
};
use serde_json::{Value, json};
use std::io::{self, Write as _};
use tee_sim::{GpuMachine, Machine, TdxMachine, Vendor, nvidia::Nvidia, tdx::Intel};

/// 2026-06-01T00:00:00Z: when they are judged.
const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([7; 32]);

/// A node, and what its verifier needs.
struct Node {
    name: &'static str,
    roots: Value,
    bundle: EvidenceBundle,
    collateral: Option<CollateralBundle>,
    /// Exit status and code where no collateral is given.
    without_collateral: (u8, &'static str),
}

/// What is asked about it.
#[derive(Clone)]
struct Question {
    bundle: Vec<u8>,
    collateral: Option<Vec<u8>>,
    nonce: Nonce,
}

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    let nodes = [snp(0), snp_with_gpu(), tdx(0)];
    let cases = nodes.iter().flat_map(Node::cases).chain(unacceptable());
    for case in cases {
        writeln!(output, "{case}")?;
    }
    Ok(())
}

/// Authentic nodes that nothing accepts unless a policy does.
fn unacceptable() -> impl Iterator<Item = Value> {
    [
        (snp(1 << 19), "open to debugging", "snp.debug"),
        (snp(1 << 18), "open to migration", "snp.migratable"),
        (tdx(1), "open to debugging", "tdx.debug"),
        (tdx(1 << 29), "open to migration", "tdx.migratable"),
    ]
    .into_iter()
    .map(|(node, what, code)| node.case(what, (10, code), &node.question(&node.bundle)))
}

/// A node whose guest policy has these bits too.
fn snp(policy: u64) -> Node {
    let vendor = Vendor::invent(Product::Turin);
    let machine = Machine::new(&vendor).with_report(|report| report.policy |= policy);
    Node {
        name: "SNP",
        roots: json!({"snp": snp_root(&vendor)}),
        bundle: bundle(&machine),
        collateral: None,
        without_collateral: (0, "ok"),
    }
}

fn snp_with_gpu() -> Node {
    let (vendor, nvidia) = (Vendor::invent(Product::Genoa), Nvidia::invent(NOW));
    let issued = nvidia.issue(&[0; 32]);
    let nvidia_roots = json!({
        "device_root": hex::encode(issued.device_root),
        "rim_root": hex::encode(issued.rim_root),
    });
    let machine = GpuMachine::new(Machine::new(&vendor), vec![nvidia]);
    Node {
        name: "SNP with a GPU",
        roots: json!({"snp": snp_root(&vendor), "nvidia": nvidia_roots}),
        bundle: bundle(&machine),
        collateral: Some(machine.collateral()),
        without_collateral: (20, "nvidia.complete"),
    }
}

/// A node whose TD has these attributes too.
fn tdx(attributes: u64) -> Node {
    let intel = Intel::invent(NOW);
    let intel = intel.with(|draft| draft.quote.body.report_mut().td_attributes |= attributes);
    let machine = TdxMachine::new(intel);
    Node {
        name: "TDX",
        roots: json!({"tdx": hex::encode(machine.intel().root_der())}),
        bundle: bundle(&machine),
        collateral: Some(machine.collateral()),
        without_collateral: (20, "tdx.collateral.given"),
    }
}

fn snp_root(vendor: &Vendor) -> Value {
    json!({"ark": hex::encode(vendor.ark_der()), "ask": hex::encode(vendor.ask_der())})
}

fn bundle(machine: &dyn EvidenceProvider) -> EvidenceBundle {
    tee_sim::bundle(machine, IdentityKey([9; 32]), manifest(), &NONCE)
}

fn manifest() -> Vec<u8> {
    let manifest = Manifest {
        runtime_version: "0.1.0".into(),
        runtime_digest: [1; 32],
        model: "m".into(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/idle".into(),
        isa: "scalar".into(),
        max_context_tokens: 64,
        max_request_bytes: 1024,
        padding: "off".into(),
        policy_root: [6; 32],
        gpu: None,
    };
    manifest.to_cbor()
}

impl Node {
    fn cases(&self) -> Vec<Value> {
        let genuine = self.question(&self.bundle);
        let mut bare = genuine.clone();
        bare.collateral = None;
        let mut stapled = self.question(&EvidenceBundle {
            collateral: genuine.collateral.clone(),
            ..self.bundle.clone()
        });
        stapled.collateral = None;
        let other_identity = self.question(&EvidenceBundle {
            identity: IdentityKey([8; 32]),
            ..self.bundle.clone()
        });
        let with_no_list = self.question(&EvidenceBundle {
            key_configs: Some(vec![0xA0]),
            ..self.bundle.clone()
        });
        let mut other_nonce = genuine.clone();
        other_nonce.nonce = Nonce([8; 32]);
        let mut no_bundle = genuine.clone();
        no_bundle.bundle = vec![0xFF];
        let mut no_collateral = genuine.clone();
        no_collateral.collateral = Some(vec![0xFF]);
        let rejected = |code| (10, code);
        let malformed = |code| (30, code);
        [
            ("collateral given", (0, "ok"), genuine),
            ("collateral stapled", (0, "ok"), stapled),
            ("no collateral", self.without_collateral, bare),
            ("another nonce", rejected("freshness.nonce"), other_nonce),
            (
                "another identity",
                rejected("binding.report_data"),
                other_identity,
            ),
            (
                "keys that are none",
                rejected("keys.malformed"),
                with_no_list,
            ),
            ("no bundle", malformed("bundle.encoding"), no_bundle),
            (
                "no collateral bundle",
                malformed("collateral.encoding"),
                no_collateral,
            ),
        ]
        .map(|(what, verdict, question)| self.case(what, verdict, &question))
        .into()
    }

    fn question(&self, bundle: &EvidenceBundle) -> Question {
        Question {
            bundle: bundle.to_cbor(),
            collateral: self.collateral.as_ref().map(CollateralBundle::to_cbor),
            nonce: NONCE,
        }
    }

    fn case(&self, what: &str, (exit, code): (u8, &str), question: &Question) -> Value {
        json!({
            "why": format!("{}: {what}", self.name),
            "exit": exit,
            "code": code,
            "request": {"roots": self.roots, "request": {"bundle": question.to_json()}},
        })
    }
}

impl Question {
    fn to_json(&self) -> Value {
        json!({
            "bundle": hex::encode(&self.bundle),
            "collateral": self.collateral.as_ref().map(hex::encode),
            "nonce": hex::encode(self.nonce.0),
            "at": NOW.to_rfc3339(),
        })
    }
}
