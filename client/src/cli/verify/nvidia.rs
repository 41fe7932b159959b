//! `narthex verify nvidia`: one GPU or switch, or all of a machine, with their reference manifests and OCSP responses.

use super::{
    super::{
        Context, Exit, Failure, evidence_file, in_force,
        report::{Report, Retryable, exit_of_class},
        time,
    },
    nvidia_claims,
};
use crate::{
    Check, appraisal,
    trace::{Stop, trace},
};
use attestation::{
    Step, UnixTime,
    nvidia::{
        self, DeviceClaims, Evidence, EvidenceList, Kind, MACHINE_STEPS, MachineClaims,
        MachineRefusal, Missing, NvidiaError, OcspSubject, References, STEPS,
    },
    roots::NvidiaRoots,
};
use clap::{ArgGroup, Args};
use policy::Policy;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Judge evidence of NVIDIA GPUs and switches
#[derive(Args)]
#[command(
    group = ArgGroup::new("input").required(true).args(["report", "evidence"]),
    after_help = "\
Examples:
  narthex verify nvidia --report gpu.bin --chain gpu.pem --rim driver.xml --rim vbios.xml --ocsp l2.der --ocsp l3.der --ocsp l4.der
  narthex verify nvidia --report switch.hex --chain switch.pem --rim switch.xml --nonce 5f3c... --at 2026-06-01T00:00:00Z
  narthex verify nvidia --evidence machine.json --rim driver.xml --rim vbios.xml

Without a reference manifest or an OCSP response that the verdict needs, everything given is checked and the status is 20.")]
pub(crate) struct Nvidia {
    /// The report: SPDM request and response, raw or as hexadecimal text
    #[arg(long, value_name = "FILE", requires = "chain")]
    report: Option<PathBuf>,
    /// The device's certificates, leaf first: PEM, or DER one by one; repeatable
    #[arg(long, value_name = "FILE", requires = "report")]
    chain: Vec<PathBuf>,
    /// All devices of a machine, as NVIDIA's tools write them: JSON
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Reference integrity manifest of the driver or the VBIOS: XML; repeatable
    #[arg(long, value_name = "FILE")]
    rim: Vec<PathBuf>,
    /// OCSP response for a certificate of a device or a manifest: DER, raw or in base64; repeatable
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    /// The nonce that the evidence must answer, 64 hexadecimal digits [default: any]
    #[arg(long, value_name = "HEX", value_parser = parse_nonce)]
    nonce: Option<[u8; 32]>,
    /// Judge as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

/// What a verdict is asked of.
struct Question {
    references: References,
    nonce: Option<[u8; 32]>,
    policy: Option<Policy>,
    now: UnixTime,
}

impl Nvidia {
    /// Under the vendor's roots, whatever the binary: this command takes no others.
    pub(super) fn judge(self, context: &Context<'_>) -> Result<Report, Failure> {
        let question = Question {
            references: References {
                rims: all(&self.rim, evidence_file::bytes)?,
                ocsp: all(&self.ocsp, evidence_file::base64_or_bytes)?,
            },
            nonce: self.nonce,
            policy: in_force::policy(context)?,
            now: time::or_now(self.at, context),
        };
        match (&self.report, &self.evidence) {
            (Some(report), _) => question.judge_device(report, &self.chain),
            (None, Some(evidence)) => question.judge_machine(evidence),
            (None, None) => Err(Failure::usage(
                "arguments",
                "give --report with --chain, or --evidence".to_owned(),
            )),
        }
    }
}

impl Question {
    fn judge_device(&self, report: &Path, chain: &[PathBuf]) -> Result<Report, Failure> {
        let report = evidence_file::bytes(report)?;
        let chain: Result<Vec<_>, _> = chain
            .iter()
            .map(|path| evidence_file::certificates(path))
            .collect();
        let chain = chain?.concat();
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            report: &report,
            chain: &chain,
        };
        let roots = NvidiaRoots::vendor();
        let nonce = self.nonce.as_ref();
        let outcome = nvidia::verify(&evidence, &self.references, nonce, &roots, self.now);
        Ok(self.told_device(outcome))
    }

