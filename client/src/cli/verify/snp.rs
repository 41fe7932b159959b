//! `narthex verify snp`: one AMD SEV-SNP report with its endorsements.

use super::{
    super::{
        Context, Exit, Failure, evidence_file, in_force,
        report::{Report, Retryable, exit_of_class},
        time,
    },
    snp_claims,
};
use crate::{
    Check,
    appraisal::{self, Crls},
};
use attestation::{
    UnixTime,
    roots::SnpRoots,
    snp::{self, Evidence, SnpClaims, SnpError},
};
use clap::Args;
use policy::Policy;
use serde_json::Value;
use std::path::PathBuf;

/// Judge an AMD SEV-SNP attestation report
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex verify snp --report report.bin --vek vcek.der
  narthex verify snp --report report.hex --vek vcek.pem --chain ask.pem --crl milan.crl --at 2026-06-01T00:00:00Z
  narthex verify snp --report report.bin --vek vcek.der --policy policy.json --policy-key alice.pub.pem --json

Without a policy, status 0 means: authentic, and neither a debug nor a migratable guest. Firmware floors and
measurements are for a policy to judge.")]
pub(crate) struct Snp {
    /// The report: 1184 bytes, raw or as hexadecimal text
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
    /// The VCEK or VLEK certificate: DER, PEM or hexadecimal text
    #[arg(long, value_name = "FILE")]
    vek: PathBuf,
    /// Intermediate certificates (ASK or ASVK): DER or PEM; repeatable [default: the built-in ones]
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// Revocation list of AMD's root: DER or PEM; repeatable [default: revocation is not checked]
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Judge as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

/// What the files hold.
struct Input {
    report: Vec<u8>,
    vek: Vec<u8>,
    chain: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
}

impl Snp {
    pub(super) fn judge(self, context: &Context<'_>) -> Result<Report, Failure> {
        let policy = in_force::policy(context)?;
        let now = time::or_now(self.at, context);
        let input = self.read()?;
        let outcome = input.verify(now);
        let crls = if input.crls.is_empty() {
            Crls::NotGiven
        } else {
            Crls::Given
        };
        let mut checks = appraisal::snp_checks(outcome.as_ref(), crls);
        Ok(match outcome {
            Ok(claims) => {
                checks.extend(acceptance(&claims, policy.as_ref(), now));
                Report::of(checks, snp_claims::document(&claims))
            }
            Err(error) => refused(checks, &error),
        })
    }

    fn read(&self) -> Result<Input, Failure> {
        let [vek] = <[_; 1]>::try_from(evidence_file::certificates(&self.vek)?).map_err(|_| {
            Failure::new(
                Exit::Malformed,
                "snp.vek.format",
                format!("{} holds more than one certificate", self.vek.display()),
            )
        })?;
        let all = |paths: &[PathBuf],
                   read: fn(&std::path::Path) -> Result<Vec<Vec<u8>>, Failure>| {
            let files: Result<Vec<_>, _> = paths.iter().map(|path| read(path)).collect();
            files.map(|files| files.concat())
        };
        Ok(Input {
            report: evidence_file::bytes(&self.report)?,
            vek,
            chain: all(&self.chain, evidence_file::certificates)?,
            crls: all(&self.crl, evidence_file::crls)?,
        })
    }
}

impl Input {
    /// Under the vendor's roots, whatever the binary: this command takes no others.
    fn verify(&self, now: UnixTime) -> Result<SnpClaims, SnpError> {
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        let crls: Vec<&[u8]> = self.crls.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            report: &self.report,
            vek: &self.vek,
            chain: &chain,
        };
        snp::verify(&evidence, &crls, &SnpRoots::vendor(), now)
    }
}

fn refused(checks: Vec<Check>, error: &SnpError) -> Report {
    let retryable = if error.retryable() {
        Retryable::Yes
    } else {
        Retryable::No
    };
    let exit = exit_of_class(error.class());
    Report {
        exit,
        checks,
        retryable,
        claims: Value::Null,
        incomplete_at: (exit_of_class(error.class()) == Exit::Incomplete).then_some(error.code()),
    }
}

/// Authentic is not acceptable: the policy judges, or the two things that no guest should be.
pub(super) fn acceptance(claims: &SnpClaims, policy: Option<&Policy>, now: UnixTime) -> Vec<Check> {
    let mut checks = snp_claims::remarks(claims);
    match policy {
        None => checks.extend(snp_claims::minimum(claims)),
        Some(policy) => checks.extend(judged(claims, policy, now)),
    }
    checks
}

fn judged(claims: &SnpClaims, policy: &Policy, now: UnixTime) -> Vec<Check> {
    let reasons = policy.judge_snp(claims, now);
    let mut checks: Vec<Check> = reasons.iter().map(appraisal::reason_check).collect();
    if checks.is_empty() {
        checks.push(
            Check::pass("policy.snp", "the policy accepts the report")
                .detail(format!("version {}", policy.version())),
        );
    }
    checks.push(
        Check::info("policy.node", "not judged")
            .detail("model, runtime and freshness are in a node's bundle: narthex verify bundle"),
    );
    checks
}
