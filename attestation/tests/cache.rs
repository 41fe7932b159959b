//! What is kept never changes a verdict: warm answers are the cold ones, claims and refusals, for machines that are right and wrong, at many times.
#![allow(
    clippy::disallowed_methods,
    reason = "tests, under the roots of invented vendors"
)]

use attestation::{
    Cache, CollateralBundle, CpuEvidence, EvidenceBundle, EvidenceProvider, IdentityKey, Manifest,
    NodeClaims, Nonce, SnpEvidence, UnixTime, Verifier, VerifyError, danger, roots::Roots,
    snp::Product, tdx::Collateral,
};
use std::sync::LazyLock;
use tee_sim::{
    GpuMachine, Machine, TdxMachine, Vendor,
    nvidia::{FAULTS, Nvidia},
    tdx::Intel,
};

const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([7; 32]);

static AMD: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));
static INTEL: LazyLock<Intel> = LazyLock::new(|| Intel::invent(NOW));
static NVIDIA: LazyLock<Nvidia> = LazyLock::new(|| Nvidia::invent(NOW));

/// A verifier, what it keeps, and the cold verdict beside every warm one.
struct Bench {
    verifier: Verifier,
    cache: Cache,
}

type Verdict = Result<NodeClaims, VerifyError>;

impl Bench {
    fn with(collateral: CollateralBundle) -> Self {
        Self {
            verifier: verifier().with_collateral(collateral),
            cache: Cache::new(),
        }
    }

    /// The warm verdict, which must be the cold one.
    fn judge(&mut self, bundle: &EvidenceBundle, now: UnixTime) -> Verdict {
        let cold = self.verifier.verify(bundle, Some(&NONCE), now);
        let cache = &mut self.cache;
        let warm = self
            .verifier
            .verify_cached(cache, bundle, Some(&NONCE), now);
        let [cold, warm] = [cold, warm].map(|verdict| verdict.map(|one| one.claims().clone()));
        assert_eq!(warm, cold);
        warm
    }

    /// How many kept values the verdict on `bundle`, which must be accepted, was built on.
    fn hits(&mut self, bundle: &EvidenceBundle) -> u64 {
        let before = self.cache.hits();
        self.judge(bundle, NOW).unwrap();
        self.cache.hits() - before
    }

    /// Judges at the ends of the verdict's window and beyond, and at times far away.
    fn judge_at_many_times(&mut self, bundle: &EvidenceBundle) {
        let end = self.judge(bundle, NOW).unwrap().not_after;
        assert!(self.judge(bundle, end).is_ok());
        assert!(self.judge(bundle, end.plus(1)).is_err());
        let (day, year) = (86_400, 31_536_000);
        for ahead in [1, day, day + 1, 30 * day, year, 30 * year] {
            let _: Verdict = self.judge(bundle, NOW.plus(ahead));
            let _: Verdict = self.judge(bundle, UnixTime(NOW.0 - ahead));
        }
        assert!(self.judge(bundle, NOW).is_ok());
    }

    /// Judges `bundle` with one bit changed in each of some places of a part of it.
    fn judge_damaged(
        &mut self,
        bundle: &EvidenceBundle,
        part: impl Fn(&mut EvidenceBundle) -> &mut Vec<u8>,
    ) {
        let mut bundle = bundle.clone();
        let length = part(&mut bundle).len();
        let mut refused = 0;
        for place in (0..length).step_by(length / 16 + 1) {
            part(&mut bundle)[place] ^= 1;
            refused += usize::from(self.judge(&bundle, NOW).is_err());
            part(&mut bundle)[place] ^= 1;
        }
        assert!(refused > 8, "{refused}");
    }
}

fn verifier() -> Verifier {
    let nvidia = NVIDIA.issue(&[0; 32]);
    danger::verifier(Roots {
        snp: danger::snp_roots(AMD.ark_der(), AMD.ask_der()),
        tdx: danger::tdx_roots(&INTEL.root_der()),
        nvidia: danger::nvidia_roots(&nvidia.device_root, &nvidia.rim_root),
    })
}

fn bundle(machine: &impl EvidenceProvider, identity: u8) -> EvidenceBundle {
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
    let identity = IdentityKey([identity; 32]);
    tee_sim::bundle(machine, identity, manifest.to_cbor(), &NONCE)
}

