use super::*;
use provision::{PolicySource, RootSource};

/// The setting in `DEFAULTS`.
const ROOT: &str = "root = \"/etc/narthex/root.json\"";

fn mistakes(text: &str) -> Vec<String> {
    match Config::from_toml(text) {
        Err(ConfigError::Mistakes(Mistakes(mistakes))) => {
            mistakes.into_iter().map(|mistake| mistake.field).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// `DEFAULTS` with the commented settings switched on.
fn spelled_out() -> String {
    let is_setting = |line: &str| {
        line.strip_prefix("# ")
            .is_some_and(|rest| rest.contains(" = "))
    };
    let switch_on = |line: &str| {
        if is_setting(line) {
            line.replacen("# ", "", 1)
        } else {
            line.to_owned()
        }
    };
    DEFAULTS
        .lines()
        .map(switch_on)
        .collect::<Vec<_>>()
        .join("\n")
}

fn with(from: &str, to: &str) -> String {
    let text = spelled_out();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

#[test]
fn the_printed_defaults_are_the_defaults() {
    let implied = Config::from_toml(DEFAULTS).unwrap();
    let spelled_out = Config::from_toml(&spelled_out()).unwrap();
    assert_eq!(format!("{implied:?}"), format!("{spelled_out:?}"));
    assert!(implied.admin_listen.ip().is_loopback());
}

#[test]
fn every_number_is_in_the_printed_defaults() {
    for number in [
        "interval_seconds = 300",
        "max_streams = 64",
        "stall_timeout_ms = 240000",
        "weight = 1",
    ] {
        assert!(DEFAULTS.contains(&format!("# {number} ")), "{number}");
    }
}

#[test]
fn the_listener_waits_longer_than_the_relay() {
    let config = Config::from_toml(DEFAULTS).unwrap();
    assert!(config.limits.stall_timeout > config.relay.answer_timeout);
    assert!(config.limits.stall_timeout > config.relay.stall_timeout);
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands() {
    for table in ["tls", "policy", "appraisal", "relay", "limits", "log"] {
        let header = format!("[{table}]");
        let text = spelled_out().replacen(&header, &format!("{header}\nsurprise = 1"), 1);
        let error = Config::from_toml(&text).unwrap_err();
        assert!(
            matches!(error, ConfigError::Syntax(_)) && error.to_string().contains("surprise"),
            "{table}"
        );
    }
    assert!(Config::from_toml(&format!("surprise = 1\n{DEFAULTS}")).is_err());
}

#[test]
fn each_mistake_is_told_by_its_field() {
    let cases = [
        (
            "listen = \"0.0.0.0:8443\"",
            "listen = \"localhost\"",
            "listen",
        ),
        (ROOT, "keys = [\"a.pem\"]\nthreshold = 0", "policy.keys"),
        (ROOT, "keys = [\"a.pem\"]\nthreshold = 2", "policy.keys"),
        (ROOT, "keys = []", "policy.keys"),
        ("sha256 = \"00", "sha256 = \"0x", "api_keys[0].sha256"),
        ("\"node-1\"", "\"Node 1\"", "nodes[0].name"),
        ("10.0.0.11:8080", "10.0.0.11", "nodes[0].upstream"),
        ("10.0.0.11:8080", "user@10.0.0.11:8080", "nodes[0].upstream"),
        ("weight = 1 ", "weight = 0 ", "nodes[0].weight"),
        (
            "interval_seconds = 300",
            "interval_seconds = 0",
            "appraisal.interval_seconds",
        ),
        (
            "retry_max_ms = 60000",
            "retry_max_ms = 10",
            "appraisal.retry_max_ms",
        ),
        (
            "max_in_flight = 256",
            "max_in_flight = 0",
            "relay.max_in_flight",
        ),
        (
            "max_request_bytes = 16777216",
            "max_request_bytes = 0",
            "relay.max_request_bytes",
        ),
        (
            "answer_timeout_ms = 240000",
            "answer_timeout_ms = 90000000",
            "relay.answer_timeout_ms",
        ),
        ("max_streams = 64", "max_streams = 0", "limits.max_streams"),
        ("format = \"text\"", "format = \"xml\"", "log.format"),
        ("level = \"info\"", "level = \"trace\"", "log.level"),
    ];
    for (from, to, field) in cases {
        assert_eq!(mistakes(&with(from, to)), [field], "{to}");
    }
}

#[test]
fn each_mistake_about_policies_is_told_by_its_field() {
    let cases = [
        (ROOT, "keys = [\"a.pem\"]\nroot = \"r.json\"", "policy.root"),
        ("source = ", "envelope = ", "policy.envelope"),
        (
            "source = \"/etc/narthex/policy\"",
            "source = \"gateway\"",
            "policy.source",
        ),
        (
            "source = \"/etc/narthex/policy\"",
            "source = \"https://user@policies.example/\"",
            "policy.source",
        ),
        (
            "refresh_seconds = 30",
            "refresh_seconds = 0",
            "policy.refresh_seconds",
        ),
        (
            "refresh_seconds = 30",
            "refresh_seconds = 3601",
            "policy.refresh_seconds",
        ),
    ];
    for (from, to, field) in cases {
        assert_eq!(mistakes(&with(from, to)), [field], "{to}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = with("weight = 1 ", "weight = 0 ")
        .replace("\"node-1\"", "\"\"")
        .replace("format = \"text\"", "format = \"\"");
    assert_eq!(
        mistakes(&text),
        ["nodes[0].name", "nodes[0].weight", "log.format"]
    );
}

#[test]
fn empty_lists_and_doubled_names_are_refused() {
    let twice = |table: &str| {
        let text = spelled_out();
        let start = text.find(table).unwrap();
        let entry = text[start..].split("\n\n").next().unwrap().to_owned();
        format!("{text}\n{entry}")
    };
    assert_eq!(mistakes(&twice("[[nodes]]")), ["nodes[1].name"]);
    assert_eq!(mistakes(&twice("[[api_keys]]")), ["api_keys[1].name"]);
    let without = |table: &str, list: &str| {
        let text = spelled_out();
        let start = text.find(table).unwrap();
        let end = start + text[start..].find("\n\n").unwrap();
        format!("{list} = []\n{}{}", &text[..start], &text[end..])
    };
    assert_eq!(mistakes(&without("[[nodes]]", "nodes")), ["nodes"]);
    assert_eq!(mistakes(&without("[[api_keys]]", "api_keys")), ["api_keys"]);
}

#[test]
fn an_unreadable_file_is_named() {
    let error = Config::load(Path::new("/nonexistent/gateway.toml")).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/gateway.toml"));
}

#[test]
fn paths_are_relative_to_the_file_they_stand_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let relative = DEFAULTS
        .replace("/etc/narthex/", "")
        .replace("/var/lib/narthex/gateway", "/state");
    fs::write(&file, relative).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.tls.certificate, folder.path().join("gateway.crt"));
    assert_eq!(config.tls.key, folder.path().join("gateway.key"));
    let settings = config.policy.settings();
    let source = folder.path().join("policy");
    assert_eq!(settings.source, PolicySource::File(source.clone()));
    let RootSource::Document(root) = settings.root else {
        panic!("the defaults have a root document");
    };
    assert_eq!(root, folder.path().join("root.json"));
    assert_eq!(settings.state.as_deref(), Some(Path::new("/state")));
    fs::create_dir(&source).unwrap();
    let settings = config.policy.settings();
    assert_eq!(settings.source, PolicySource::Folder(source));
}

#[test]
fn keys_take_the_place_of_a_root_document() {
    let settings = |text: &str| {
        let text = DEFAULTS.replace(ROOT, text);
        Config::from_toml(&text).unwrap().policy.settings()
    };
    for (text, needed) in [
        ("keys = [\"/a.pem\", \"/b.pem\"]", 2),
        ("keys = [\"/a.pem\", \"/b.pem\"]\nthreshold = 1", 1),
    ] {
        let RootSource::Keys { files, threshold } = settings(text).root else {
            panic!("keys are named");
        };
        assert_eq!(files, [Path::new("/a.pem"), Path::new("/b.pem")]);
        assert_eq!(threshold, Some(needed));
    }
}

#[test]
fn an_address_is_a_source() {
    let text = with(
        "\"/etc/narthex/policy\"",
        "\"https://policies.example/team\"",
    );
    let source = Config::from_toml(&text).unwrap().policy.settings().source;
    assert_eq!(source.to_string(), "https://policies.example/team/");
}

#[test]
fn collateral_of_one_s_own_is_read_within_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("collateral.bundle");
    let text = with(
        "[appraisal]",
        &format!("[appraisal]\ncollateral = {:?}", path.to_str().unwrap()),
    );
    let config = Config::from_toml(&text).unwrap();
    let refused = || config.verifier(Verifier::vendor()).unwrap_err();
    assert!(matches!(refused(), ConfigError::File(_)));
    fs::write(&path, b"not a bundle").unwrap();
    assert!(matches!(refused(), ConfigError::Collateral(_)));
}
