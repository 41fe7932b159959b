//! The cases of AMD SEV-SNP. What is expected is what AMD's specifications say, none of it copied from a verifier's answers.

mod malformed;
mod rejected;

use crate::{
    NOW,
    suite::{Case, Expect, Input, Suite, Verdict},
};
use attestation::snp::Product;
use std::path::Path;
use tee_sim::snp::{Amd, Draft, Issued};

/// How something is made wrong, or different and right.
pub(crate) enum Change {
    /// Then signed like the truth.
    Before(fn(&mut Draft)),
    /// On the way.
    After(fn(&mut Issued)),
}

/// Title, section of a specification, code, change.
type Fault = (&'static str, &'static str, &'static str, Change);

pub(crate) const REPORT: &str = "AMD 56860 table 23";
pub(crate) const VEK: &str = "AMD 57230 section 3";
pub(crate) const PATH: &str = "RFC 5280 section 6.1";
pub(crate) const LIST: &str = "RFC 5280 section 6.3";

const PRODUCTS: [(&str, Product); 3] = [
    ("VCEK of Milan", Product::Milan),
    ("VCEK of Genoa", Product::Genoa),
    (
        "VCEK of Turin with eight bytes of HWID and FMC first",
        Product::Turin,
    ),
];

/// Right in another way than the first case.
const ACCEPTED: &[(&str, &str, Change)] = &[
    (
        "Report version 2 without CPUID",
        REPORT,
        Change::Before(|d| d.report.version = 2),
    ),
    (
        "Report version 3",
        REPORT,
        Change::Before(|d| d.report.version = 3),
    ),
    (
        "Report version 4",
        REPORT,
        Change::Before(|d| d.report.version = 4),
    ),
    (
        "Every defined bit of PLATFORM_INFO",
        "AMD 56860 table 24",
        Change::Before(|d| d.report.platform_info = 0xFF),
    ),
    (
        "Every defined bit of the guest policy",
        "AMD 56860 table 10",
        Change::Before(|d| d.report.policy = 0x3FF_FFFF),
    ),
    ("VLEK of Milan", VEK, Change::Before(Draft::become_vlek)),
    (
        "No revocation list given",
        LIST,
        Change::After(|i| i.crls.clear()),
    ),
    (
        "No intermediate given",
        PATH,
        Change::After(|i| i.chain.clear()),
    ),
    (
        "Root beside the intermediate",
        PATH,
        Change::After(|i| i.chain.push(i.ark.clone())),
    ),
    (
        "Another certificate revoked",
        LIST,
        Change::Before(|d| d.crls[0].revoked = vec![vec![9]]),
    ),
    (
        "Judged in the last second of the list",
        LIST,
        Change::Before(|d| d.crls[0].next_update = Some(NOW)),
    ),
    (
        "Judged in the last second of the VCEK",
        PATH,
        Change::Before(|d| d.vek.validity.not_after = NOW),
    ),
];

pub(crate) fn write(testdata: &Path) {
    let mut suite = Suite::new(testdata, "snp");
    let milan = Amd::invent(NOW);
    share(&mut suite, &milan.issue(NOW));
    for (title, product) in PRODUCTS {
        let issued = milan.for_product(product, NOW).issue(NOW);
        suite.write(case((title, VEK), Expect::accept(&[]), issued));
    }
    for (title, section, change) in ACCEPTED {
        let issued = changed(&milan, change);
        suite.write(case((title, section), Expect::accept(&[]), issued));
    }
    for (verdict, faults) in [
        (Verdict::Malformed, malformed::FAULTS),
        (Verdict::Incomplete, malformed::UNKNOWN),
        (Verdict::Reject, rejected::FAULTS),
    ] {
        for (title, section, code, change) in faults {
            let issued = changed(&milan, change);
            suite.write(case(
                (title, section),
                Expect::refuse(verdict, code),
                issued,
            ));
        }
    }
}

/// What is right in nearly every case.
fn share(suite: &mut Suite, issued: &Issued) {
    suite.share("roots/ark.der", &issued.ark);
    suite.share("roots/ask.der", &issued.ask);
    suite.share("shared/report.bin", &issued.report);
    suite.share("shared/vek.der", &issued.vek);
    for crl in &issued.crls {
        suite.share("shared/crl.der", crl);
    }
}

fn changed(amd: &Amd, change: &Change) -> Issued {
    match change {
        Change::Before(edit) => amd.with(edit).issue(NOW),
        Change::After(edit) => {
            let mut issued = amd.issue(NOW);
            edit(&mut issued);
            issued
        }
    }
}

fn case<'a>(
    (title, specification): (&'a str, &'a str),
    expect: Expect<'a>,
    issued: Issued,
) -> Case<'a> {
    Case {
        title,
        specification,
        at: issued.now,
        inputs: vec![
            Input::File("ark", "ark.der", issued.ark),
            Input::File("ask", "ask.der", issued.ask),
            Input::File("report", "report.bin", issued.report),
            Input::File("vek", "vek.der", issued.vek),
            Input::Files("chain", "intermediate.der", issued.chain),
            Input::Files("crls", "crl.der", issued.crls),
        ],
        expect,
    }
}
