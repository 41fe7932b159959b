//! `narthex measure`: what a platform will report of a guest that is started from given files.

mod snp;
mod tdx;

use super::{Context, Exit, Failure, report::exit_of_class};
use attestation::measure::{MeasureError, Measurement, Region};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Compute the launch measurement of a guest from the files it is started from
#[derive(Subcommand)]
pub(crate) enum Measure {
    Snp(snp::Snp),
    Tdx(tdx::Tdx),
}

impl Measure {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Snp(snp) => snp.run(context),
            Self::Tdx(tdx) => tdx.run(context),
        }
    }
}

/// Registers beside the launch measurement, by name.
type Registers = BTreeMap<&'static str, [u8; 48]>;

/// How a measurement is told, and what it is held against.
#[derive(Args)]
struct Telling {
    /// Tell of each region what it is, where it lies and the measurement after it
    #[arg(long)]
    explain: bool,
    /// Status 10 unless the measurement is this one
    #[arg(long, value_name = "HEX", value_parser = parse_digest)]
    expect: Option<[u8; 48]>,
}

impl Telling {
    fn tell(
        &self,
        measurement: &Measurement,
        registers: &Registers,
        context: &Context<'_>,
    ) -> Result<Exit, Failure> {
        let exit = match self.expect {
            Some(expected) if expected != measurement.digest => Exit::Rejected,
            _ => Exit::Accepted,
        };
        let document = self.document(measurement, registers, exit);
        let text = self.text(measurement, registers, exit);
        context.output.either(&document, &text)?;
        Ok(exit)
    }

    /// The measurement alone on its line, what explains it before, other registers and what comes of it after.
    fn text(&self, measurement: &Measurement, registers: &Registers, exit: Exit) -> String {
        let mut text = String::new();
        if self.explain {
            text.extend(measurement.regions.iter().map(line));
        }
        text.push_str(&format!("{}\n", hex::encode(measurement.digest)));
        for (name, value) in registers {
            text.push_str(&format!("{name}  {}\n", hex::encode(value)));
        }
        match (self.expect, exit) {
            (None, _) => {}
            (Some(_), Exit::Accepted) => text.push_str("ACCEPTED\n"),
            (Some(_), _) => text.push_str("REJECTED  measure.expected\n"),
        }
        text
    }

    fn document(&self, measurement: &Measurement, registers: &Registers, exit: Exit) -> Value {
        let hexadecimal = |(name, value): (&&str, _)| ((*name).to_owned(), hex::encode(value));
        let registers: BTreeMap<String, String> = registers.iter().map(hexadecimal).collect();
        let regions: Option<Vec<Value>> = self
            .explain
            .then(|| measurement.regions.iter().map(region).collect());
        json!({
            "verdict": exit.verdict(),
            "exit": exit as u8,
            "measurement": hex::encode(measurement.digest),
            "expected": self.expect.map(hex::encode),
            "registers": registers,
            "regions": regions,
        })
    }
}

fn line(region: &Region) -> String {
    format!(
        "{:<33}  {:<23}  {:#014x}  {:>9} bytes  {}\n",
        region.kind,
        region.operation,
        region.gpa,
        region.size_bytes,
        hex::encode(region.digest)
    )
}

fn region(region: &Region) -> Value {
    json!({
        "kind": region.kind,
        "operation": region.operation,
        "gpa": format!("{:#x}", region.gpa),
        "size_bytes": region.size_bytes,
        "digest": hex::encode(region.digest),
    })
}

impl From<MeasureError> for Failure {
    fn from(error: MeasureError) -> Self {
        Self::new(
            exit_of_class(error.class()),
            error.code(),
            error.to_string(),
        )
    }
}

fn parse_digest(text: &str) -> Result<[u8; 48], String> {
    let mut digest = [0; 48];
    hex::decode_to_slice(text, &mut digest)
        .map(|()| digest)
        .map_err(|_| "not 96 hexadecimal digits".to_owned())
}