    fn judge_machine(&self, path: &Path) -> Result<Report, Failure> {
        let json = evidence_file::bytes(path)?;
        let list = EvidenceList::from_json(&json)
            .map_err(|error| Failure::new(Exit::Malformed, error.code(), error.to_string()))?;
        let chains: Vec<Vec<&[u8]>> = list
            .devices
            .iter()
            .map(|device| device.chain.iter().map(Vec::as_slice).collect())
            .collect();
        let evidence: Vec<Evidence<'_>> = list
            .devices
            .iter()
            .zip(&chains)
            .map(|(device, chain)| Evidence {
                report: &device.report,
                chain,
            })
            .collect();
        let roots = NvidiaRoots::vendor();
        let nonce = self.nonce.as_ref();
        let outcome = nvidia::verify_all(&evidence, &self.references, nonce, &roots, self.now);
        Ok(self.told_machine(outcome))
    }

    fn told_device(&self, outcome: Result<DeviceClaims, NvidiaError>) -> Report {
        let (found, error) = match outcome {
            Ok(claims) => (Some(claims), None),
            Err(NvidiaError::Incomplete { missing, found }) => {
                let claims = (*found).clone();
                (
                    Some(claims),
                    Some(NvidiaError::Incomplete { missing, found }),
                )
            }
            Err(error) => (None, Some(error)),
        };
        let stop = error.as_ref().map(|error| stop(error, None));
        let mut not_given = self.not_given(found.as_slice());
        not_given.extend(error.as_ref().map_or(&[][..], unanswered));
        if found
            .as_ref()
            .is_some_and(|claims| claims.device.kind() == Kind::Gpu)
        {
            not_given.push("nvidia.pdi");
        }
        let mut checks = trace(STEPS, stop.as_ref(), &not_given, |step| {
            found
                .as_ref()
                .map_or_else(String::new, |claims| claims.detail(step))
        });
        let mut document = Value::Null;
        if let Some(claims) = &found {
            checks.extend(nvidia_claims::unused(claims));
            checks.extend(nvidia_claims::remarks());
            if error.is_none() {
                document = nvidia_claims::document(claims);
                checks.extend(self.judged(std::slice::from_ref(claims)));
            }
        }
        concluded(checks, error.as_ref(), document)
    }

    fn told_machine(&self, outcome: Result<MachineClaims, Box<MachineRefusal>>) -> Report {
        match outcome {
            Ok(claims) => {
                let mut not_given = self.not_given(&claims.devices);
                not_given.extend(claims.skipped());
                let devices: Vec<_> = claims
                    .devices
                    .iter()
                    .map(|one| one.device.clone())
                    .collect();
                let mut checks = trace(MACHINE_STEPS, None, &not_given, |_| String::new());
                checks.extend(nvidia_claims::devices(&devices, Some(&claims.topology)));
                checks.extend(nvidia_claims::remarks());
                checks.extend(self.judged(&claims.devices));
                Report::of(checks, nvidia_claims::machine(&claims))
            }
            Err(refusal) => {
                let stop = stop(&refusal.error, refusal.index);
                let mut not_given = self.not_given(&[]);
                not_given.extend(unanswered(&refusal.error));
                not_given.extend(uncompared(&refusal));
                let mut checks = trace(MACHINE_STEPS, Some(&stop), &not_given, |_| String::new());
                checks.extend(nvidia_claims::devices(
                    &refusal.devices,
                    refusal.topology.as_ref(),
                ));
                concluded(checks, Some(&refusal.error), Value::Null)
            }
        }
    }

    /// What the policy says of devices that are authentic and measure as published.
    fn judged(&self, devices: &[DeviceClaims]) -> Vec<Check> {
        let Some(policy) = &self.policy else {
            return Vec::new();
        };
        let reasons = policy.judge_devices(devices, self.now);
        let mut checks: Vec<Check> = reasons.iter().map(appraisal::reason_check).collect();
        if checks.is_empty() {
            checks.push(
                Check::pass("policy.gpu", "the policy accepts the devices")
                    .detail(format!("version {}", policy.version())),
            );
        }
        checks
    }

