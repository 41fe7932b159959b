//! Verdicts on genuine TD quotes: the TDX lines of `CASES.tsv` where there is one, and what crate `dcap-qvl` ships everywhere.

#![allow(clippy::print_stdout, reason = "a test may fail, and prints its table")]

use crate::support::{at, dcap_qvl_samples, report_bytes, vectors};
use attestation::{
    ErrorClass, UnixTime,
    roots::TdxRoots,
    tdx::{self, Collateral, Evidence, TcbStatus, TdxClaims, TdxError},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

struct Case {
    quote: Vec<u8>,
    event_log: Option<Vec<u8>>,
    collateral: Option<Collateral>,
    now: UnixTime,
}

impl Case {
    fn parse(folder: &Path, time: &str, command: &str) -> Self {
        let words: Vec<&str> = command.split(' ').collect();
        let given = |option: &str| {
            let mut pairs = words.windows(2);
            let pair = pairs.find(|pair| pair[0] == option);
            pair.map(|pair| folder.join(pair[1]))
        };
        let json = given("--collateral").map(|path| fs::read(path).unwrap());
        Self {
            quote: report_bytes(&given("--quote").unwrap()),
            event_log: given("--event-log").map(|path| fs::read(path).unwrap()),
            collateral: json.map(|json| Collateral::from_json(&json).unwrap()),
            now: at(time),
        }
    }

    fn verify(&self) -> Result<TdxClaims, TdxError> {
        let evidence = Evidence {
            quote: &self.quote,
            event_log: self.event_log.as_deref(),
        };
        let collateral = self.collateral.as_ref();
        tdx::verify(&evidence, collateral, &TdxRoots::vendor(), self.now)
    }
}

/// The exit status that the output contract gives a verdict without a policy.
fn exit_status(verdict: &Result<TdxClaims, TdxError>) -> u8 {
    match verdict.as_ref().map_err(TdxError::class) {
        Ok(claims) => {
            let attributes = claims.td.attributes;
            let is_sound = claims.tcb.status == TcbStatus::UpToDate
                && !attributes.under_debug()
                && !attributes.migratable();
            if is_sound { 0 } else { 10 }
        }
        Err(ErrorClass::Rejected) => 10,
        Err(ErrorClass::Unsupported | ErrorClass::Incomplete) => 20,
        Err(ErrorClass::Malformed) => 30,
    }
}

fn told(verdict: &Result<TdxClaims, TdxError>) -> String {
    match verdict {
        Ok(claims) => format!(
            "{} {}",
            claims.tcb.status,
            claims.tcb.advisory_ids.join(" ")
        ),
        Err(error) => error.code().into(),
    }
}

/// `CASES.tsv` with its folder where `NARTHEX_VECTORS` names one, and our own cases on what crate `dcap-qvl` ships.
fn tables() -> Vec<(PathBuf, String)> {
    let shipped = (
        dcap_qvl_samples(),
        include_str!("dcap_qvl_cases.tsv").to_owned(),
    );
    let given = vectors().map(|folder| {
        let table = fs::read_to_string(folder.join("CASES.tsv")).unwrap();
        (folder, table)
    });
    std::iter::once(shipped).chain(given).collect()
}

#[test]
fn tdx_lines_of_the_tables_of_cases() {
    let mut wrong = Vec::new();
    for (folder, table) in tables() {
        for line in table.lines().skip(1) {
            let [exit, time, command, why] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("a case has four columns: {line}");
            };
            if !command.starts_with("verify tdx ") {
                continue;
            }
            let verdict = Case::parse(&folder, time, command).verify();
            let status = exit_status(&verdict);
            println!("{exit}\t{status}\t{}\t{why}", told(&verdict));
            if status.to_string() != exit {
                wrong.push(format!("{why}: {status}, {}", told(&verdict)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn given(quote: &str, collateral: &str, time: &str) -> Option<Case> {
    let folder = vectors()?;
    let command = format!("verify tdx --quote {quote} --collateral {collateral}");
    Some(Case::parse(&folder, time, &command))
}

const SPR: &str = "go-tdx-guest/tdx_prod_quote_SPR_E4.assembled_collateral.json";
const SUMMER_2023: &str = "2023-07-01T08:46:40Z";

/// The quote that text follows: without it the step that the table names fails.
#[test]
fn a_quote_whose_text_is_cut_off_meets_no_level() {
    let quote = "go-tdx-guest/tdx_prod_quote_SPR_E4.dat";
    let Some(mut case) = given(quote, SPR, SUMMER_2023) else {
        return println!("NARTHEX_VECTORS is not set: nothing to look at");
    };
    assert_eq!(case.verify(), Err(TdxError::Padding));
    case.quote.truncate(4935);
    assert_eq!(case.verify(), Err(TdxError::Level));
    case.quote.extend([0; 39]);
    assert_eq!(case.verify(), Err(TdxError::Level));
}

#[test]
fn a_debug_td_is_authentic_and_says_so() {
    let Some(case) = given("trustee/tdx/tdx_quote_4.dat", SPR, SUMMER_2023) else {
        return println!("NARTHEX_VECTORS is not set: nothing to look at");
    };
    let claims = case.verify().unwrap();
    assert!(claims.td.attributes.debug() && claims.tcb.status == TcbStatus::UpToDate);
    assert_eq!(exit_status(&Ok(claims)), 10);
}

#[test]
fn the_event_log_gives_the_registers_or_is_refused() {
    let Some(folder) = vectors() else {
        return println!("NARTHEX_VECTORS is not set: nothing to look at");
    };
    let command = "verify tdx --quote go-tdx-guest/ccel/cos-113-tdx-quote.dat --event-log go-tdx-guest/ccel/ccel_data.dat";
    let mut case = Case::parse(&folder, "2025-07-01T00:00:00Z", command);
    assert!(matches!(case.verify(), Err(TdxError::CollateralMissing(_))));
    let log = case.event_log.as_mut().unwrap();
    let digest = log
        .windows(48)
        .position(|bytes| bytes.iter().all(|byte| *byte != 0));
    log[digest.unwrap()] ^= 1;
    assert_eq!(case.verify().unwrap_err().code(), "tdx.event_log.replay");
}
