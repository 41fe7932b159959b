//! `narthex measure`: what a platform will report of a guest that is started from given files.

mod snp;

use super::{Context, Exit, Failure, report::exit_of_class};
use attestation::measure::{MeasureError, Measurement, Region};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Compute the launch measurement of a guest from the files it is started from
#[derive(Subcommand)]
pub(crate) enum Measure {
    Snp(snp::Snp),
}

impl Measure {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Snp(snp) => snp.run(context),
        }
    }
}

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
    fn tell(&self, measurement: &Measurement, context: &Context<'_>) -> Result<Exit, Failure> {
        let exit = match self.expect {
            Some(expected) if expected != measurement.digest => Exit::Rejected,
            _ => Exit::Accepted,
        };
        let document = self.document(measurement, exit);
        context
            .output
            .either(&document, &self.text(measurement, exit))?;
        Ok(exit)
    }

    /// The measurement alone on its line, what explains it before, what comes of it after.
    fn text(&self, measurement: &Measurement, exit: Exit) -> String {
        let mut text = String::new();
        if self.explain {
            text.extend(measurement.regions.iter().map(line));
        }
        text.push_str(&format!("{}\n", hex::encode(measurement.digest)));
        match (self.expect, exit) {
            (None, _) => {}
            (Some(_), Exit::Accepted) => text.push_str("ACCEPTED\n"),
            (Some(_), _) => text.push_str("REJECTED  measure.expected\n"),
        }
        text
    }

    fn document(&self, measurement: &Measurement, exit: Exit) -> Value {
        let regions: Option<Vec<Value>> = self
            .explain
            .then(|| measurement.regions.iter().map(region).collect());
        json!({
            "verdict": exit.verdict(),
            "exit": exit as u8,
            "measurement": hex::encode(measurement.digest),
            "expected": self.expect.map(hex::encode),
            "regions": regions,
        })
    }
}

fn line(region: &Region) -> String {
    format!(
        "{:<33}  {:<20}  {:#014x}  {:>9} bytes  {}\n",
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