fn snp_machine() -> Machine {
    let chain = vec![AMD.ask_der().to_vec()];
    Machine::new(&AMD).with_chain(chain)
}

fn snp(bundle: &mut EvidenceBundle) -> &mut SnpEvidence {
    match &mut bundle.cpu {
        CpuEvidence::Snp(snp) => snp,
        _ => panic!("an SNP node"),
    }
}

fn tdx_machine() -> TdxMachine {
    TdxMachine::new(INTEL.clone())
}

fn gpu_machine(gpu: Nvidia) -> GpuMachine<TdxMachine> {
    GpuMachine::new(tdx_machine(), vec![gpu])
}

fn gpu_collateral() -> CollateralBundle {
    let machine = gpu_machine(NVIDIA.clone());
    machine.collateral().merge(machine.cpu().collateral())
}

fn stapled(bundle: EvidenceBundle, collateral: &CollateralBundle) -> EvidenceBundle {
    let collateral = Some(collateral.to_cbor());
    EvidenceBundle {
        collateral,
        ..bundle
    }
}

#[test]
fn an_snp_node_is_judged_as_by_a_cold_start() {
    let mut bench = Bench::with(CollateralBundle::default());
    let good = bundle(&snp_machine(), 9);
    assert_eq!((bench.hits(&good), bench.cache.len()), (0, 1));
    assert_eq!((bench.hits(&good), bench.cache.len()), (1, 1));
    assert_eq!(
        bench.hits(&bundle(&snp_machine(), 8)),
        0,
        "another chip key"
    );
    bench.judge_at_many_times(&good);

    bench.judge_damaged(&good, |bundle| &mut snp(bundle).report);
    bench.judge_damaged(&good, |bundle| &mut snp(bundle).vek);
    bench.judge_damaged(&good, |bundle| &mut snp(bundle).chain[0]);
    bench.judge_damaged(&good, |bundle| &mut bundle.manifest);
    let mut unbound = good.clone();
    unbound.identity.0[0] ^= 1;
    assert_eq!(bench.judge(&unbound, NOW), Err(VerifyError::ReportData));
    let mut unanswered = good;
    unanswered.nonce_path = None;
    assert_eq!(bench.judge(&unanswered, NOW), Err(VerifyError::Nonce));
}

#[test]
fn a_tdx_node_is_judged_as_by_a_cold_start() {
    let mut bench = Bench::with(tdx_machine().collateral());
    let good = bundle(&tdx_machine(), 9);
    assert_eq!((bench.hits(&good), bench.cache.len()), (0, 2));
    assert_eq!((bench.hits(&good), bench.cache.len()), (2, 2));
    assert_eq!(bench.hits(&bundle(&tdx_machine(), 8)), 2, "another quote");
    bench.judge_at_many_times(&good);
    bench.judge_damaged(&good, |bundle| match &mut bundle.cpu {
        CpuEvidence::Tdx(tdx) => &mut tdx.quote,
        _ => panic!("a TDX node"),
    });

    let stranger = Intel::invent(NOW);
    let strange = bundle(&TdxMachine::new(stranger), 9);
    assert!(bench.judge(&strange, NOW).is_err());
    bench.verifier = verifier();
    assert!(bench.judge(&good, NOW).is_err(), "no collateral");
}

#[test]
fn a_quoting_enclave_with_another_report_is_verified_anew_and_kept_instead() {
    let mut bench = Bench::with(tdx_machine().collateral());
    let before = bundle(&tdx_machine(), 9);
    let changed = INTEL.with(|draft| draft.quote.qe_auth_data = vec![5; 32]);
    let after = bundle(&TdxMachine::new(changed), 9);
    let _: u64 = bench.hits(&before);
    assert_eq!(bench.hits(&after), 2);
    assert_eq!((bench.hits(&after), bench.cache.len()), (2, 2));
    assert_eq!(bench.hits(&before), 2);
}

