//! Crate `sev` on RustCrypto, cold, for `bench verify`: for each line of standard input, a number of seconds, it verifies for so long and answers
//! with the calls and the seconds of processor time that they took.
//!
//! usage: sev-rust REPORT_HEX VCEK_DER

use rustix::time::{ClockId, clock_gettime};
use sev::{
    certs::snp::{Certificate, Chain, Verifiable, builtin::milan, ca},
    firmware::guest::AttestationReport,
    parser::ByteParser,
};
use std::{env, error::Error, fs, io, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = env::args().skip(1);
    let report = hex::decode(fs::read_to_string(files.next().ok_or("no report")?)?.trim())?;
    let vek = fs::read(files.next().ok_or("no VCEK")?)?;
    let (ark, ask) = (milan::ark()?.to_der()?, milan::ask()?.to_der()?);
    for line in io::stdin().lines() {
        let seconds: f64 = line?.trim().parse()?;
        let (start, mut calls) = (processor_time()?, 0_u32);
        while calls == 0 || (processor_time()? - start).as_secs_f64() < seconds {
            verify(&report, [&ark, &ask, &vek])?;
            calls += 1;
        }
        println!("{calls} {}", (processor_time()? - start).as_secs_f64());
    }
    Ok(())
}

fn processor_time() -> Result<Duration, Box<dyn Error>> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}

fn verify(report: &[u8], [ark, ask, vek]: [&[u8]; 3]) -> io::Result<()> {
    let chain = Chain {
        ca: ca::Chain {
            ark: Certificate::from_der(ark)?,
            ask: Certificate::from_der(ask)?,
        },
        vek: Certificate::from_der(vek)?,
    };
    let report = AttestationReport::from_bytes(report)?;
    (&chain, &report).verify()
}
