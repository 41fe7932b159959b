//! A device that is this machine's processor, with memory that ends where nobody may read or write.

use std::{
    collections::BTreeMap,
    ffi::c_void,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use gpu::{Device, DeviceError, Launch, Memory};

use crate::cuda_cpu::{self, Shape, library};

/// An entry point that does wrong: a bit of the first memory it writes is flipped.
#[derive(Clone, Copy)]
pub(crate) struct Flip {
    /// What its name begins with.
    pub(crate) entry: &'static str,
    /// Which of its arguments.
    pub(crate) argument: usize,
    /// Which byte of it.
    pub(crate) byte: usize,
    /// Which launches of it do wrong, beginning with 0.
    pub(crate) launches: [usize; 2],
}

#[derive(Default)]
pub(crate) struct Emulated {
    given: Mutex<Vec<cuda_cpu::Memory<u8>>>,
    flip: Option<Flip>,
    flips: AtomicUsize,
    /// From so many bytes on, what is written to it has a wrong bit.
    forgets: Option<usize>,
    pub(crate) counts: Counts,
    /// Entry points that were launched, and how often.
    pub(crate) entries: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// How often it was asked.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) allocations: AtomicUsize,
    pub(crate) uploads: AtomicUsize,
    pub(crate) downloads: AtomicUsize,
    pub(crate) replays: AtomicUsize,
    pub(crate) launches: AtomicUsize,
}

impl Emulated {
    pub(crate) fn wrong(flip: Flip) -> Self {
        Self {
            flip: Some(flip),
            ..Self::default()
        }
    }

    pub(crate) fn forgetful(bytes: usize) -> Self {
        Self {
            forgets: Some(bytes),
            ..Self::default()
        }
    }

    /// Whether all memory is zeros.
    pub(crate) fn is_blank(&self) -> bool {
        let given = self.given.lock().unwrap();
        given
            .iter()
            .all(|memory| memory.read().iter().all(|byte| *byte == 0))
    }

    fn within<T>(
        &self,
        memory: Memory,
        bytes: usize,
        then: impl FnOnce(&mut cuda_cpu::Memory<u8>, usize) -> T,
    ) -> Result<T, DeviceError> {
        let asked = Memory::new(memory.address(), bytes);
        let mut given = self.given.lock().unwrap();
        let contains = |given: &&mut cuda_cpu::Memory<u8>| {
            Memory::new(given.address(), given.len()).contains(asked)
        };
        let owner = given.iter_mut().find(contains);
        let owner = owner.ok_or(DeviceError::ForeignMemory)?;
        let offset = usize::try_from(memory.address() - owner.address()).unwrap();
        Ok(then(owner, offset))
    }

    fn flip(&self, launch: &Launch) {
        let Some(flip) = self
            .flip
            .filter(|flip| launch.entry.starts_with(flip.entry))
        else {
            return;
        };
        let [first, end] = flip.launches;
        if !(first..end).contains(&self.flips.fetch_add(1, Ordering::Relaxed)) {
            return;
        }
        let gpu::Argument::Memory(memory) = launch.arguments[flip.argument] else {
            panic!("no memory");
        };
        let (mut byte, memory) = ([0], memory.part(flip.byte, 1));
        self.download(memory, &mut byte).unwrap();
        self.upload(memory, &[byte[0] ^ 1]).unwrap();
    }
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Device for Emulated {
    type Recording = Vec<Launch>;

    fn architecture(&self) -> &'static str {
        "emulated"
    }

    fn allocate(&self, bytes: usize) -> Result<Memory, DeviceError> {
        count(&self.counts.allocations);
        let memory = cuda_cpu::Memory::of(&vec![0_u8; bytes]);
        let handle = Memory::new(memory.address(), bytes);
        self.given.lock().unwrap().push(memory);
        Ok(handle)
    }

    fn upload(&self, to: Memory, bytes: &[u8]) -> Result<(), DeviceError> {
        count(&self.counts.uploads);
        self.within(to, bytes.len(), |memory, offset| {
            memory.write(offset, bytes);
            if self.forgets.is_some_and(|most| bytes.len() >= most) {
                memory.write(offset + bytes.len() / 2, &[bytes[bytes.len() / 2] ^ 1]);
            }
        })
    }

    fn download(&self, from: Memory, bytes: &mut [u8]) -> Result<(), DeviceError> {
        count(&self.counts.downloads);
        let length = bytes.len();
        self.within(from, length, |memory, offset| {
            bytes.copy_from_slice(&memory.read()[offset..][..length]);
        })
    }

    fn clear(&self, memory: Memory) -> Result<(), DeviceError> {
        let zeros = vec![0; memory.bytes()];
        self.within(memory, zeros.len(), |memory, offset| {
            memory.write(offset, &zeros)
        })
    }

    fn launch(&self, launch: &Launch) -> Result<(), DeviceError> {
        count(&self.counts.launches);
        let entry = launch.entry.clone();
        *self.entries.lock().unwrap().entry(entry).or_default() += 1;
        for memory in launch.memory() {
            self.within(memory, memory.bytes(), |_, _| ())?;
        }
        let mut slots = launch.slots();
        let pointers = slots.iter_mut().map(|slot| std::ptr::from_mut(slot).cast());
        let mut pointers: Vec<*mut c_void> = pointers.collect();
        let shape = Shape {
            grid: launch.grid,
            block: launch.block,
            shared_bytes: launch.shared_bytes,
        };
        let done = library().launch_raw(&launch.entry, shape, &mut pointers);
        done.unwrap_or_else(|fault| panic!("{}: {fault:?}", launch.entry));
        self.flip(launch);
        Ok(())
    }

    fn record(&self, launches: &[Launch]) -> Result<Vec<Launch>, DeviceError> {
        Ok(launches.to_vec())
    }

    fn replay(&self, recording: &Vec<Launch>) -> Result<(), DeviceError> {
        count(&self.counts.replays);
        recording.iter().try_for_each(|launch| self.launch(launch))
    }
}
