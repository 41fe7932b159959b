//! The configuration: defaults, every mistake at once, and a printed form that reads back.

use attestation::manifest::Arithmetic;
use enclave_runtime::{
    Config, ConfigError,
    config::{ComputeDevice, GpuSource, LogFormat, PolicyRoot},
    model_key::KeyServerKind,
};
use engine::local::IsaName;
use protocol::PaddingProfile;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Where a GPU may compute.
const ASKED: &str = "[evidence]\ngpus = \"nvml\"\n";

fn minimal() -> String {
    "node = \"node-1\"
model = \"m.gguf\"
[policy]
source = \"p.json\"
keys = [\"k.pem\"]
"
    .to_owned()
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/narthex"))
}

fn mistakes(text: &str) -> Vec<String> {
    match parse(text) {
        Err(ConfigError::Mistakes(mistakes)) => mistakes.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn little_is_required() {
    let config = parse(&minimal()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8700");
    assert_eq!(config.model, PathBuf::from("/etc/narthex/m.gguf"));
    let keys = PolicyRoot::Keys {
        files: vec!["/etc/narthex/k.pem".into()],
        threshold: None,
    };
    assert_eq!(config.policy.root, keys);
    assert_eq!(config.policy.source, "/etc/narthex/p.json");
    assert_eq!(config.policy.refresh, Duration::from_secs(30));
    assert_eq!(config.aibom, None);
    assert_eq!(
        config.evidence.tsm_root,
        PathBuf::from("/sys/kernel/config/tsm/report")
    );
    assert_eq!(config.channel.padding, PaddingProfile::Default);
    assert_eq!(config.channel.flush_interval, Duration::from_millis(60));
    assert_eq!(config.limits, enclave_runtime::Limits::default());
    assert_eq!(config.log_format, LogFormat::Text);
}

#[test]
fn what_is_printed_reads_back() {
    let text = minimal()
        + "[evidence]\nvek = \"v.der\"\nprivlevel = 2\ngpus = \"nvml\"\n[engine]\nthreads = 2\ndevice = \"cuda\"\narithmetic = \"fast\"\ndevice_index = 3\nkv_bytes = 5\ntenant_jobs = 6\ncached_tokens_per_secret = 0\n[channel]\npadding = \"strict\"\nflush_ms = 40\n[limits]\nmax_in_flight = 3\nkey_grace_seconds = 0\n[log]\nformat = \"json\"\n";
    // How many keys must sign is printed, also where it was left to the number of keys.
    let text = text.replace("k.pem\"]", "k.pem\"]\nthreshold = 1");
    let config = parse(&text).unwrap();
    assert_eq!(parse(&config.to_string()).unwrap(), config);
    let on_cpu = text.replace(
        "device = \"cuda\"\narithmetic = \"fast\"\ndevice_index = 3",
        "isa = \"scalar\"",
    );
    let config = parse(&on_cpu).unwrap();
    assert_eq!(parse(&config.to_string()).unwrap(), config);
    let with_root = text.replace(
        "keys = [\"k.pem\"]\nthreshold = 1",
        "root = \"root.json\"\nrefresh_seconds = 5",
    );
    let config = parse(&(String::from("aibom = \"b.json\"\n") + &with_root)).unwrap();
    assert_eq!(
        config.policy.root,
        PolicyRoot::Document("/etc/narthex/root.json".into())
    );
    assert_eq!(config.aibom, Some("/etc/narthex/b.json".into()));
    assert_eq!(parse(&config.to_string()).unwrap(), config);
}

#[test]
fn a_sealed_model_names_who_has_its_key() {
    let of = |lines: &str| parse(&(minimal() + "[model_key]\n" + lines));
    let releaser = "releaser = \"https://keys.example:8445/\"\nowner = [\"owner.pem\"]\n";
    let config = of(&format!(
        "{releaser}ca = \"ca.pem\"\nattempts = 3\nthreshold = 1\n"
    ))
    .unwrap();
    let settings = config.model_key.clone().unwrap();
    assert_eq!(settings.server.address, "https://keys.example:8445");
    assert_eq!(settings.server.kind, KeyServerKind::Releaser);
    assert_eq!(settings.server.attempts, 3);
    assert_eq!(settings.owner, [PathBuf::from("/etc/narthex/owner.pem")]);
    let again = |config: &Config| parse(&config.to_string()).unwrap().model_key;
    assert_eq!(again(&config), config.model_key);
    let kbs = "kbs = \"http://127.0.0.1:8080\"\nresource = \"a/b/c\"\nowner = [\"owner.pem\"]\n";
    let config = of(kbs).unwrap();
    assert_eq!(again(&config), config.model_key);
    assert_eq!(parse(&minimal()).unwrap().model_key, None);
}

#[test]
fn a_key_server_that_cannot_be_meant_is_refused() {
    let of = |lines: &str| mistakes(&(minimal() + "[model_key]\nowner = [\"o.pem\"]\n" + lines));
    let address = "model_key.releaser must be https://HOST[:PORT]; http on loopback only";
    for url in [
        "http://keys.example",
        "https://keys.example/path",
        "https://user@keys.example",
        "https://keys.example?a=b",
        "ftp://keys.example",
        "keys.example",
    ] {
        assert_eq!(of(&format!("releaser = {url:?}\n")), [address], "{url}");
    }
    let none = "model_key.releaser is required: https://HOST[:PORT]; http on loopback only";
    assert_eq!(of(""), [none]);
    let good = "releaser = \"https://a\"\n";
    let both = of(&format!(
        "{good}kbs = \"https://b\"\nresource = \"a/b/c\"\n"
    ));
    assert_eq!(
        both,
        ["model_key.releaser has no meaning beside model_key.kbs"]
    );
    let resource = "model_key.resource must be REPOSITORY/TYPE/TAG";
    assert_eq!(
        of("kbs = \"https://b\"\nresource = \"a/../c\"\n"),
        [resource]
    );
    let attempts = "model_key.attempts must be 1 to 1000";
    assert_eq!(of(&format!("{good}attempts = 0\n")), [attempts]);
    let unknown = "model_key.key is unknown";
    assert_eq!(of(&format!("{good}key = \"00\"\n")), [unknown]);
}

#[test]
fn gpus_are_asked_where_they_are_named() {
    let gpus = |lines: &str| {
        let text = minimal() + "[evidence]\n" + lines;
        let config = parse(&text).unwrap();
        let again = parse(&config.to_string()).unwrap();
        assert_eq!(again.evidence, config.evidence);
        config.evidence.gpus
    };
    assert_eq!(gpus(""), GpuSource::None);
    assert_eq!(gpus("gpus = \"none\""), GpuSource::None);
    let driver = GpuSource::Nvml("libnvidia-ml.so.1".into());
    assert_eq!(gpus("gpus = \"nvml\""), driver);
    let other = GpuSource::Nvml("/opt/ml.so".into());
    assert_eq!(
        gpus("gpus = \"nvml\"\nnvml_library = \"/opt/ml.so\""),
        other
    );
    let refused = |lines: &str| mistakes(&(minimal() + "[evidence]\n" + lines));
    let unknown = "evidence.gpus must be \"nvml\" or \"none\"";
    assert_eq!(refused("gpus = \"all\""), [unknown]);
    assert_eq!(
        refused("nvml_library = \"/opt/ml.so\""),
        ["evidence.nvml_library has no meaning beside evidence.gpus = \"none\""]
    );
}

#[test]
fn a_sealed_model_is_computed_by_either() {
    let of = |device: &str| {
        let sealed = "[model_key]\nowner = [\"o.pem\"]\nreleaser = \"https://a\"\n";
        minimal() + sealed + "[engine]\ndevice = \"" + device + "\"\n"
    };
    assert!(parse(&of("cpu")).is_ok());
    assert!(parse(&(of("cuda") + ASKED)).is_ok());
}

/// Else a model would lie on a GPU that nobody has looked at.
#[test]
fn a_gpu_computes_only_where_it_is_asked_for_evidence() {
    let cuda = minimal() + "[engine]\ndevice = \"cuda\"\n";
    assert!(parse(&(cuda.clone() + ASKED)).is_ok());
    let mistake = "evidence.gpus must be \"nvml\" where engine.device is \"cuda\"";
    assert_eq!(mistakes(&cuda), [mistake]);
    let none = cuda + "[evidence]\ngpus = \"none\"\n";
    assert_eq!(mistakes(&none), [mistake]);
}

#[test]
fn instructions_are_named_or_left_to_the_machine() {
    let isa = |line: &str| {
        let text = minimal() + "[engine]\n" + line;
        parse(&text).unwrap().engine.isa
    };
    assert_eq!(isa(""), None);
    assert_eq!(isa("isa = \"auto\""), None);
    for name in IsaName::ALL {
        assert_eq!(isa(&format!("isa = \"{name}\"")), Some(name));
    }
}

#[test]
fn a_device_is_named_and_numbered() {
    let engine = |lines: &str| parse(&(minimal() + ASKED + "[engine]\n" + lines)).map(|c| c.engine);
    let none = engine("").unwrap();
    assert_eq!((none.device, none.device_index), (ComputeDevice::Cpu, 0));
    let second = engine("device = \"cuda\"\ndevice_index = 1\n").unwrap();
    assert_eq!(
        (second.device, second.device_index),
        (ComputeDevice::Cuda, 1)
    );
    let wrong = minimal() + "[engine]\ndevice = \"gpu\"\n";
    assert_eq!(
        mistakes(&wrong),
        ["engine.device must be \"cpu\" or \"cuda\""]
    );
    let wrong = minimal() + ASKED + "[engine]\ndevice = \"cuda\"\ndevice_index = 64\n";
    assert_eq!(mistakes(&wrong), ["engine.device_index must be 0 to 63"]);
}

#[test]
fn what_the_device_would_ignore_is_refused() {
    let of = |lines: &str| mistakes(&(minimal() + ASKED + "[engine]\n" + lines));
    for cpu in ["device_index = 0\n", "device = \"cpu\"\ndevice_index = 1\n"] {
        let expected = ["engine.device_index is for `device = \"cuda\"`"];
        assert_eq!(of(cpu), expected);
    }
    let cuda = "device = \"cuda\"\nisa = ";
    let expected = ["engine.isa is for `device = \"cpu\"`"];
    assert_eq!(of(&format!("{cuda}\"scalar\"\n")), expected);
    assert!(parse(&(minimal() + ASKED + "[engine]\n" + cuda + "\"auto\"\n")).is_ok());
}

#[test]
fn only_a_gpu_computes_fast() {
    let engine = |lines: &str| minimal() + ASKED + "[engine]\n" + lines;
    let arithmetic = |lines: &str| parse(&engine(lines)).unwrap().engine.arithmetic;
    assert_eq!(arithmetic("device = \"cuda\"\n"), Arithmetic::Exact);
    assert_eq!(
        arithmetic("device = \"cuda\"\narithmetic = \"fast\"\n"),
        Arithmetic::Fast
    );
    assert_eq!(
        mistakes(&engine("arithmetic = \"fast\"\n")),
        ["engine.arithmetic \"fast\" is for `device = \"cuda\"`"]
    );
    assert_eq!(
        mistakes(&engine("arithmetic = \"bf16\"\n")),
        ["engine.arithmetic must be \"exact\" or \"fast\""]
    );
}

#[test]
fn a_source_is_a_path_or_an_address() {
    let source = |text: &str| {
        let config = minimal().replace("p.json", text);
        parse(&config).map(|config| config.policy.source)
    };
    let url = "https://policies.example/team/";
    assert_eq!(source(url).unwrap(), url);
    assert_eq!(source("published").unwrap(), "/etc/narthex/published");
    for refused in ["", "gateway"] {
        assert!(source(refused).is_err(), "{refused:?}");
    }
}

#[test]
fn who_signs_is_said_once() {
    let both = minimal() + "root = \"root.json\"\nthreshold = 1\n";
    let expected = [
        "policy.keys has no meaning beside policy.root",
        "policy.threshold has no meaning beside policy.root",
    ];
    assert_eq!(mistakes(&both), expected);
}

#[test]
fn the_old_name_of_the_source_is_told_the_new_one() {
    let old = minimal().replace("source", "envelope");
    let expected = [
        "policy.envelope is now policy.source",
        "policy.source is required: a file, a folder or an address (http or https)",
    ];
    assert_eq!(mistakes(&old), expected);
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = r#"
        node = "Node_1"
        listen = 80
        residency = "france"
        prompt_log = "/var/log/prompts"
        [policy]
        keys = "k.pem"
        threshold = 2
        [evidence]
        privlevel = 4
        simulated = true
        [engine]
        threads = -1
        isa = "avx1024"
        step_tokens = 257
        kv_bytes = 0
        [channel]
        padding = "none"
        flush_ms = 100
        [limits]
        max_in_flight = 0
        key_window_seconds = 5
        key_grace_seconds = 601
        max_request_bytes = 99999999999
        answer_timeout_seconds = -1
        [log]
        format = "xml"
    "#;
    let expected = [
        "policy.keys must be at least one path",
        "policy.threshold must be a positive number, not above that of the keys",
        "policy.source is required: a file, a folder or an address (http or https)",
        "evidence.privlevel must be 0 to 3",
        "evidence.simulated is unknown",
        "engine.threads must be 0 to 1024",
        "engine.isa must be one of \"auto\", \"avx512-vnni\", \"avx2\", \"scalar\"",
        "engine.step_tokens must be 1 to 256",
        "engine.kv_bytes must be a positive number",
        "channel.padding must be \"off\", \"default\" or \"strict\"",
        "channel.flush_ms must be 40 to 80",
        "limits.max_in_flight must be a positive number",
        "limits.max_request_bytes must be 1024 to 67108864",
        "limits.key_window_seconds must be 60 to 3600",
        "limits.key_grace_seconds must be 0 to 600",
        "limits.answer_timeout_seconds must be a number of seconds, 1 to 86400",
        "log.format must be \"text\" or \"json\"",
        "node must be a-z, 0-9 and -, 1 to 63 of them",
        "listen must be ADDRESS:PORT",
        "model is required: a path",
        "residency must be a country of two capital letters",
        "prompt_log is unknown",
    ];
    assert_eq!(mistakes(text), expected);
}

#[test]
fn an_empty_list_of_keys_is_a_mistake() {
    for keys in ["[]", "[\"\"]"] {
        let text = minimal().replace("[\"k.pem\"]", keys);
        assert_eq!(mistakes(&text), ["policy.keys must be at least one path"]);
    }
}

#[test]
fn codes_are_stable() {
    assert_eq!(parse("node = ").unwrap_err().code(), "config.syntax");
    assert_eq!(parse("").unwrap_err().code(), "config.mistakes");
    let absent = Config::load(Path::new("/nonexistent/narthex.toml"));
    assert_eq!(absent.unwrap_err().code(), "provision.file.read");
}

const UPSTREAM: &str = "
[upstream]
address = \"http://127.0.0.1:8000\"
kind = \"vllm\"
model = \"meta-llama/Llama-3.1-8B-Instruct\"
software_digest = \"sha256:0101010101010101010101010101010101010101010101010101010101010101\"
context_tokens = 8192
";

#[test]
fn a_server_beside_the_runtime_takes_the_place_of_its_engine() {
    let config = parse(&format!("{}{UPSTREAM}", minimal())).unwrap();
    let upstream = config.upstream.clone().unwrap();
    assert_eq!(upstream.software_digest, [1; 32]);
    assert_eq!(
        (upstream.max_requests, upstream.patience.as_secs()),
        (64, 600)
    );
    let again = parse(&config.to_string()).unwrap();
    assert_eq!(again.upstream, config.upstream);
    let both = format!("{}{UPSTREAM}[engine]\nthreads = 1\n", minimal());
    assert_eq!(mistakes(&both), ["engine has no meaning beside upstream"]);
}

#[test]
fn a_server_elsewhere_or_unnamed_is_a_mistake() {
    for (from, to) in [
        ("http://127.0.0.1:8000", "http://10.0.0.1:8000"),
        ("\"vllm\"", "\"ollama\""),
        ("sha256:01", "sha512:01"),
        ("sha256:01", "sha256:0"),
        ("context_tokens = 8192", "context_tokens = 0"),
        ("context_tokens", "context_token"),
    ] {
        let broken = UPSTREAM.replace(from, to);
        assert!(
            !mistakes(&format!("{}{broken}", minimal())).is_empty(),
            "{to}"
        );
    }
}
