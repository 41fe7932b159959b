//! The code that computes on a node's GPUs: what every policy demands of it, and the rules of `[engine.gpu]`.

use super::{
    Subject, listed,
    service::{has, names},
    told,
};
use crate::{
    Policy, Reason,
    engine::{ARITHMETICS, GpuCodeRules},
};
use attestation::{
    Manifest,
    manifest::{GpuCode, SelfTest},
    nvidia::Kind,
};

const EVERY_POLICY: &str = "every policy";
/// How the names of engines begin that compute on GPUs; their arithmetic follows.
const ON_GPUS: &str = "cuda/";

/// Every unmet demand and rule.
pub(super) fn reasons(policy: &Policy, subject: &Subject<'_>) -> Vec<Reason> {
    let manifest = &subject.claims.manifest;
    let devices = subject.devices().len();
    let mut reasons = of_manifest(policy, manifest, devices);
    reasons.extend(other_driver(manifest, subject));
    reasons
}

/// Those that a manifest can answer on a machine with as many devices.
pub(super) fn of_manifest(policy: &Policy, manifest: &Manifest, devices: usize) -> Vec<Reason> {
    let rules = policy.engine().and_then(|engine| engine.gpu.as_ref());
    let mut reasons: Vec<Reason> = other_engine(manifest).into_iter().collect();
    match (&manifest.gpu, rules) {
        (Some(code), rules) => {
            reasons.extend(no_devices(devices));
            reasons.extend(self_test(code));
            reasons.extend(rules.into_iter().flat_map(|rules| of_code(rules, code)));
        }
        (None, Some(_)) if devices > 0 => reasons.push(untold()),
        (None, _) => {}
    }
    reasons
}

/// Who computes on GPUs says so twice, and the same: else no demand and no rule would see what `engine` names.
fn other_engine(manifest: &Manifest) -> Option<Reason> {
    let engine = manifest.engine.as_str();
    let stated = manifest.gpu.as_ref().map(|code| code.kernels.arithmetic);
    let agrees = match stated {
        Some(arithmetic) => engine.strip_prefix(ON_GPUS) == Some(arithmetic.as_str()),
        None => !engine.starts_with(ON_GPUS),
    };
    (!agrees).then(|| {
        let expected = match stated {
            Some(arithmetic) => format!("the engine {ON_GPUS}{}", arithmetic.as_str()),
            None => "an engine of the CPU, or the code for GPUs stated".to_owned(),
        };
        let code = "policy.engine.stated_mode";
        Reason::new(code, EVERY_POLICY, expected, told(engine))
    })
}

/// Prompts would go to a GPU that nobody has verified.
fn no_devices(devices: usize) -> Option<Reason> {
    (devices == 0).then(|| {
        Reason::new(
            "policy.engine.devices",
            EVERY_POLICY,
            "evidence of the GPUs that compute",
            "none",
        )
    })
}

fn self_test(code: &GpuCode) -> Option<Reason> {
    let has_passed = matches!(code.self_test, SelfTest::Passed(_));
    (!has_passed).then(|| {
        Reason::new(
            "policy.engine.self_test",
            EVERY_POLICY,
            "a self-test of the GPUs that has passed",
            code.self_test.as_str(),
        )
    })
}

/// The driver that the manifest states is the one that every GPU signed for.
fn other_driver(manifest: &Manifest, subject: &Subject<'_>) -> Option<Reason> {
    let stated = manifest.gpu.as_ref()?.driver.as_str();
    let devices = subject.devices().iter().map(|claims| &claims.device);
    let mut gpus = devices.filter(|device| device.kind() == Kind::Gpu);
    let other = gpus.find(|gpu| gpu.driver_version.as_deref() != Some(stated))?;
    let signed = other.driver_version.as_deref().unwrap_or("none");
    Some(Reason::new(
        "policy.engine.stated_driver",
        EVERY_POLICY,
        format!("the driver of the GPU's own report, {}", told(signed)),
        told(stated),
    ))
}

/// Where the code of GPUs is to be known, a node with GPUs that says nothing of it may run any.
fn untold() -> Reason {
    Reason::new(
        "policy.engine.gpu",
        "engine.gpu",
        "a manifest that states what computes on the GPUs",
        "none",
    )
}

fn of_code(rules: &GpuCodeRules, code: &GpuCode) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = cubins(rules, code).into_iter().collect();
    reasons.extend(arithmetic(rules, code));
    reasons.extend(driver(rules, code));
    reasons
}

fn cubins(rules: &GpuCodeRules, code: &GpuCode) -> Option<Reason> {
    let accepted = rules.cubins.as_ref()?;
    let digest = &code.kernels.cubins_digest;
    (!has(accepted, digest)).then(|| {
        let (code, rule) = ("policy.engine.cubins", "engine.gpu.cubins");
        Reason::new(code, rule, names(accepted), hex::encode(digest))
    })
}

fn arithmetic(rules: &GpuCodeRules, code: &GpuCode) -> Option<Reason> {
    let accepted = rules.arithmetic.as_ref()?;
    let actual = code.kernels.arithmetic;
    (!accepted.contains(&actual)).then(|| {
        let known = ARITHMETICS.iter();
        let named = known.filter(|(_, arithmetic)| accepted.contains(arithmetic));
        Reason::new(
            "policy.engine.arithmetic",
            "engine.gpu.arithmetic",
            listed(named.map(|(name, _)| (*name).to_owned())),
            actual.as_str(),
        )
    })
}

fn driver(rules: &GpuCodeRules, code: &GpuCode) -> Option<Reason> {
    let floor = rules.minimum_driver.as_ref()?;
    (!floor.accepts(&code.driver)).then(|| {
        Reason::new(
            "policy.engine.driver",
            "engine.gpu.minimum_driver",
            format!("{} or later", told(floor.as_str())),
            told(&code.driver),
        )
    })
}
