//! The workers, and how a task reaches them and is waited for.

use std::{
    hint,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Spins before the first yield, then yields before sleeping: together some hundred microseconds.
const SPINS: u32 = 4_000;
const YIELDS: u32 = 200;

/// A task, borrowed for as long as `Team::run` lasts.
type Task<'a> = &'a (dyn Fn() + Sync);

/// What the caller and the workers share.
struct Shared {
    /// Number of the task; it changes when there is a new one, and for the last time when the team ends.
    round: AtomicUsize,
    /// The task of this round: points at a [`Task`] on the caller's stack. Null: end.
    task: AtomicPtr<()>,
    /// Workers that have not finished this round.
    busy: AtomicUsize,
    /// Whether a worker's task panicked.
    panicked: AtomicBool,
    /// Whether each worker sleeps, or is about to.
    asleep: Vec<AtomicBool>,
}

pub(super) struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Team {
    /// Starts workers; where the system refuses a thread, the team stays smaller.
    pub(super) fn start(workers: usize) -> Self {
        let shared = Arc::new(Shared {
            round: AtomicUsize::new(0),
            task: AtomicPtr::new(ptr::null_mut()),
            busy: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            asleep: (0..workers).map(|_| AtomicBool::new(false)).collect(),
        });
        let spawn = |index| {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("decoder-{index}"));
            builder.spawn(move || work(&shared, index)).ok()
        };
        let workers = (0..workers).map_while(spawn).collect();
        Self { shared, workers }
    }

    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Runs `task` on every thread, this one too, and returns when all have finished.
    pub(super) fn run(&mut self, task: Task<'_>) {
        self.shared
            .busy
            .store(self.workers.len(), Ordering::Relaxed);
        self.publish(ptr::from_ref(&task).cast_mut().cast());
        let own = catch_unwind(AssertUnwindSafe(task));
        wait_until(|| self.shared.busy.load(Ordering::Acquire) == 0);
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        let panicked = self.shared.panicked.swap(false, Ordering::Relaxed);
        assert!(!panicked, "a decoder thread panicked");
    }

    fn publish(&self, task: *mut ()) {
        self.shared.task.store(task, Ordering::Relaxed);
        // Sequentially consistent, as is the worker's look before it sleeps: one of the two sees the other.
        self.shared.round.fetch_add(1, Ordering::SeqCst);
        for (worker, asleep) in self.workers.iter().zip(&self.shared.asleep) {
            if asleep.swap(false, Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.publish(ptr::null_mut());
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

fn work(shared: &Shared, index: usize) {
    let mut round = 0;
    loop {
        round = next_round(shared, index, round);
        let task = shared.task.load(Ordering::Relaxed);
        if task.is_null() {
            return;
        }
        #[expect(unsafe_code, reason = "the task is borrowed across threads")]
        // SAFETY: the pointer was made from a `&Task` in `run`, which returns only after `busy` is zero, that is after
        // every worker's last use of it; `round` was read with acquire after it was written with release.
        let task = unsafe { *task.cast::<Task<'_>>() };
        if catch_unwind(AssertUnwindSafe(task)).is_err() {
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.busy.fetch_sub(1, Ordering::Release);
    }
}

/// Waits for another round than the last: spins, yields, sleeps.
fn next_round(shared: &Shared, index: usize, last: usize) -> usize {
    let news = || Some(shared.round.load(Ordering::SeqCst)).filter(|round| *round != last);
    for attempt in 0..SPINS + YIELDS {
        match news() {
            Some(round) => return round,
            None if attempt < SPINS => hint::spin_loop(),
            None => thread::yield_now(),
        }
    }
    sleep_until(news, shared.asleep.get(index))
}

fn sleep_until(news: impl Fn() -> Option<usize>, asleep: Option<&AtomicBool>) -> usize {
    loop {
        if let Some(asleep) = asleep {
            asleep.store(true, Ordering::SeqCst);
        }
        if let Some(round) = news() {
            return round;
        }
        thread::park();
    }
}

fn wait_until(done: impl Fn() -> bool) {
    let mut attempt = 0;
    while !done() {
        if attempt < SPINS {
            attempt += 1;
            hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}
