//! Crate `dcap-qvl` as a second opinion: every genuine quote under every genuine collateral, at a time when that is current.

#![allow(clippy::print_stdout, reason = "a test may fail, and prints its table")]

use crate::support::{at, dcap_qvl_samples, vectors};
use attestation::{
    UnixTime,
    roots::TdxRoots,
    tdx::{self, Collateral, Evidence},
};
use dcap_qvl::{
    QuoteCollateralV3,
    verify::{QuoteVerifier, VerifiedReport},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Quotes of crate `dcap-qvl`, and the further ones where `NARTHEX_VECTORS` has them.
const SHIPPED: [&str; 5] = [
    "tdx_quote",
    "tdx_quote_td15ex",
    "tdx_quote_outdated",
    "tdx-quote.hex",
    "quote-from-tappd.hex",
];
const GIVEN: [&str; 10] = [
    "go-tdx-guest/quote_v5_sample.dat",
    "go-tdx-guest/tdx_prod_quote_SPR_E4.dat",
    "go-tdx-guest/ccel/cos-113-tdx-quote.dat",
    "trustee/az-tdx-vtpm/td-quote.bin",
    "trustee/tdx/tdx_quote_4.dat",
    "trustee/tdx/tdx_quote_5.dat",
    "trustee/tdx/tdx_quote_6.dat",
    "dstack/tdx/ra-tls_tdx_quote",
    "dstack/tdx/quote-report.quote.hex",
    "dstack/tdx/tdx-lite-getquote.quote.hex",
];
/// Collateral with a time at which it is current.
const COLLATERAL: [(&str, &str); 3] = [
    ("tdx_quote_collateral.json", "2025-07-01T00:00:00Z"),
    ("tdx_quote_outdated_collateral.json", "2026-03-01T00:00:00Z"),
    ("tdx_quote_td15ex_collateral.json", "2026-10-20T00:00:00Z"),
];
const GIVEN_COLLATERAL: (&str, &str) = (
    "go-tdx-guest/tdx_prod_quote_SPR_E4.assembled_collateral.json",
    "2023-07-01T08:46:40Z",
);

/// A verdict as both can tell it: status and advisories, sorted; `None` if refused.
type Verdict = Option<(String, Vec<String>)>;

struct Endorsed {
    document: Vec<u8>,
    now: UnixTime,
}

impl Endorsed {
    fn ours(&self, quote: &[u8]) -> Result<Verdict, &'static str> {
        let evidence = Evidence {
            quote,
            event_log: None,
        };
        let collateral = Collateral::from_json(&self.document).unwrap();
        let verified = tdx::verify(&evidence, Some(&collateral), &TdxRoots::vendor(), self.now);
        let claims = verified.map_err(|error| error.code())?;
        Ok(verdict(claims.tcb.status.name(), claims.tcb.advisory_ids))
    }

    /// With a PCK chain in the collateral the oracle looks at no other; ours is the quote's own.
    fn theirs(&self, quote: &[u8], chain: Chain) -> Verdict {
        let mut collateral: QuoteCollateralV3 = serde_json::from_slice(&self.document).unwrap();
        if chain == Chain::OfQuote {
            collateral.pck_certificate_chain = None;
        }
        let verifier = QuoteVerifier::new_prod()
            .allow_debug(true)
            .allow_service_td(true);
        let VerifiedReport {
            status,
            advisory_ids,
            ..
        } = verifier.verify(quote, &collateral, self.now.0).ok()?;
        verdict(&status, advisory_ids)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    OfCollateral,
    OfQuote,
}

fn verdict(status: &str, mut advisories: Vec<String>) -> Verdict {
    advisories.sort();
    Some((status.to_owned(), advisories))
}

fn quotes() -> Vec<PathBuf> {
    let shipped = SHIPPED.map(|name| dcap_qvl_samples().join(name));
    let given = vectors().map(|folder| GIVEN.map(|name| folder.join(name)));
    shipped
        .into_iter()
        .chain(given.into_iter().flatten())
        .collect()
}

fn endorsements() -> Vec<Endorsed> {
    let load = |path: PathBuf, time: &str| Endorsed {
        document: fs::read(path).unwrap(),
        now: at(time),
    };
    let samples = dcap_qvl_samples();
    let mut all: Vec<_> = COLLATERAL
        .map(|(name, time)| load(samples.join(name), time))
        .into();
    let (name, time) = GIVEN_COLLATERAL;
    all.extend(vectors().map(|folder| load(folder.join(name), time)));
    all
}

/// Raw, or hexadecimal text.
fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let digits = text.trim().trim_start_matches("0x");
    hex::decode(digits).unwrap_or(bytes)
}

#[test]
fn the_oracle_says_the_same_of_every_genuine_quote() {
    let mut accepted = 0;
    for path in quotes() {
        let quote = read(&path);
        for endorsed in endorsements() {
            let ours = endorsed.ours(&quote);
            let theirs = endorsed.theirs(&quote, Chain::OfQuote);
            let name = path.file_name().unwrap().display();
            println!(
                "{name}\t{}\t{ours:?}\t{theirs:?}",
                endorsed.now.to_rfc3339()
            );
            accepted += usize::from(ours.is_ok());
            assert_eq!(ours.ok().flatten(), theirs, "{name}");
        }
    }
    assert!(accepted >= 3, "only {accepted} were accepted by both");
}

/// The oracle prefers the chain in the collateral, even where the quote brings its own: another platform's quote is then refused.
#[test]
fn the_oracle_takes_the_collateral_s_pck_for_the_quote_s() {
    let samples = dcap_qvl_samples();
    let endorsed = Endorsed {
        document: fs::read(samples.join("tdx_quote_td15ex_collateral.json")).unwrap(),
        now: at("2026-10-20T00:00:00Z"),
    };
    let quote = read(&samples.join("tdx_quote"));
    assert_eq!(endorsed.theirs(&quote, Chain::OfCollateral), None);
    let (status, _) = endorsed.ours(&quote).unwrap().unwrap();
    assert_eq!(status, "OutOfDate");
}

/// Bytes behind a quote are no part of it for the oracle, whatever they are.
#[test]
fn what_follows_the_quote_the_oracle_does_not_see() {
    let samples = dcap_qvl_samples();
    let endorsed = Endorsed {
        document: fs::read(samples.join("tdx_quote_collateral.json")).unwrap(),
        now: at("2025-07-01T00:00:00Z"),
    };
    let mut quote = read(&samples.join("tdx_quote"));
    quote.extend_from_slice(b"anything");
    assert!(endorsed.theirs(&quote, Chain::OfQuote).is_some());
    assert_eq!(endorsed.ours(&quote), Err("tdx.quote.padding"));
}

/// The root that a quote carries is not looked at by the oracle: of its bits, any may be flipped.
#[test]
fn the_root_in_the_quote_the_oracle_does_not_see() {
    let samples = dcap_qvl_samples();
    let endorsed = Endorsed {
        document: fs::read(samples.join("tdx_quote_collateral.json")).unwrap(),
        now: at("2025-07-01T00:00:00Z"),
    };
    let mut quote = read(&samples.join("tdx_quote"));
    let end = b"\n-----END CERTIFICATE-----\n\0";
    let last = quote.windows(end.len()).rposition(|window| window == end);
    let near_the_end = last.unwrap() - 20;
    quote[near_the_end] = if quote[near_the_end] == b'A' {
        b'B'
    } else {
        b'A'
    };
    assert!(endorsed.theirs(&quote, Chain::OfQuote).is_some());
    assert_eq!(endorsed.ours(&quote), Err("tdx.pck.chain"));
}
