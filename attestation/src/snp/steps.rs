//! The steps of [`super::verify`] in their order, for those who show them one by one.

use super::SnpClaims;
use crate::Step;

const REPORT: &str = "AMD 56860 table 23";
const VEK: &str = "AMD 57230 section 3";
const PATH: &str = "RFC 5280 section 6.1";
const LIST: &str = "RFC 5280 section 6.3";

/// Every step in order. Those whose id begins with `snp.crl.` look at nothing when no CRL is given.
pub const STEPS: &[Step] = &[
    Step::new("snp.report.size", "the report has 1184 bytes", REPORT),
    Step::new(
        "snp.report.version",
        "the report's version is known",
        REPORT,
    ),
    Step::new("snp.report.reserved", "reserved bytes are zero", REPORT),
    Step::new(
        "snp.report.policy",
        "the guest policy uses known bits only",
        "AMD 56860 table 10",
    ),
    Step::new(
        "snp.report.platform_info",
        "the platform info uses known bits only",
        "AMD 56860 table 24",
    ),
    Step::new("snp.report.fields", "every field is in its range", REPORT),
    Step::new(
        "snp.vek.format",
        "the VCEK or VLEK is an X.509 certificate",
        "RFC 5280 section 4.1",
    ),
    Step::new(
        "snp.vek.extensions",
        "the VCEK or VLEK has AMD's extensions",
        VEK,
    ),
    Step::new(
        "snp.chain.format",
        "the chain consists of X.509 certificates",
        "RFC 5280 section 4.1",
    ),
    Step::new(
        "snp.crl.format",
        "the CRLs are well-formed",
        "RFC 5280 section 5.1",
    ),
    Step::new(
        "snp.report.product",
        "the report's processor is known",
        REPORT,
    ),
    Step::new("snp.vek.product", "the certificate's product is known", VEK),
    Step::new(
        "snp.product",
        "report and certificate are of one product",
        VEK,
    ),
    Step::new(
        "snp.signing_key",
        "the report names the certificate's kind of key",
        REPORT,
    ),
    Step::new(
        "snp.chain.issuer",
        "the chain leads to AMD's pinned root",
        PATH,
    ),
    Step::new(
        "snp.chain.constraints",
        "every certificate may stand where it does",
        PATH,
    ),
    Step::new(
        "snp.chain.algorithm",
        "RSASSA-PSS with SHA-384, RSA-4096, P-384",
        VEK,
    ),
    Step::new(
        "snp.chain.signature",
        "every certificate is signed by the one above",
        PATH,
    ),
    Step::new(
        "snp.chain.not_yet_valid",
        "every certificate is valid already",
        PATH,
    ),
    Step::new(
        "snp.chain.expired",
        "every certificate is valid still",
        PATH,
    ),
    Step::new("snp.crl.issuer", "the CRLs are this root's", LIST),
    Step::new("snp.crl.signature", "the CRLs are signed by the root", LIST),
    Step::new("snp.crl.window", "the CRLs are current", LIST),
    Step::new(
        "snp.crl.revoked",
        "no certificate of the chain is revoked",
        LIST,
    ),
    Step::new("snp.vek.hwid", "the VCEK is for the report's chip", VEK),
    Step::new("snp.vek.tcb", "the certificate is for REPORTED_TCB", VEK),
    Step::new(
        "snp.signature",
        "the report is signed by the VCEK or VLEK",
        "AMD 56860 section 7.3",
    ),
    Step::new(
        "snp.report.tcb",
        "the TCB versions use known bytes only",
        "AMD 57230 table 3",
    ),
];

impl SnpClaims {
    /// What `step` found in evidence that passed all of them, for people; empty where the title says it all.
    #[must_use]
    pub fn detail(&self, step: &Step) -> String {
        match step.id {
            "snp.report.version" => format!("version {}", self.version),
            "snp.report.policy" => format!("{:#x}", self.guest_policy),
            "snp.report.platform_info" => format!("{:#x}", self.platform_info),
            "snp.report.fields" => format!("VMPL {}", self.vmpl),
            "snp.product" | "snp.vek.product" => self.product.to_string(),
            "snp.signing_key" => self.signing_key.to_string(),
            "snp.chain.issuer" => format!("ARK-{}", self.product),
            "snp.chain.expired" => format!("valid until {}", self.not_after.to_rfc3339()),
            "snp.crl.window" => crl_window(self),
            "snp.vek.hwid" => chip(self),
            "snp.vek.tcb" => self.reported_tcb.to_string(),
            "snp.signature" => "ECDSA P-384 over the bytes received".into(),
            "snp.report.tcb" => format!("current: {}", self.current_tcb),
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