    /// Ids of the steps that have nothing to look at.
    fn not_given(&self, found: &[DeviceClaims]) -> Vec<&'static str> {
        let no_rims = self.references.rims.is_empty();
        let no_ocsp = self.references.ocsp.is_empty();
        let lack = |lacks: fn(&DeviceClaims) -> bool| found.iter().any(lacks);
        let no_driver = no_rims || lack(|one| one.driver_rim.is_none());
        let no_vbios = no_rims || lack(|one| one.vbios_rim.is_none());
        let is_skipped = |step: &&Step| match step.id {
            "nvidia.nonce" => self.nonce.is_none(),
            "nvidia.fwid" => lack(|one| one.device.fwid.is_none()),
            "nvidia.measurements.driver" => no_driver,
            "nvidia.measurements.vbios" => no_vbios,
            "nvidia.measurements.conflict" => no_driver || no_vbios,
            id => {
                (no_rims && id.starts_with("nvidia.rim."))
                    || (no_ocsp && id.starts_with("nvidia.ocsp."))
            }
        };
        let skipped = MACHINE_STEPS.iter().filter(is_skipped);
        skipped.map(|step| step.id).collect()
    }
}

fn all(
    paths: &[PathBuf],
    read: fn(&Path) -> Result<Vec<u8>, Failure>,
) -> Result<Vec<Vec<u8>>, Failure> {
    paths.iter().map(|path| read(path)).collect()
}

/// Certificates of a device that a responder answers for: ROM, provisioner, generation.
const ANSWERED: usize = 3;

/// Steps of OCSP responses, where none of those given is about the device's certificates.
fn unanswered(error: &NvidiaError) -> &'static [&'static str] {
    let NvidiaError::Incomplete { missing, .. } = error else {
        return &[];
    };
    let of_device = |one: &&Missing| matches!(one, Missing::Ocsp(OcspSubject::Device(..)));
    if missing.iter().filter(of_device).count() < ANSWERED {
        return &[];
    }
    &[
        "nvidia.ocsp.cert_id",
        "nvidia.ocsp.responder",
        "nvidia.ocsp.responder.window",
        "nvidia.ocsp.signature",
        "nvidia.ocsp.window",
        "nvidia.ocsp.revoked",
        "nvidia.ocsp.hold",
        "nvidia.ocsp.unknown",
    ]
}

/// Steps over a whole machine that a refusal left without an answer.
fn uncompared(refusal: &MachineRefusal) -> Vec<&'static str> {
    let no_links = refusal.topology.as_ref().is_some_and(|all| !all.is_whole);
    let links = no_links.then_some(["nvidia.topology.omitted", "nvidia.topology.linked"]);
    let is_incomplete = matches!(refusal.error, NvidiaError::Incomplete { .. });
    let measurements = is_incomplete.then_some([
        "nvidia.measurements.conflict",
        "nvidia.measurements.driver",
        "nvidia.measurements.vbios",
    ]);
    let links = links.into_iter().flatten();
    links.chain(measurements.into_iter().flatten()).collect()
}

fn stop(error: &NvidiaError, index: Option<usize>) -> Stop {
    let message = match index {
        Some(index) if !matches!(error, NvidiaError::Incomplete { .. }) => {
            format!("device {index}: {error}")
        }
        _ => error.to_string(),
    };
    Stop {
        code: error.code(),
        class: error.class(),
        message,
    }
}

fn concluded(checks: Vec<Check>, error: Option<&NvidiaError>, claims: Value) -> Report {
    let report = Report::of(checks, claims);
    let Some(error) = error else {
        return report;
    };
    let retryable = if error.retryable() {
        Retryable::Yes
    } else {
        Retryable::No
    };
    let exit = exit_of_class(error.class());
    let judged = Report {
        exit,
        retryable,
        ..report
    };
    judged.stopped_by(error.code())
}

fn parse_nonce(text: &str) -> Result<[u8; 32], String> {
    let mut nonce = [0; 32];
    hex::decode_to_slice(text, &mut nonce)
        .map(|()| nonce)
        .map_err(|_| "not 64 hexadecimal digits".to_owned())
}
