//! The configuration in force, defaults included, as the TOML that would give it.

use super::{Config, LogFormat, ModelKeySettings, PolicyRoot, UpstreamSettings, engine, gpus};
use crate::model_key::KeyServerKind;
use std::fmt;
use toml::{Table, Value};

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut top = Table::new();
        put(&mut top, "node", self.node.clone());
        put(&mut top, "listen", self.listen.to_string());
        put(&mut top, "model", self.model.display().to_string());
        put_some(&mut top, "model_name", self.model_name.clone());
        put_some(&mut top, "residency", self.residency.clone());
        let aibom = self.aibom.as_ref().map(|path| path.display().to_string());
        put_some(&mut top, "aibom", aibom);
        put(&mut top, "policy", self.policy_table());
        put(&mut top, "evidence", self.evidence_table());
        match &self.upstream {
            Some(upstream) => put(&mut top, "upstream", upstream_table(upstream)),
            None => put(&mut top, "engine", engine::table(&self.engine)),
        }
        put_some(
            &mut top,
            "model_key",
            self.model_key.as_ref().map(model_key_table),
        );
        put(&mut top, "channel", self.channel_table());
        put(&mut top, "limits", self.limits_table());
        put(&mut top, "log", self.log_table());
        top.fmt(f)
    }
}

fn upstream_table(upstream: &UpstreamSettings) -> Table {
    let mut table = Table::new();
    put(&mut table, "address", upstream.address.to_string());
    put(&mut table, "kind", upstream.kind.name());
    put(&mut table, "model", upstream.model.clone());
    let digest = format!("sha256:{}", hex::encode(upstream.software_digest));
    put(&mut table, "software_digest", digest);
    let context_tokens = i64::from(upstream.context_tokens);
    put(&mut table, "context_tokens", context_tokens);
    put(&mut table, "max_requests", integer(upstream.max_requests));
    let patience = integer(upstream.patience.as_secs());
    put(&mut table, "patience_seconds", patience);
    table
}

fn model_key_table(settings: &ModelKeySettings) -> Table {
    let mut table = Table::new();
    let server = &settings.server;
    match &server.kind {
        KeyServerKind::Releaser => put(&mut table, "releaser", server.address.clone()),
        KeyServerKind::Kbs(resource) => {
            put(&mut table, "kbs", server.address.clone());
            put(&mut table, "resource", resource.as_str());
        }
    }
    let roots = server.roots.as_ref().map(|path| path.display().to_string());
    put_some(&mut table, "ca", roots);
    put(&mut table, "attempts", i64::from(server.attempts));
    let shown = |path: &std::path::PathBuf| path.display().to_string().into();
    let owner: Vec<Value> = settings.owner.iter().map(shown).collect();
    put(&mut table, "owner", owner);
    put_some(&mut table, "threshold", settings.threshold.map(integer));
    table
}

impl Config {
    fn policy_table(&self) -> Table {
        let mut table = Table::new();
        match &self.policy.root {
            PolicyRoot::Document(path) => put(&mut table, "root", path.display().to_string()),
            PolicyRoot::Keys { files, threshold } => {
                let shown = |path: &std::path::PathBuf| path.display().to_string().into();
                let keys: Vec<Value> = files.iter().map(shown).collect();
                put(&mut table, "keys", keys);
                let threshold = integer(threshold.unwrap_or(files.len()));
                put(&mut table, "threshold", threshold);
            }
        }
        put(&mut table, "source", self.policy.source.clone());
        let refresh_seconds = integer(self.policy.refresh.as_secs());
        put(&mut table, "refresh_seconds", refresh_seconds);
        table
    }

    fn evidence_table(&self) -> Table {
        let evidence = &self.evidence;
        let mut table = Table::new();
        put(
            &mut table,
            "tsm_root",
            evidence.tsm_root.display().to_string(),
        );
        put_some(
            &mut table,
            "vek",
            evidence.vek.as_ref().map(|path| path.display().to_string()),
        );
        put_some(&mut table, "privlevel", evidence.privlevel.map(i64::from));
        put(
            &mut table,
            "event_log",
            evidence.event_log.display().to_string(),
        );
        put_some(
            &mut table,
            "collateral",
            evidence
                .collateral
                .as_ref()
                .map(|path| path.display().to_string()),
        );
        gpus::show(&evidence.gpus, &mut table);
        table
    }

    fn channel_table(&self) -> Table {
        let channel = &self.channel;
        let mut table = Table::new();
        put(&mut table, "padding", channel.padding.as_str());
        let flush_ms = integer(channel.flush_interval.as_millis());
        put(&mut table, "flush_ms", flush_ms);
        table
    }

    fn limits_table(&self) -> Table {
        let limits = &self.limits;
        let mut table = Table::new();
        for (name, value) in [
            ("max_connections", integer(limits.max_connections)),
            ("max_in_flight", integer(limits.max_in_flight)),
            ("max_challenges", integer(limits.max_challenges)),
            ("max_request_bytes", i64::from(limits.max_request_bytes)),
            ("replay_capacity", integer(limits.replay_capacity)),
            ("max_bindings", integer(limits.max_bindings)),
            ("kept_receipts", integer(limits.kept_receipts)),
            ("key_window_seconds", integer(limits.key_window.as_secs())),
            ("key_grace_seconds", integer(limits.key_grace.as_secs())),
            (
                "envelope_timeout_seconds",
                integer(limits.envelope_timeout.as_secs()),
            ),
            (
                "answer_timeout_seconds",
                integer(limits.answer_timeout.as_secs()),
            ),
            (
                "drain_timeout_seconds",
                integer(limits.drain_timeout.as_secs()),
            ),
        ] {
            put(&mut table, name, value);
        }
        table
    }

    fn log_table(&self) -> Table {
        let format = match self.log_format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        let mut table = Table::new();
        put(&mut table, "format", format);
        table
    }
}

pub(super) fn put(table: &mut Table, name: &str, value: impl Into<Value>) {
    table.insert(name.to_owned(), value.into());
}

pub(super) fn put_some(table: &mut Table, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(table, name, value);
    }
}

pub(super) fn integer(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
