//! `narthex policy inventory`: the list of hardware, edited without losing a comment.

mod csv;
mod edit;

use super::{
    super::{Context, Exit, Failure, config, files, time},
    document::Document,
    kind::Kind,
};
use attestation::UnixTime;
use clap::{Args, Subcommand};
use edit::Entry;
use policy::{HardwareId, Inventory, Placement, inventory::MAX_INVENTORY_BYTES};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Add, remove, list and import pieces of hardware
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  narthex policy inventory list inventory.toml --country DE
  narthex policy inventory add inventory.toml --id nvidia:0011223344556677 --owner bank-b --site fra-1 --country DE --from 2026-11-01T00:00:00Z
  narthex policy inventory import inventory.toml rack-7.csv
  narthex policy inventory remove inventory.toml nvidia:0011223344556677

The document is not signed by any of these: raise its version and sign it with `narthex policy sign`.")]
pub(crate) enum InventoryCommand {
    Add(Add),
    Remove(Remove),
    List(List),
    Import(Import),
}

/// Add one piece of hardware
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex policy inventory add inventory.toml --id tdx:000102030405060708090a0b0c0d0e0f --owner clinic-a --site par-2 --country FR \\
      --from 2026-11-01T00:00:00Z --custody 'protocol 2026-117'")]
pub(crate) struct Add {
    /// The inventory (TOML)
    file: PathBuf,
    /// snp:CHIP_ID, tdx:PPID or nvidia:ID
    #[arg(long, value_parser = parse_id)]
    id: HardwareId,
    /// Who owns it
    #[arg(long, value_name = "NAME")]
    owner: String,
    /// Where it stands
    #[arg(long, value_name = "NAME")]
    site: String,
    /// ISO 3166-1 alpha-2, upper case
    #[arg(long, value_name = "CODE")]
    country: String,
    /// First second of the entry [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    from: Option<UnixTime>,
    /// Last second of the entry [default: the document's]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    until: Option<UnixTime>,
    /// Evidence of custody that people can look up
    #[arg(long, value_name = "TEXT")]
    custody: Option<String>,
}

/// Remove pieces of hardware
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex policy inventory remove inventory.toml nvidia:0011223344556677")]
pub(crate) struct Remove {
    /// The inventory (TOML)
    file: PathBuf,
    /// Their identifiers
    #[arg(required = true, value_parser = parse_id, value_name = "ID")]
    ids: Vec<HardwareId>,
}

/// List the hardware, or a part of it
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy inventory list inventory.toml
  narthex policy inventory list inventory.json --country FR --at 2027-01-01T00:00:00Z --json")]
pub(crate) struct List {
    /// The inventory (TOML or envelope)
    file: PathBuf,
    /// Only this country's
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// Only this site's
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Only this owner's
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Only what is valid at this time
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

/// Import pieces of hardware from a table (CSV)
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex policy inventory import inventory.toml rack-7.csv

The first line names the columns: id, owner, site, country, valid_from and, if wanted, valid_until and custody. What is there already
is an error, and then nothing is changed.")]
pub(crate) struct Import {
    /// The inventory (TOML)
    file: PathBuf,
    /// The table; `-`: standard input
    csv: PathBuf,
}

impl InventoryCommand {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(context),
            Self::Remove(remove) => remove.run(context),
            Self::List(list) => list.run(context),
            Self::Import(import) => import.run(context),
        }
    }
}

impl Add {
    fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let time = |time: UnixTime| time.to_rfc3339();
        let entry = Entry {
            id: self.id.to_string(),
            owner: self.owner,
            site: self.site,
            country: self.country,
            valid_from: time(time::or_now(self.from, context)),
            valid_until: self.until.map(time),
            custody: self.custody,
        };
        changed(&self.file, context, |text| edit::add(text, &[entry]))
    }
}

impl Remove {
    fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        changed(&self.file, context, |text| edit::remove(text, &self.ids))
    }
}

impl Import {
    fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let bytes = files::read(&self.csv, MAX_INVENTORY_BYTES)?;
        let entries = csv::entries(&bytes)?;
        changed(&self.file, context, |text| edit::add(text, &entries))
    }
}

/// Rewrites `path` as `edit` makes it, if that is a good inventory.
fn changed(
    path: &Path,
    context: &Context<'_>,
    edit: impl FnOnce(&str) -> Result<String, Failure>,
) -> Result<Exit, Failure> {
    let document = Document::read(path, Some(Kind::Inventory))?;
    if document.envelope.keyids().next().is_some() {
        let message = format!("{} is signed", path.display());
        return Err(Failure::usage("policy.inventory.signed", message)
            .advice("edit the document (TOML) that was signed, raise its version, and sign it"));
    }
    let text = edit(document.text()?)?;
    let inventory =
        Inventory::from_toml(text.as_bytes()).map_err(|errors| config::policy_failure(&errors))?;
    files::write_shared(path, text.as_bytes())?;
    let told = format!(
        "{}: {} pieces of hardware\n",
        path.display(),
        inventory.len()
    );
    let document = json!({"file": path, "hardware": inventory.len()});
    context.output.either(&document, &told)?;
    Ok(Exit::Accepted)
}

impl List {
    fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let document = Document::read(&self.file, Some(Kind::Inventory))?;
        let inventory = Inventory::from_toml(document.toml())
            .map_err(|errors| config::policy_failure(&errors))?;
        let mut listed: Vec<_> = inventory.iter().collect();
        listed.retain(|(id, placement)| self.wants(&inventory, (id, placement)));
        listed.sort_by_key(|(id, _)| **id);
        let rows: Vec<Value> = listed.iter().map(|(id, at)| row(id, at)).collect();
        let text: String = listed.iter().map(|(id, at)| line(id, at)).collect();
        context.output.either(&Value::Array(rows), &text)?;
        Ok(Exit::Accepted)
    }

    fn wants(&self, inventory: &Inventory, (id, placement): (&HardwareId, &Placement)) -> bool {
        let is =
            |wanted: &Option<String>, found: &String| wanted.as_ref().is_none_or(|w| w == found);
        is(&self.country, &placement.country)
            && is(&self.site, &placement.site)
            && is(&self.owner, &placement.owner)
            && self.at.is_none_or(|at| inventory.placed(id, at).is_some())
    }
}

fn line(id: &HardwareId, placement: &Placement) -> String {
    let until = placement.valid_until.map_or_else(String::new, |until| {
        format!(" until {}", until.to_rfc3339())
    });
    format!(
        "{}  {}  {}  {id}  from {}{until}\n",
        placement.country,
        placement.site,
        placement.owner,
        placement.valid_from.to_rfc3339()
    )
}

fn row(id: &HardwareId, placement: &Placement) -> Value {
    json!({
        "id": id.to_string(),
        "owner": placement.owner,
        "site": placement.site,
        "country": placement.country,
        "valid_from": placement.valid_from.to_rfc3339(),
        "valid_until": placement.valid_until.map(UnixTime::to_rfc3339),
        "custody": placement.custody,
    })
}

fn parse_id(text: &str) -> Result<HardwareId, String> {
    HardwareId::parse(text).ok_or_else(|| {
        "not `snp:` and 128, `tdx:` and 32 or `nvidia:` and 16 hexadecimal digits, not all zero"
            .to_owned()
    })
}
