//! The built library: its entry points by name, and launches.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    fmt::Debug,
    marker::PhantomData,
    mem,
    sync::OnceLock,
};

use super::{Memory, build};

/// Grid, block and dynamic shared memory of a launch.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Blocks along x, y, z.
    pub grid: [u32; 3],
    /// Threads of a block along x, y, z.
    pub block: [u32; 3],
    /// Bytes of dynamic shared memory.
    pub shared_bytes: u32,
}

impl Shape {
    /// A plane of blocks of `threads` in a row, without dynamic shared memory.
    pub fn plane(x: u32, y: u32, threads: u32) -> Self {
        Self {
            grid: [x, y, 1],
            block: [threads, 1, 1],
            shared_bytes: 0,
        }
    }
}

/// Why a launch was refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// No entry point has this name.
    UnknownEntry,
    /// Undefined on a GPU: divergent barriers and their like, with the line.
    Undefined(String),
    /// No device takes such a grid, block or size of shared memory.
    BadConfiguration,
}

/// Arguments of a launch, in order; what they point to is borrowed until it is done.
#[derive(Default)]
pub struct Arguments<'a> {
    values: Vec<Vec<u64>>,
    borrowed: PhantomData<&'a mut ()>,
}

impl<'a> Arguments<'a> {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Memory that the kernel reads or writes.
    pub fn memory<T: Copy>(self, memory: &'a Memory<T>) -> Self {
        self.value(memory.address())
    }

    /// Memory from the value at `index` on.
    pub fn memory_from<T: Copy>(self, memory: &'a Memory<T>, index: usize) -> Self {
        assert!(index <= memory.len());
        let bytes = (index * size_of::<T>()) as u64;
        self.value(memory.address() + bytes)
    }

    /// No memory.
    pub fn null(self) -> Self {
        self.value(0_u64)
    }

    /// A value: a number, or a structure as C lays it out.
    pub fn value<T: Copy>(mut self, value: T) -> Self {
        let mut words = vec![0; size_of::<T>().div_ceil(8)];
        // SAFETY: the words have room for the value, which is plain data.
        unsafe { words.as_mut_ptr().cast::<T>().write_unaligned(value) };
        self.values.push(words);
        self
    }

    fn pointers(&mut self) -> Vec<*mut c_void> {
        let values = self.values.iter_mut();
        values.map(|words| words.as_mut_ptr().cast()).collect()
    }
}

type Launch =
    unsafe extern "C" fn(*const c_char, *const u32, *const u32, u32, *mut *mut c_void) -> c_int;

type WhyNot = unsafe extern "C" fn() -> *const c_char;
type Entry = unsafe extern "C" fn(u32) -> *const c_char;
type Descending = unsafe extern "C" fn(c_int);

/// The kernels' library.
pub struct Library {
    launch: Launch,
    fault: WhyNot,
    entry: Entry,
    descending: Descending,
}

/// The library, built and loaded by the first who asks.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::load(build::built().to_str().unwrap()))
}

impl Library {
    fn load(path: &str) -> Self {
        let path = CString::new(path).unwrap();
        // SAFETY: the path ends with a zero; the library's constructors only fill its table of entry points.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "{path:?} does not load");
        let symbol = |name: &CStr| {
            // SAFETY: the handle is open and stays so; the name ends with a zero.
            let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
            assert!(!symbol.is_null(), "{name:?} is missing");
            symbol
        };
        // SAFETY: `library.cpp` declares the four functions with these types.
        unsafe {
            Self {
                launch: mem::transmute::<*mut c_void, Launch>(symbol(c"narthex_cuda_cpu_launch")),
                fault: mem::transmute::<*mut c_void, WhyNot>(symbol(c"narthex_cuda_cpu_fault")),
                entry: mem::transmute::<*mut c_void, Entry>(symbol(c"narthex_cuda_cpu_entry")),
                descending: mem::transmute::<*mut c_void, Descending>(symbol(
                    c"narthex_cuda_cpu_descending",
                )),
            }
        }
    }

    /// Names of all entry points, those of the header's own tests too (`self_test_..`).
    pub fn entries(&self) -> Vec<String> {
        (0..)
            // SAFETY: any number may be asked for; names live as long as the library.
            .map_while(|index| unsafe { (self.entry)(index).as_ref() })
            // SAFETY: a name ends with a zero.
            .map(|name| unsafe { CStr::from_ptr(name) })
            .map(|name| name.to_str().unwrap().to_owned())
            .collect()
    }

    /// Launches an entry point on the calling thread and waits for it.
    ///
    /// The arguments must be those that the entry point takes: nobody checks.
    pub fn launch(
        &self,
        entry: &str,
        shape: Shape,
        mut arguments: Arguments<'_>,
    ) -> Result<(), Fault> {
        let mut pointers = arguments.pointers();
        self.launch_raw(entry, shape, &mut pointers)
    }

    /// The same with arguments as cudaLaunchKernel takes them: a pointer to each.
    pub fn launch_raw(
        &self,
        entry: &str,
        shape: Shape,
        arguments: &mut [*mut c_void],
    ) -> Result<(), Fault> {
        let entry = CString::new(entry).unwrap();
        let (grid, block) = (shape.grid.as_ptr(), shape.block.as_ptr());
        // SAFETY: grid and block are three numbers each; the caller answers for the arguments.
        let outcome = unsafe {
            (self.launch)(
                entry.as_ptr(),
                grid,
                block,
                shape.shared_bytes,
                arguments.as_mut_ptr(),
            )
        };
        match outcome {
            0 => Ok(()),
            1 => Err(Fault::UnknownEntry),
            2 => Err(Fault::Undefined(self.fault())),
            _ => Err(Fault::BadConfiguration),
        }
    }

    fn fault(&self) -> String {
        // SAFETY: the text lives until this thread's next launch and ends with a zero.
        let text = unsafe { CStr::from_ptr((self.fault)()) };
        text.to_string_lossy().into_owned()
    }
}

/// What `run` gives, which must be the same whichever threads and blocks go first: else a barrier is missing.
pub fn in_both_orders<T: PartialEq + Debug>(run: impl Fn() -> T) -> T {
    let ascending = run();
    // SAFETY: sets a flag of this thread.
    unsafe { (library().descending)(1) };
    let descending = run();
    // SAFETY: as above.
    unsafe { (library().descending)(0) };
    assert!(
        ascending == descending,
        "the result depends on the order of threads"
    );
    ascending
}
