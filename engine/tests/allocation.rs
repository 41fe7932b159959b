//! How much memory loading takes, under an allocator that moves whatever it reallocates, as the runtime's does.
#![allow(
    missing_docs,
    unsafe_code,
    clippy::unwrap_used,
    reason = "a test; GlobalAlloc is an unsafe trait"
)]

mod gguf_file;
mod model_folder;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use engine::{folder::ModelFolder, gguf::Gguf, model::Model};
use gguf_file::{File, TENSOR_F32, f32_value, sized_llama};
use model_folder::Folder;

/// The system's allocator with the trait's own `realloc`: it counts what is allocated, and how much of it lives.
struct Counting {
    total: AtomicUsize,
    live: AtomicUsize,
    peak: AtomicUsize,
}

// SAFETY: every call is forwarded to `System` with the caller's own arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.total.fetch_add(layout.size(), Relaxed);
        let live = self.live.fetch_add(layout.size(), Relaxed) + layout.size();
        self.peak.fetch_max(live, Relaxed);
        // SAFETY: the caller's contract is `System`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's contract is `System`'s contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting {
    total: AtomicUsize::new(0),
    live: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
};

/// One test counts at a time.
static COUNTED: Mutex<()> = Mutex::new(());

/// Bytes that were allocated, and most that lived at once.
struct Used {
    total: usize,
    peak: usize,
}

/// What `work` takes beyond what was there before.
fn used<T>(work: impl FnOnce() -> T) -> Used {
    let before = ALLOCATOR.live.load(Relaxed);
    ALLOCATOR.total.store(0, Relaxed);
    ALLOCATOR.peak.store(before, Relaxed);
    drop(work());
    Used {
        total: ALLOCATOR.total.load(Relaxed),
        peak: ALLOCATOR.peak.load(Relaxed) - before,
    }
}

/// A model of 218 tensors in F32, of some 35 MB: what is read ahead of a file is little beside it.
fn model() -> File {
    let mut file = sized_llama(24, 256, 256, 1024);
    file.set("llama.rope.freq_base", f32_value(1e4));
    for tensor in &mut file.tensors {
        let elements: u64 = tensor.dimensions.iter().product();
        tensor.kind = TENSOR_F32.0;
        tensor.bytes = vec![0; elements as usize * 4];
    }
    file
}

#[test]
fn a_file_is_read_once_and_packed_tensor_by_tensor() {
    let _alone = COUNTED.lock().unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    fs::write(&path, model().bytes()).unwrap();
    let size = fs::metadata(&path).unwrap().len() as usize;
    check(size, &used(|| Gguf::open(&path).unwrap()));
    let taken = used(|| Model::take(&mut Gguf::open(&path).unwrap()).unwrap());
    check(size, &taken);
}

#[test]
fn a_folder_is_read_once_and_packed_tensor_by_tensor() {
    let _alone = COUNTED.lock().unwrap();
    let folder = Folder::of(&Gguf::from_bytes(model().bytes()).unwrap());
    let path = folder.write();
    let size = fs::metadata(path.join("model.safetensors")).unwrap().len() as usize;
    let open = || ModelFolder::open(&path).unwrap();
    check(size, &used(open));
    check(size, &used(|| Model::take_folder(&mut open()).unwrap()));
}

/// Read and packed, all of it is allocated twice; of what lives, a tensor at most is there twice.
fn check(size: usize, used: &Used) {
    let (total, peak) = (used.total, used.peak);
    assert!(total <= 3 * size, "{total} bytes for {size}");
    assert!(peak <= size + size / 4, "{peak} of {size} bytes at once");
}

#[test]
fn a_configuration_takes_no_more_than_some_times_its_size() {
    let _alone = COUNTED.lock().unwrap();
    let path = tempfile::tempdir().unwrap();
    let weights = model_folder::safetensors(&[]);
    fs::write(path.path().join("model.safetensors"), weights).unwrap();
    let size = 1 << 20;
    let mut text = r#"{"a":["#.to_owned() + &"[],".repeat(size / 3 - 4) + "[]]}";
    text.extend(std::iter::repeat_n(' ', size - text.len()));
    fs::write(path.path().join("config.json"), text).unwrap();
    let read = used(|| ModelFolder::open(path.path()).unwrap());
    assert!(read.peak <= 64 * size, "{}", read.peak);
}
