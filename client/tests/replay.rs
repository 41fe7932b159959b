//! `narthex audit replay`: an answer that was made in company is made again alone, and every file that is another has its own refusal.
#![allow(
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and are told where the model is"
)]

use crate::model_folder::{Folder, PUBLIC_NAME};
use crate::narthex::{Run, narthex};
use crate::tiny;
use attestation::{
    BindingId, UnixTime,
    manifest::{Arithmetic, GpuKernels},
};
use engine::{
    Engine, Job, Prompt, Sampling, Step,
    gguf::Gguf,
    local::{LocalConfig, LocalEngine},
};
use protocol::{ExchangeDigests, IdentitySecret, Opening, Outcome, PaddingProfile, Receipt, Usage};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

const PATH: &str = "/v1/chat/completions";
const SEED: u64 = 4711;
const SECRET: [u8; 32] = [7; 32];

fn model() -> PathBuf {
    let named = std::env::var_os("NARTHEX_MODEL");
    named.map(PathBuf::from).expect(
        "NARTHEX_MODEL does not name SmolLM2-135M-Instruct.Q4_1.gguf: run ./scripts/test, which fetches it",
    )
}

fn request(name: &str, rest: &str) -> String {
    format!(
        r#"{{"model":"{name}","messages":[{{"role":"user","content":"Tell me a story about a lighthouse."}}],"max_tokens":12,"temperature":1{rest}}}"#
    )
}

/// What a runtime would have kept of two exchanges that were answered while others were.
struct Answered {
    receipt: Receipt,
    request: String,
    /// The same with two choices.
    both: (Receipt, String),
    tokens: Vec<u32>,
}

fn answered() -> &'static Answered {
    static ANSWERED: OnceLock<Answered> = OnceLock::new();
    ANSWERED.get_or_init(answer)
}

