//! The steps of [`super::verify`] in their order, for those who show them one by one.

use super::SnpClaims;

/// One step of the verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Stable id; the code of the error when the step fails.
    pub id: &'static str,
    /// What it checks.
    pub title: &'static str,
    /// Where the specification demands it.
    pub section: &'static str,
}

const REPORT: &str = "AMD 56860 table 23";
const VEK: &str = "AMD 57230 section 3";
const PATH: &str = "RFC 5280 section 6.1";
const LIST: &str = "RFC 5280 section 6.3";

/// Every step in order. Those whose id begins with `snp.crl.` look at nothing when no CRL is given.
pub const STEPS: &[Step] = &[
    step("snp.report.size", "the report has 1184 bytes", REPORT),
    step(
        "snp.report.version",
        "the report's version is known",
        REPORT,
    ),
    step("snp.report.reserved", "reserved bytes are zero", REPORT),
    step(
        "snp.report.policy",
        "the guest policy uses known bits only",
        "AMD 56860 table 10",
    ),
    step(
        "snp.report.platform_info",
        "the platform info uses known bits only",
        "AMD 56860 table 24",
    ),
    step("snp.report.fields", "every field is in its range", REPORT),
    step(
        "snp.vek.format",
        "the VCEK or VLEK is an X.509 certificate",
        "RFC 5280 section 4.1",
    ),
    step(
        "snp.vek.extensions",
        "the VCEK or VLEK has AMD's extensions",
        VEK,
    ),
    step(
        "snp.chain.format",
        "the chain consists of X.509 certificates",
        "RFC 5280 section 4.1",
    ),
    step(
        "snp.crl.format",
        "the CRLs are well-formed",
        "RFC 5280 section 5.1",
    ),
    step(
        "snp.report.product",
        "the report's processor is known",
        REPORT,
    ),
    step("snp.vek.product", "the certificate's product is known", VEK),
    step(
        "snp.product",
        "report and certificate are of one product",
        VEK,
    ),
    step(
        "snp.signing_key",
        "the report names the certificate's kind of key",
        REPORT,
    ),
    step(
        "snp.chain.issuer",
        "the chain leads to AMD's pinned root",
        PATH,
    ),
    step(
        "snp.chain.constraints",
        "every certificate may stand where it does",
        PATH,
    ),
    step(
        "snp.chain.algorithm",
        "RSASSA-PSS with SHA-384, RSA-4096, P-384",
        VEK,
    ),
    step(
        "snp.chain.signature",
        "every certificate is signed by the one above",
        PATH,
    ),
    step(
        "snp.chain.not_yet_valid",
        "every certificate is valid already",
        PATH,
    ),
    step(
        "snp.chain.expired",
        "every certificate is valid still",
        PATH,
    ),
    step("snp.crl.issuer", "the CRLs are this root's", LIST),
    step("snp.crl.signature", "the CRLs are signed by the root", LIST),
    step("snp.crl.window", "the CRLs are current", LIST),
    step(
        "snp.crl.revoked",
        "no certificate of the chain is revoked",
        LIST,
    ),
    step("snp.vek.hwid", "the VCEK is for the report's chip", VEK),
    step("snp.vek.tcb", "the certificate is for REPORTED_TCB", VEK),
    step(
        "snp.signature",
        "the report is signed by the VCEK or VLEK",
        "AMD 56860 section 7.3",
    ),
    step(
        "snp.report.tcb",
        "the TCB versions use known bytes only",
        "AMD 57230 table 3",
    ),
];

const fn step(id: &'static str, title: &'static str, section: &'static str) -> Step {
    Step { id, title, section }
}

impl Step {
    /// What the step found in evidence that passed all of them, for people; empty where the title says it all.
    #[must_use]
    pub fn detail(&self, claims: &SnpClaims) -> String {
        match self.id {
            "snp.report.version" => format!("version {}", claims.version),
            "snp.report.policy" => format!("{:#x}", claims.guest_policy),
            "snp.report.platform_info" => format!("{:#x}", claims.platform_info),
            "snp.report.fields" => format!("VMPL {}", claims.vmpl),
            "snp.product" | "snp.vek.product" => claims.product.to_string(),
            "snp.signing_key" => claims.signing_key.to_string(),
            "snp.chain.issuer" => format!("ARK-{}", claims.product),
            "snp.chain.expired" => format!("valid until {}", claims.not_after.to_rfc3339()),
            "snp.crl.window" => crl_window(claims),
            "snp.vek.hwid" => chip(claims),
            "snp.vek.tcb" => claims.reported_tcb.to_string(),
            "snp.signature" => "ECDSA P-384 over the bytes received".into(),
            "snp.report.tcb" => format!("current: {}", claims.current_tcb),
            _ => String::new(),
        }
    }
}

fn crl_window(claims: &SnpClaims) -> String {
    match claims.crl_next_update {
        Some(next_update) => format!("next update {}", next_update.to_rfc3339()),
        None => "not checked".into(),
    }
}

/// The first bytes of CHIP_ID, or whose key it is instead.
fn chip(claims: &SnpClaims) -> String {
    match (&claims.chip_id, &claims.csp_id) {
        (Some([a, b, c, d, ..]), _) => format!("chip {a:02x}{b:02x}{c:02x}{d:02x}.."),
        (None, Some(csp_id)) => format!("a VLEK of {csp_id:?} names no chip"),
        (None, None) => "masked".into(),
    }
}
