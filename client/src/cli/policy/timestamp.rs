//! `narthex policy timestamp`: the short-lived word that a folder's documents are the newest.

use super::{
    super::{Context, Exit, Failure, config, files, time},
    folder, sign, trust,
};
use attestation::UnixTime;
use clap::Args;
use policy::{Envelope, Files, PayloadType, Timestamp, draft::TimestampDraft, publication};
use serde_json::json;
use std::path::PathBuf;

/// Sign that the documents of a folder are the newest, for a while: hosts that are kept from newer ones notice
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy timestamp --folder published --key clerk.pem --lifetime 24h --policy-root root.json
  narthex policy timestamp --folder published --key clerk.pem --lifetime 15m --policy-key clerk.pub.pem

Run it from a timer, more often than the lifetime. What it would not obey itself it does not sign.")]
pub(crate) struct TimestampArgs {
    /// The folder of the publication; timestamp.json is written there
    #[arg(long, value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Ed25519 private key (a file, or pkcs11:..) of one who may; repeatable
    #[arg(long, value_name = "FILE|URI", required = true)]
    key: Vec<PathBuf>,
    /// How long it counts: a number with s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_lifetime)]
    lifetime: u64,
    /// When it is signed [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    issued: Option<UnixTime>,
}

impl TimestampArgs {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let keys = sign::open_keys(&self.key)?;
        let issued = time::or_now(self.issued, context);
        let root = trust::pinned(context)?;
        let mut files = folder::read(&self.folder)?;
        let version = next_version(&files);
        files.timestamp = None;
        let verified = |files: &Files| {
            folder::verify(files, &root, issued).map_err(|errors| folder::refused(&errors))
        };
        let draft = TimestampDraft::of(&verified(&files)?, issued, issued.plus(self.lifetime));
        let draft = draft.ok_or_else(nothing_to_name)?;
        let text = TimestampDraft { version, ..draft }.to_string();
        let mut envelope = Envelope::unsigned(PayloadType::Timestamp, text.into_bytes());
        sign::sign(&mut envelope, &keys)?;
        files.timestamp = Some(envelope.to_json().into_bytes());
        verified(&files)?;
        let path = self.folder.join(publication::TIMESTAMP);
        files::write_shared(&path, envelope.to_json().as_bytes())?;
        let expires = issued.plus(self.lifetime).to_rfc3339();
        let document = json!({"file": path, "version": version, "expires": expires});
        let text = format!("{} version {version}, until {expires}\n", path.display());
        context.output.either(&document, &text)?;
        Ok(Exit::Accepted)
    }
}

/// One above the timestamp that is there, whoever signed it.
fn next_version(files: &Files) -> u64 {
    let before = files.timestamp.as_deref().and_then(|bytes| {
        let envelope = config::parse_envelope(bytes).ok()?;
        Timestamp::from_toml(envelope.unverified_payload()).ok()
    });
    before.map_or(1, |before| before.version + 1)
}

fn nothing_to_name() -> Failure {
    Failure::new(
        Exit::Internal,
        "policy.timestamp",
        "no root stands above the documents",
    )
}

/// `90s`, `15m`, `24h`, `7d`.
fn parse_lifetime(text: &str) -> Result<u64, String> {
    const WRONG: &str = "not a number above 0 with s, m, h or d";
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(WRONG.to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| WRONG.to_owned())?;
    if number == 0 {
        return Err(WRONG.to_owned());
    }
    Ok(u64::from(number) * seconds)
}
