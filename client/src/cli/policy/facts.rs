//! What a document says of itself: name, version, window, and the role that must sign it.

use super::{document::Document, kind::Kind};
use crate::Check;
use attestation::UnixTime;
use policy::{Inventory, Policy, Role, Timestamp, orders::Order, root::RootDocument};
use serde_json::{Map, Value, json};

/// The facts that every kind has in its own words.
struct Facts {
    name: Option<String>,
    /// Version or serial.
    version: u64,
    not_before: Option<UnixTime>,
    expires: Option<UnixTime>,
    /// What else is worth a line.
    more: String,
}

impl Document {
    /// The role that must sign it.
    pub(super) fn role(&self) -> Role {
        match self.kind {
            Kind::Policy => Role::Policy,
            Kind::Root => Role::Root,
            Kind::Inventory => Role::Inventory,
            Kind::Timestamp => Role::Timestamp,
            Kind::Order => Order::from_toml(self.toml()).map_or(Role::Stop, |o| o.action().role()),
        }
    }

    /// One line for people; the name of the kind for a document with mistakes.
    pub(super) fn summary(&self) -> String {
        let Some(facts) = self.facts() else {
            return self.kind.name().to_owned();
        };
        let mut words = vec![facts.name.unwrap_or_else(|| self.kind.name().to_owned())];
        words.push(format!("version {}", facts.version));
        let mut summary = words.join(" ");
        if let Some(from) = facts.not_before {
            summary.push_str(&format!(", {}", from.to_rfc3339()));
        }
        if let Some(until) = facts.expires {
            summary.push_str(&format!(" to {}", until.to_rfc3339()));
        }
        if !facts.more.is_empty() {
            summary.push_str(&format!(", {}", facts.more));
        }
        summary
    }

    /// The same for machines.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let Some(facts) = self.facts() else {
            return Map::new();
        };
        let time = |time: Option<UnixTime>| time.map(UnixTime::to_rfc3339);
        let fields = [
            ("name", json!(facts.name)),
            ("version", json!(facts.version)),
            ("not_before", json!(time(facts.not_before))),
            ("expires", json!(time(facts.expires))),
        ];
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }

    /// Whether `now` is within its life; nothing for what has none.
    pub(super) fn window_check(&self, now: UnixTime) -> Option<Check> {
        let facts = self.facts()?;
        let expires = facts.expires?;
        let title = format!("the {} is within its life", self.kind.name());
        let detail = format!(
            "until {}, judged at {}",
            expires.to_rfc3339(),
            now.to_rfc3339()
        );
        Some(match facts.not_before {
            Some(from) if now < from => Check::fail("policy.not_before", title).detail(format!(
                "from {}, judged at {}",
                from.to_rfc3339(),
                now.to_rfc3339()
            )),
            _ if now > expires => Check::fail("policy.expired", title).detail(detail),
            _ => Check::pass("policy.window", title).detail(detail),
        })
    }

    fn facts(&self) -> Option<Facts> {
        let toml = self.toml();
        Some(match self.kind {
            Kind::Policy => of_policy(&Policy::from_toml(toml).ok()?),
            Kind::Root => of_root(&RootDocument::from_toml(toml).ok()?),
            Kind::Inventory => of_inventory(&Inventory::from_toml(toml).ok()?),
            Kind::Order => of_order(&Order::from_toml(toml).ok()?),
            Kind::Timestamp => of_timestamp(&Timestamp::from_toml(toml).ok()?),
        })
    }
}

fn of_policy(policy: &Policy) -> Facts {
    Facts {
        name: Some(policy.name().to_owned()),
        version: policy.version(),
        not_before: Some(policy.not_before()),
        expires: Some(policy.expires()),
        more: String::new(),
    }
}

fn of_root(root: &RootDocument) -> Facts {
    let thresholds = Role::ALL.into_iter().filter_map(|role| {
        let keys = root.role(role)?;
        Some(format!(
            "{role} {} of {}",
            keys.threshold(),
            keys.keys().len()
        ))
    });
    Facts {
        name: Some(root.name().to_owned()),
        version: root.version(),
        not_before: Some(root.not_before()),
        expires: Some(root.expires()),
        more: thresholds.collect::<Vec<_>>().join(", "),
    }
}

fn of_inventory(inventory: &Inventory) -> Facts {
    Facts {
        name: Some(inventory.name().to_owned()),
        version: inventory.version(),
        not_before: Some(inventory.not_before()),
        expires: Some(inventory.expires()),
        more: format!("{} pieces of hardware", inventory.len()),
    }
}

fn of_order(order: &Order) -> Facts {
    let targets: Vec<String> = order.targets().iter().map(ToString::to_string).collect();
    Facts {
        name: None,
        version: order.serial(),
        not_before: None,
        expires: None,
        more: format!(
            "{} {}, because: {}",
            order.action().as_str(),
            targets.join(" "),
            order.reason()
        ),
    }
}

fn of_timestamp(timestamp: &Timestamp) -> Facts {
    Facts {
        name: None,
        version: timestamp.version,
        not_before: Some(timestamp.issued),
        expires: Some(timestamp.expires),
        more: format!("policy version {}", timestamp.policy.version),
    }
}
