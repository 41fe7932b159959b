//! A crowd that comes and goes, for so many seconds: `soak MODEL.gguf [SECONDS]`.
//!
//! Tenants with secrets of their own and shared beginnings ask, go away in the middle, and ask for more than the context holds,
//! while there is memory for about half of what runs. Fails if an answer differs from what the same question got alone, if
//! somebody gets nothing for two minutes, if a place is lost, or if memory grows after a third of the time.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring program, run by scripts/soak"
)]

use std::{
    env,
    error::Error,
    fs,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use engine::{
    CacheSecret, Engine, EngineError, Job, Prompt, Sampling, Step, TenantId,
    local::{LocalConfig, LocalEngine},
};

const CONTEXT: u64 = 512;
const PLACES: usize = 6 + 8;
/// More than there are places, so that some are refused.
const CLIENTS: usize = 16;
/// Questions that are asked again and again.
const QUESTIONS: u64 = 24;
/// Nobody waits so long for a step.
const STUCK: Duration = Duration::from_secs(120);
/// Growth that is not growth: what allocators keep.
const SLACK_MIB: u64 = 24;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<ExitCode> {
    let mut arguments = env::args().skip(1);
    let model = arguments.next().ok_or("no model given")?;
    let seconds = arguments.next().map_or(Ok(60), |n| n.parse())?;
    let config = LocalConfig {
        max_sequences: 6,
        queue: 8,
        max_context: CONTEXT as usize,
        // Of a model with 45 KiB for a position: three of six whole contexts.
        kv_bytes: 3 * 512 * 46_080,
        cached_tokens_per_secret: 256,
        ..LocalConfig::default()
    };
    let engine = LocalEngine::load(Path::new(&model), config)?;
    touch_all_pages(&engine);
    let expected = (0..QUESTIONS).map(|question| ask(&engine, question).ids);
    let crowd = Crowd {
        engine: &engine,
        expected: expected.collect(),
        progress: (0..CLIENTS).map(|_| Mutex::new(Instant::now())).collect(),
        counts: Counts::default(),
        closing: AtomicBool::new(false),
    };
    let memory = thread::scope(|scope| {
        for client in 0..CLIENTS {
            let crowd = &crowd;
            scope.spawn(move || crowd.client(client));
        }
        crowd.watch(Duration::from_secs(seconds))
    });
    Ok(crowd.verdict(&memory))
}

/// Memory that was never used is not there yet, and would look like growth.
fn touch_all_pages(engine: &LocalEngine) {
    let long = |first| {
        let mut job = Job::new(Prompt::tokens(vec![first; CONTEXT as usize - 1]));
        job.max_tokens = Some(1);
        engine.submit(job).unwrap()
    };
    for mut steps in [100, 200, 300].map(long) {
        while steps.blocking_recv().is_some() {}
    }
}

/// What one question led to.
#[derive(Default)]
struct Heard {
    ids: Vec<u32>,
    cached_tokens: u32,
    finished: bool,
}

/// The job of a question: its size, its tenant, and who shares its beginning follow from its number.
fn job(question: u64) -> Job {
    let mut noise = Noise(question * 2 + 1);
    // Half of the questions begin like others of their tenant.
    let beginning = if noise.below(2) == 0 {
        7
    } else {
        100 + question
    };
    let mut words = Noise(beginning * 2 + 1);
    let length = 1 + noise.below(300);
    let tokens: Vec<u32> = (0..length)
        .map(|_| 100 + words.below(40_000) as u32)
        .collect();
    let mut job = Job::new(Prompt::tokens(tokens));
    job.max_tokens = Some(1 + noise.below(80) as u32);
    let tenant = question % 4;
    job.tenant = TenantId([tenant as u8; 32]);
    job.cache_secret = (noise.below(3) > 0).then_some(CacheSecret([tenant as u8; 32]));
    job.sampling = match noise.below(2) {
        0 => Sampling::greedy(),
        _ => Sampling {
            seed: question,
            ..Sampling::default()
        },
    };
    job
}

/// A question asked alone, with nothing computed before.
fn ask(engine: &LocalEngine, question: u64) -> Heard {
    let mut heard = Heard::default();
    let mut job = job(question);
    job.cache_secret = None;
    let mut steps = engine.submit(job).unwrap();
    while let Some(step) = steps.blocking_recv() {
        heard.take(&step);
    }
    assert!(heard.finished, "question {question} has no answer");
    heard
}

impl Heard {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Begun { cached_tokens, .. } => self.cached_tokens = *cached_tokens,
            Step::Token { id, .. } => self.ids.extend(id),
            Step::Done { .. } => self.finished = true,
            Step::Refused(_) => {}
        }
    }
}

#[derive(Default)]
struct Counts {
    answers: AtomicU64,
    tokens: AtomicU64,
    cached_tokens: AtomicU64,
    cancelled: AtomicU64,
    busy: AtomicU64,
    overlong: AtomicU64,
    wrong: AtomicU64,
    stuck: AtomicU64,
}

struct Crowd<'a> {
    engine: &'a LocalEngine,
    expected: Vec<Vec<u32>>,
    /// When each client last heard of something.
    progress: Vec<Mutex<Instant>>,
    counts: Counts,
    closing: AtomicBool,
}

