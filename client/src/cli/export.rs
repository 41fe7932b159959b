//! Files that a command that judges writes of its verdict, whatever it is.

mod ear;

use super::{Context, Failure, files, html, inputs, report::Report};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Which files.
#[derive(Args)]
#[command(next_help_heading = "Files for others")]
pub(crate) struct Export {
    /// Write the verdict with everything that led to it as one HTML page
    #[arg(long, global = true, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the verdict as an EAT Attestation Result, signed with --ear-key
    #[arg(long, global = true, value_name = "FILE")]
    ear: Option<PathBuf>,
    /// Ed25519 private key (PEM, PKCS#8) of this verifier
    #[arg(long, global = true, value_name = "FILE", requires = "ear")]
    ear_key: Option<PathBuf>,
    /// Form of the result
    #[arg(long, global = true, value_enum, default_value_t = EarFormat::Jwt)]
    ear_format: EarFormat,
    /// The relying party's nonce, 8 to 64 bytes, to be repeated in the result
    #[arg(long, global = true, value_name = "HEX", value_parser = ear::parse_nonce, requires = "ear")]
    ear_nonce: Option<ear::Nonce>,
}

/// How a result is encoded and signed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EarFormat {
    /// JSON Web Token
    Jwt,
    /// CBOR Web Token (COSE_Sign1)
    Cwt,
}

impl Export {
    /// Writes what is asked for; comes before the verdict is told, so that who sees a verdict has the files too.
    pub(crate) fn write(&self, report: &Report, context: &Context<'_>) -> Result<(), Failure> {
        if let Some(path) = &self.html {
            let page = html::page(report, &inputs::so_far(), context);
            files::write_shared(path, page.as_bytes())?;
        }
        if let Some(path) = &self.ear {
            let key = self.ear_key.as_deref().ok_or_else(ear::no_key)?;
            let result = ear::result(report, self.ear_nonce.as_ref(), context);
            let token = ear::token(&result, key, self.ear_format)?;
            files::write_shared(path, &token)?;
        }
        Ok(())
    }
}