fn answer() -> Answered {
    let config = LocalConfig {
        max_sequences: 4,
        max_context: 256,
        ..LocalConfig::default()
    };
    let engine = LocalEngine::load(&model(), config).unwrap();
    let name = &engine.card().name;
    let (one, two) = (request(name, ""), request(name, r#","n":2"#));
    let company = engine.submit(company()).unwrap();
    let choices = made(&engine, &two);
    let alone = made(&engine, &one);
    drop(company);
    assert_eq!(
        choices[0], alone[0],
        "the first choice is the request's own"
    );
    Answered {
        receipt: receipt(&engine, &one, &alone),
        both: (receipt(&engine, &two, &choices), two),
        tokens: alone[0].clone(),
        request: one,
    }
}

fn company() -> Job {
    let mut job = Job::new(Prompt::text("Once upon a time"));
    job.max_tokens = Some(200);
    job.sampling = Sampling::greedy();
    job
}

/// All choices, made at the same time.
fn made(engine: &LocalEngine, request: &str) -> Vec<Vec<u32>> {
    let replay = openai::Replay::read(PATH, request.as_bytes());
    let jobs = replay.and_then(|replay| replay.jobs(SEED, engine));
    let jobs = jobs.unwrap_or_else(|error| panic!("{error:?}"));
    let running: Vec<_> = jobs
        .into_iter()
        .map(|job| engine.submit(job).unwrap())
        .collect();
    let tokens = |mut steps: tokio::sync::mpsc::Receiver<Step>| {
        let mut ids = Vec::new();
        while let Some(step) = steps.blocking_recv() {
            if let Step::Token { id, .. } = step {
                ids.extend(id);
            }
        }
        ids
    };
    running.into_iter().map(tokens).collect()
}

fn receipt(engine: &LocalEngine, request: &str, choices: &[Vec<u32>]) -> Receipt {
    let card = engine.card();
    let opening = Opening::from_bytes(SECRET);
    let slices: Vec<&[u32]> = choices.iter().map(Vec::as_slice).collect();
    Receipt {
        request_id: [1; 16],
        digests: ExchangeDigests {
            request: opening.request_digest("POST", PATH, request.as_bytes()),
            response: [0; 32],
            tokens: opening.tokens_digest(&openai::digested_tokens(&slices)),
        },
        binding_id: BindingId([2; 32]),
        manifest: [3; 32],
        policy_version: 1,
        policy_digest: [4; 32],
        client_policy: [5; 32],
        model: card.name.clone(),
        model_digest: card.model_digest,
        tokenizer_digest: card.tokenizer_digest,
        template_digest: card.template_digest,
        aibom_digest: None,
        node: "node-1".to_owned(),
        epoch: 1,
        cache_scope: "request".to_owned(),
        tenant: None,
        residency: None,
        padding: PaddingProfile::Off,
        outcome: Outcome::Complete,
        status: 200,
        usage: Usage {
            prompt_tokens: 20,
            completion_tokens: u32::try_from(choices.iter().map(Vec::len).sum::<usize>()).unwrap(),
        },
        received_at: UnixTime(1_795_305_600),
        finished_at: UnixTime(1_795_305_601),
        temperature_milli: 1000,
        top_p_milli: 1000,
        seed: SEED,
        isa: card.isa.to_owned(),
        engine: card.mode.clone().into_owned(),
        kernels_digest: card.kernels_digest,
        gpu: None,
    }
}

/// Status and last check of a replay of `receipt`, with further arguments.
fn replay(receipt: &Receipt, request: &str, more: &[&str]) -> (i32, String) {
    let model = model();
    let arguments = [&["--json", "--model", model.to_str().unwrap()], more].concat();
    told(&run(receipt, request, &arguments))
}

fn replay_status(receipt: &Receipt, request: &str, more: &[&str]) -> i32 {
    run(receipt, request, more).status
}

fn run(receipt: &Receipt, request: &str, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let signed = receipt.sign(&IdentitySecret::generate());
    fs::write(folder.path().join("r.cose"), signed.as_bytes()).unwrap();
    fs::write(folder.path().join("r.opening"), hex::encode(SECRET)).unwrap();
    fs::write(folder.path().join("r.json"), request).unwrap();
    let files = [
        "audit",
        "replay",
        "r.cose",
        "--opening",
        "r.opening",
        "--request",
        "r.json",
    ];
    narthex(folder.path(), &[&files, more].concat())
}

fn told(run: &Run) -> (i32, String) {
    let document: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let checks = document["checks"].as_array().unwrap();
    let last = checks.last().unwrap()["id"].as_str().unwrap().to_owned();
    (run.status, last)
}

#[test]
fn the_same_tokens_on_every_path_and_any_number_of_threads() {
    let Answered {
        receipt,
        request,
        both,
        ..
    } = answered();
    assert_eq!(
        replay(receipt, request, &[]),
        (0, "replay.tokens".to_owned())
    );
    assert_eq!(
        replay(receipt, request, &["--threads", "1", "--isa", "scalar"]),
        (0, "replay.tokens".to_owned())
    );
    assert_eq!(
        replay(&both.0, &both.1, &[]),
        (0, "replay.tokens".to_owned())
    );
}

#[test]
fn other_tokens_are_told() {
    let answered = answered();
    let mut receipt = answered.receipt.clone();
    receipt.seed += 1;
    assert_eq!(
        replay(&receipt, &answered.request, &[]),
        (10, "replay.tokens".to_owned())
    );
    let mut receipt = answered.receipt.clone();
    let mut tokens = answered.tokens.clone();
    *tokens.last_mut().unwrap() ^= 1;
    receipt.digests.tokens = Opening::from_bytes(SECRET).tokens_digest(&tokens);
    assert_eq!(
        replay(&receipt, &answered.request, &[]),
        (10, "replay.tokens".to_owned())
    );
}

#[test]
fn an_answer_that_was_broken_off_is_the_beginning() {
    let answered = answered();
    let mut receipt = answered.receipt.clone();
    receipt.usage.completion_tokens = 5;
    receipt.digests.tokens = Opening::from_bytes(SECRET).tokens_digest(&answered.tokens[..5]);
    assert_eq!(
        replay(&receipt, &answered.request, &[]),
        (10, "replay.longer".to_owned())
    );
    for outcome in [Outcome::Failed, Outcome::Abandoned] {
        receipt.outcome = outcome;
        assert_eq!(
            replay(&receipt, &answered.request, &[]),
            (0, "replay.tokens".to_owned())
        );
    }
}

#[test]
fn what_was_broken_off_where_nobody_knows_is_not_judged() {
    let answered = answered();
    let unknown = (20, "replay.broken_off".to_owned());
    let none = Opening::from_bytes(SECRET).tokens_digest(&[]);
    let mut busy = answered.receipt.clone();
    (
        busy.status,
        busy.usage.completion_tokens,
        busy.digests.tokens,
    ) = (503, 0, none);
    assert_eq!(replay(&busy, &answered.request, &[]), unknown);
    let (mut both, request) = answered.both.clone();
    (both.outcome, both.digests.tokens) = (Outcome::Abandoned, [9; 32]);
    assert_eq!(replay(&both, &request, &[]), unknown);
    let mut longer = answered.receipt.clone();
    longer.usage.completion_tokens = 400;
    longer.digests.tokens = [9; 32];
    assert_eq!(replay(&longer, &answered.request, &[]), unknown);
}

#[test]
fn sampling_that_the_request_did_not_ask_for_is_told() {
    let answered = answered();
    for edit in [
        (|receipt| receipt.temperature_milli = 900) as fn(&mut Receipt),
        |receipt| receipt.top_p_milli = 900,
    ] {
        let mut receipt = answered.receipt.clone();
        edit(&mut receipt);
        let told = replay(&receipt, &answered.request, &[]);
        assert_eq!(told, (10, "replay.sampling".to_owned()));
    }
}

#[test]
fn a_folder_with_one_model_will_do() {
    let answered = answered();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let by_folder = ["--model", folder.to_str().unwrap()];
    assert_eq!(
        replay_status(&answered.receipt, &answered.request, &by_folder),
        2
    );
    std::os::unix::fs::symlink(model(), folder.join("one.gguf")).unwrap();
    assert_eq!(
        replay_status(&answered.receipt, &answered.request, &by_folder),
        0
    );
    std::os::unix::fs::symlink(model(), folder.join("two.gguf")).unwrap();
    assert_eq!(
        replay_status(&answered.receipt, &answered.request, &by_folder),
        2
    );
}

#[test]
fn an_answer_from_a_model_folder_is_made_again_from_it() {
    let gguf = Gguf::from_bytes(tiny::speaking("llama-0").bytes()).unwrap();
    let mut folder = Folder::speaking(&gguf);
    let path = folder.write();
    let config = LocalConfig {
        max_sequences: 1,
        max_context: 128,
        ..LocalConfig::default()
    };
    let engine = LocalEngine::load(&path, config).unwrap();
    let request = request(PUBLIC_NAME, "");
    let made = made(&engine, &request);
    assert!(!made[0].is_empty());
    let receipt = receipt(&engine, &request, &made);
    let replayed = |model: &Path| {
        let model = ["--json", "--model", model.to_str().unwrap()];
        run(&receipt, &request, &model)
    };
    assert_eq!(
        told(&replayed(&path)),
        (0, "replay.tokens".to_owned()),
        "the folder itself"
    );
    assert_eq!(
        replayed(folder.place()).status,
        2,
        "a folder with the folder"
    );
    std::os::unix::fs::symlink(model(), path.join("one.gguf")).unwrap();
    assert_eq!(replayed(&path).status, 2, "two models in one folder");
    fs::remove_file(path.join("one.gguf")).unwrap();
    folder.tensors[0].bytes[0] ^= 1;
    folder.write();
    assert_eq!(told(&replayed(&path)).0, 10, "other weights");
}

#[test]
fn files_of_another_exchange_are_refused_before_anything_runs() {
    let answered = answered();
    let other = answered.request.replace("lighthouse", "windmill");
    assert_eq!(
        replay(&answered.receipt, &other, &[]),
        (10, "replay.request".to_owned())
    );
    let path = ["--path", "/v1/completions"];
    assert_eq!(
        replay(&answered.receipt, &answered.request, &path),
        (10, "replay.request".to_owned())
    );
    for (edit, code) in [
        (
            (|receipt| receipt.model_digest[0] ^= 1) as fn(&mut Receipt),
            "replay.model",
        ),
        (
            |receipt| receipt.tokenizer_digest[0] ^= 1,
            "replay.tokenizer",
        ),
        (|receipt| receipt.template_digest[0] ^= 1, "replay.template"),
    ] {
        let mut receipt = answered.receipt.clone();
        edit(&mut receipt);
        let model = model();
        let run = run(
            &receipt,
            &answered.request,
            &["--model", model.to_str().unwrap()],
        );
        assert_eq!(run.status, 10, "{run:?}");
        assert!(run.stdout.contains(&format!("REJECTED  {code}")), "{run:?}");
    }
}

#[test]
fn what_this_program_cannot_run_again_is_not_judged() {
    let answered = answered();
    let mut receipt = answered.receipt.clone();
    receipt.kernels_digest[0] ^= 1;
    assert_eq!(
        replay(&receipt, &answered.request, &[]),
        (20, "replay.kernels".to_owned())
    );
    let mut receipt = answered.receipt.clone();
    receipt.engine = "upstream/vllm".to_owned();
    assert_eq!(
        replay(&receipt, &answered.request, &[]),
        (20, "replay.engine".to_owned())
    );
}

/// The receipt of a GPU's answer, which is the CPU's where its arithmetic is exact.
fn of_gpus(engine: &str, arithmetic: Arithmetic) -> Receipt {
    Receipt {
        engine: engine.to_owned(),
        gpu: Some(GpuKernels {
            cubins_digest: [7; 32],
            arithmetic,
        }),
        ..answered().receipt.clone()
    }
}

#[test]
fn what_gpus_answered_in_exact_arithmetic_is_run_again_on_a_cpu() {
    let receipt = of_gpus("cuda/exact", Arithmetic::Exact);
    assert_eq!(
        replay(&receipt, &answered().request, &[]),
        (0, "replay.tokens".to_owned())
    );
}

#[test]
fn what_gpus_answered_in_fast_arithmetic_is_not_judged() {
    let judged = |receipt: &Receipt| replay(receipt, &answered().request, &[]);
    for engine in ["cuda/fast", "cuda/exact", "cpu/deterministic"] {
        let fast = of_gpus(engine, Arithmetic::Fast);
        assert_eq!(judged(&fast), (20, "replay.arithmetic".to_owned()));
    }
    for engine in ["cuda/fast", "cpu/deterministic"] {
        let other = of_gpus(engine, Arithmetic::Exact);
        assert_eq!(judged(&other), (20, "replay.engine".to_owned()));
    }
    let mut untold = of_gpus("cuda/exact", Arithmetic::Exact);
    untold.gpu = None;
    assert_eq!(judged(&untold), (20, "replay.engine".to_owned()));
}

#[test]
fn files_that_do_not_parse_are_malformed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("r.cose"), b"no receipt").unwrap();
    fs::write(folder.path().join("r.opening"), hex::encode(SECRET)).unwrap();
    fs::write(folder.path().join("r.json"), "{}").unwrap();
    let arguments = [
        "audit",
        "replay",
        "r.cose",
        "--opening",
        "r.opening",
        "--request",
        "r.json",
        "--model",
        "m.gguf",
    ];
    assert_eq!(narthex(folder.path(), &arguments).status, 30);
}