impl Crowd<'_> {
    fn client(&self, client: usize) {
        let mut noise = Noise(client as u64 * 2 + 1);
        while !self.closing.load(Relaxed) {
            let question = noise.below(QUESTIONS);
            match noise.below(10) {
                0 => self.overlong(question, noise.below(5)),
                1..=3 => self.go_away(client, question, noise.below(20)),
                _ => self.listen(client, question),
            }
            *self.progress[client].lock().unwrap() = Instant::now();
        }
    }

    fn overlong(&self, question: u64, beyond: u64) {
        let mut job = job(question);
        job.prompt = Prompt::tokens(vec![7; (CONTEXT + beyond) as usize]);
        match self.engine.submit(job) {
            Err(EngineError::ContextOverflow { .. }) => self.counts.overlong.fetch_add(1, Relaxed),
            // Who finds no place is not looked at any further.
            Err(EngineError::Busy) => self.counts.busy.fetch_add(1, Relaxed),
            _ => self.counts.wrong.fetch_add(1, Relaxed),
        };
    }

    fn go_away(&self, client: usize, question: u64, patience: u64) {
        let Some(mut steps) = self.submit(question) else {
            return;
        };
        for _ in 0..patience {
            let _ = steps.blocking_recv();
            *self.progress[client].lock().unwrap() = Instant::now();
        }
        self.counts.cancelled.fetch_add(1, Relaxed);
    }

    fn listen(&self, client: usize, question: u64) {
        let Some(mut steps) = self.submit(question) else {
            return;
        };
        let mut heard = Heard::default();
        while let Some(step) = steps.blocking_recv() {
            heard.take(&step);
            *self.progress[client].lock().unwrap() = Instant::now();
        }
        let right = heard.finished && heard.ids == self.expected[question as usize];
        self.counts.wrong.fetch_add(u64::from(!right), Relaxed);
        self.counts.answers.fetch_add(1, Relaxed);
        self.counts
            .tokens
            .fetch_add(heard.ids.len() as u64, Relaxed);
        let cached_tokens = u64::from(heard.cached_tokens);
        self.counts.cached_tokens.fetch_add(cached_tokens, Relaxed);
    }

    fn submit(&self, question: u64) -> Option<tokio::sync::mpsc::Receiver<Step>> {
        match self.engine.submit(job(question)) {
            Ok(steps) => return Some(steps),
            Err(EngineError::Busy) => self.counts.busy.fetch_add(1, Relaxed),
            Err(_) => self.counts.wrong.fetch_add(1, Relaxed),
        };
        thread::sleep(Duration::from_millis(20));
        None
    }

    /// Until the time is over or somebody is stuck; gives the memory of every second, in MiB.
    fn watch(&self, time: Duration) -> Vec<u64> {
        let (begun, mut memory) = (Instant::now(), Vec::new());
        let every = (time.as_secs() / 12).max(1);
        while begun.elapsed() < time && self.counts.stuck.load(Relaxed) == 0 {
            thread::sleep(Duration::from_secs(1));
            memory.push(resident_mib());
            let waiting = |last: &&Mutex<Instant>| last.lock().unwrap().elapsed() > STUCK;
            let stuck = self.progress.iter().filter(waiting).count();
            self.counts.stuck.store(stuck as u64, Relaxed);
            if (memory.len() as u64).is_multiple_of(every) {
                self.print(begun.elapsed(), &memory);
            }
        }
        self.closing.store(true, Relaxed);
        memory
    }

    fn print(&self, elapsed: Duration, memory: &[u64]) {
        let counts = &self.counts;
        println!(
            "{:>5} s  rss {:>5} MiB  answers {:>6}  tokens {:>8}  cached {:>8}  gone {:>5}  busy {:>5}  overlong {:>5}  stuck {}",
            elapsed.as_secs(),
            memory.last().unwrap_or(&0),
            counts.answers.load(Relaxed),
            counts.tokens.load(Relaxed),
            counts.cached_tokens.load(Relaxed),
            counts.cancelled.load(Relaxed),
            counts.busy.load(Relaxed),
            counts.overlong.load(Relaxed),
            counts.stuck.load(Relaxed),
        );
    }

    fn verdict(&self, memory: &[u64]) -> ExitCode {
        let begun = Instant::now();
        while self.engine.capacity() < PLACES && begun.elapsed() < STUCK {
            thread::sleep(Duration::from_millis(10));
        }
        let lost = PLACES - self.engine.capacity();
        let (warm, rest) = memory.split_at(memory.len() / 3);
        let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
        let grown = most(rest).saturating_sub(most(warm));
        let wrong = self.counts.wrong.load(Relaxed);
        let (stuck, answers) = (
            self.counts.stuck.load(Relaxed),
            self.counts.answers.load(Relaxed),
        );
        println!(
            "lost places {lost}, stuck {stuck}, wrong answers {wrong}, memory grew by {grown} MiB"
        );
        match lost == 0 && stuck == 0 && wrong == 0 && grown <= SLACK_MIB && answers > 0 {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}

/// Memory that this process has, in MiB.
fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// xorshift64: the same crowd every time.
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
        self.0 |= 1;
        (self.0 >> 11) % bound
    }
}
