//! Documents that are about to be signed, as text: `Display` writes the TOML that the parsers of this crate read.

use crate::{
    Action, HardwareId, InForce, Listed, Order, Orders, Placement, Role, Target, root::NamedKey,
};
use attestation::{Digest, UnixTime};
use std::{collections::BTreeMap, fmt};

/// A root document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootDraft {
    /// `version`.
    pub version: u64,
    /// `name`.
    pub name: String,
    /// `not_before`.
    pub not_before: UnixTime,
    /// `expires`.
    pub expires: UnixTime,
    /// `anchor`; `None` for version 1.
    pub anchor: Option<Digest>,
    /// `[[keys]]`.
    pub keys: Vec<NamedKey>,
    /// `[roles]`.
    pub roles: BTreeMap<Role, Holders>,
}

/// Who has a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders {
    /// Names of keys.
    pub keys: Vec<String>,
    /// How many of them must sign.
    pub threshold: usize,
}

/// An inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryDraft {
    /// `version`.
    pub version: u64,
    /// `name`.
    pub name: String,
    /// `not_before`.
    pub not_before: UnixTime,
    /// `expires`.
    pub expires: UnixTime,
    /// `[[hardware]]`.
    pub hardware: BTreeMap<HardwareId, Placement>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderDraft {
    /// `serial`.
    pub serial: u64,
    /// `previous`; `None` for the first order.
    pub previous: Option<Digest>,
    /// `issued`.
    pub issued: UnixTime,
    /// `action`.
    pub action: Action,
    /// `targets`.
    pub targets: Vec<Target>,
    /// `reason`.
    pub reason: String,
}

/// A timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampDraft {
    /// `version`.
    pub version: u64,
    /// `issued`.
    pub issued: UnixTime,
    /// `expires`.
    pub expires: UnixTime,
    /// `[root]`.
    pub root: Listed,
    /// `[policy]`.
    pub policy: Listed,
    /// `[inventory]`.
    pub inventory: Option<Listed>,
    /// `[orders]`.
    pub orders: Option<Listed>,
}

impl OrderDraft {
    /// The order after all of `log`.
    #[must_use]
    pub fn after(log: &Orders, issued: UnixTime, action: Action) -> Self {
        Self {
            serial: log.serial() + 1,
            previous: (log.serial() > 0).then(|| *log.digest()),
            issued,
            action,
            targets: Vec::new(),
            reason: String::new(),
        }
    }

    /// The order after `last`.
    #[must_use]
    pub fn following(last: &Order, issued: UnixTime, action: Action) -> Self {
        Self {
            serial: last.serial() + 1,
            previous: Some(*last.digest()),
            issued,
            action,
            targets: Vec::new(),
            reason: String::new(),
        }
    }
}

impl TimestampDraft {
    /// The word that `in_force` is the newest, from `issued` to `expires`; `None` where no root stands.
    #[must_use]
    pub fn of(in_force: &InForce, issued: UnixTime, expires: UnixTime) -> Option<Self> {
        Some(Self {
            version: in_force.timestamp().map_or(0, |last| last.version) + 1,
            issued,
            expires,
            root: in_force.listed_root()?,
            policy: in_force.listed_policy(),
            inventory: in_force.listed_inventory(),
            orders: in_force.listed_orders(),
        })
    }
}

impl fmt::Display for RootDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "schema = 1\nversion = {}", self.version)?;
        writeln!(f, "name = {}", Quoted(&self.name))?;
        window(f, "not_before", self.not_before, self.expires)?;
        digest(f, "anchor", self.anchor.as_ref())?;
        for NamedKey { name, key } in &self.keys {
            let key = hex::encode(key);
            writeln!(f, "\n[[keys]]\nname = {}\nkey = \"{key}\"", Quoted(name))?;
        }
        for (role, Holders { keys, threshold }) in &self.roles {
            let keys: Vec<_> = keys.iter().map(|key| Quoted(key).to_string()).collect();
            let keys = keys.join(", ");
            writeln!(
                f,
                "\n[roles.{role}]\nkeys = [{keys}]\nthreshold = {threshold}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for InventoryDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "schema = 1\nversion = {}", self.version)?;
        writeln!(f, "name = {}", Quoted(&self.name))?;
        window(f, "not_before", self.not_before, self.expires)?;
        for (id, placement) in &self.hardware {
            writeln!(
                f,
                "\n[[hardware]]\nid = \"{id}\"\nowner = {}",
                Quoted(&placement.owner)
            )?;
            writeln!(f, "site = {}", Quoted(&placement.site))?;
            writeln!(f, "country = {}", Quoted(&placement.country))?;
            writeln!(f, "valid_from = {}", placement.valid_from.to_rfc3339())?;
            if let Some(until) = placement.valid_until {
                writeln!(f, "valid_until = {}", until.to_rfc3339())?;
            }
            if let Some(custody) = &placement.custody {
                writeln!(f, "custody = {}", Quoted(custody))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for OrderDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "schema = 1\nserial = {}", self.serial)?;
        digest(f, "previous", self.previous.as_ref())?;
        writeln!(f, "issued = {}", self.issued.to_rfc3339())?;
        writeln!(f, "action = \"{}\"\ntargets = [", self.action.as_str())?;
        for target in &self.targets {
            writeln!(f, "    {},", Quoted(&target.to_string()))?;
        }
        writeln!(f, "]\nreason = {}", Quoted(&self.reason))
    }
}

impl fmt::Display for TimestampDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "schema = 1\nversion = {}", self.version)?;
        window(f, "issued", self.issued, self.expires)?;
        let listed = [
            ("root", "version", Some(self.root)),
            ("policy", "version", Some(self.policy)),
            ("inventory", "version", self.inventory),
            ("orders", "serial", self.orders),
        ];
        for (document, number, listed) in listed {
            if let Some(Listed { version, digest }) = listed {
                let digest = hex::encode(digest);
                writeln!(
                    f,
                    "\n[{document}]\n{number} = {version}\ndigest = \"{digest}\""
                )?;
            }
        }
        Ok(())
    }
}

fn window(
    f: &mut fmt::Formatter<'_>,
    begins: &str,
    from: UnixTime,
    expires: UnixTime,
) -> fmt::Result {
    writeln!(f, "{begins} = {}", from.to_rfc3339())?;
    writeln!(f, "expires = {}", expires.to_rfc3339())
}

fn digest(f: &mut fmt::Formatter<'_>, field: &str, digest: Option<&Digest>) -> fmt::Result {
    match digest {
        Some(digest) => writeln!(f, "{field} = \"{}\"", hex::encode(digest)),
        None => Ok(()),
    }
}

/// A basic string of TOML.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                _ if character.is_control() => write!(f, "\\u{:04X}", u32::from(character))?,
                _ => write!(f, "{character}")?,
            }
        }
        f.write_str("\"")
    }
}