#[test]
fn newer_collateral_is_looked_at() {
    let mut bench = Bench::with(CollateralBundle::default());
    let good = bundle(&tdx_machine(), 9);
    let current = stapled(good.clone(), &tdx_machine().collateral());
    assert_eq!((bench.hits(&current), bench.hits(&current)), (0, 2));
    let serial = INTEL.draft().pck.serial.clone();
    let revoking = INTEL.with(|draft| draft.pck_crl.revoked.push(serial));
    let revoked = stapled(good.clone(), &TdxMachine::new(revoking).collateral());
    let refusal = bench.judge(&revoked, NOW).unwrap_err();
    assert_eq!(refusal.code(), "tdx.pck.revoked");

    let collateral = tdx_machine().collateral();
    let damages: [fn(&mut Collateral); 6] = [
        |one| one.tcb_info[40] ^= 1,
        |one| one.tcb_info_signature[9] ^= 1,
        |one| one.qe_identity_signature[9] ^= 1,
        |one| *one.root_ca_crl.last_mut().unwrap() ^= 1,
        |one| *one.pck_crl.last_mut().unwrap() ^= 1,
        |one| *one.pck_crl_issuer_chain[0].last_mut().unwrap() ^= 1,
    ];
    for damage in damages {
        let mut damaged = collateral.clone();
        damage(&mut damaged.tdx[0]);
        let damaged = stapled(good.clone(), &damaged);
        assert!(bench.judge(&damaged, NOW).is_err());
    }
    assert_eq!(bench.hits(&current), 2, "refusals took nothing away");
}

#[test]
fn a_node_with_a_gpu_is_judged_as_by_a_cold_start() {
    let mut bench = Bench::with(gpu_collateral());
    let good = bundle(&gpu_machine(NVIDIA.clone()), 9);
    assert_eq!((bench.hits(&good), bench.cache.len()), (0, 4));
    assert_eq!((bench.hits(&good), bench.cache.len()), (4, 4));
    bench.judge_at_many_times(&good);
    bench.judge_damaged(&good, |bundle| &mut bundle.devices[0].report);
    bench.judge_damaged(&good, |bundle| &mut bundle.devices[0].chain[1]);

    let twice = GpuMachine::new(tdx_machine(), vec![NVIDIA.clone(), NVIDIA.clone()]);
    let refusal = bench.judge(&bundle(&twice, 9), NOW).unwrap_err();
    assert_eq!(refusal.code(), "nvidia.topology.doubled");
    bench.verifier = verifier().with_collateral(tdx_machine().collateral());
    let refusal = bench.judge(&good, NOW).unwrap_err();
    assert_eq!(refusal.class(), attestation::ErrorClass::Incomplete);
}

#[test]
fn every_fault_of_a_gpu_is_told_as_by_a_cold_start() {
    let mut bench = Bench::with(tdx_machine().collateral());
    let good = stapled(bundle(&gpu_machine(NVIDIA.clone()), 9), &gpu_collateral());
    let _: u64 = bench.hits(&good);
    let mut refused = 0;
    for fault in FAULTS.into_iter().flatten() {
        let machine = gpu_machine(NVIDIA.with(fault.make));
        let collateral = machine.collateral();
        let faulty = stapled(bundle(&machine, 9), &collateral);
        refused += usize::from(bench.judge(&faulty, NOW).is_err());
        assert_eq!(bench.hits(&good), 4, "after {}", fault.name);
    }
    assert!(refused > 30, "{refused}");
}

#[test]
fn what_other_roots_vouched_for_is_not_used() {
    let mut bench = Bench::with(gpu_collateral());
    let good = bundle(&gpu_machine(NVIDIA.clone()), 9);
    let _: u64 = bench.hits(&good);
    let hits = bench.cache.hits();
    bench.verifier = Verifier::vendor().with_collateral(gpu_collateral());
    assert!(bench.judge(&good, NOW).is_err());
    let on_snp = bundle(&snp_machine(), 9);
    assert!(bench.judge(&on_snp, NOW).is_err());
    assert_eq!((bench.cache.hits(), bench.cache.len()), (hits, 4));
}

#[test]
fn the_cap_holds() {
    let mut cache = Cache::default();
    let own = verifier();
    assert!(cache.is_empty());
    for _ in 0..260 {
        let machine = bundle(&snp_machine(), 9);
        let verdict = own.verify_cached(&mut cache, &machine, Some(&NONCE), NOW);
        assert!(verdict.is_ok());
    }
    assert_eq!((cache.len(), cache.hits()), (256, 0));
}
