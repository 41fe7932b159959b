//! A sealed model, deciphered on the device: what the CPU path uploads, byte for byte; and what is not genuine is not deciphered.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use engine::{
    decoder::{Decoder, KvCache, KvTable},
    gguf::Gguf,
    local::{Backend, LoadError},
    model::{Model, PlacedMatrix},
};
use gpu::{Argument, Arithmetic, Device, DeviceError, GpuBackend, GpuDecoder, Launch, Memory};
use sealed_model::SealedModel;

use crate::{
    device::Emulated,
    families::{self, CAPACITY},
    gguf_file::{self, TENSOR_Q4_1, TENSOR_Q8_0},
    sealed_place::{Owner, Place, SEGMENT, files_of, kept, store},
    source::FileSource,
    tiny,
};

type Files = BTreeMap<String, Vec<u8>>;

const STRIDE: usize = SEGMENT as usize + 32;

/// An emulated device that is looked at from outside.
#[derive(Clone, Default)]
struct Watched(Arc<Inside>);

#[derive(Default)]
struct Inside {
    device: Emulated,
    given: Mutex<Vec<Memory>>,
    /// Launches of the cipher.
    deciphered: AtomicUsize,
    /// The entry point whose first memory it writes gets a wrong bit, and which of its arguments that is.
    wrong: Mutex<Option<(&'static str, usize)>>,
}

impl Watched {
    /// What lies in its memory and is not all zeros, in the order of the bytes.
    fn contents(&self) -> Vec<Vec<u8>> {
        let given = self.0.given.lock().unwrap().clone();
        let read = given.iter().map(|memory| {
            let mut bytes = vec![0; memory.bytes()];
            self.download(*memory, &mut bytes).unwrap();
            bytes
        });
        let mut contents: Vec<_> = read
            .filter(|bytes| bytes.iter().any(|byte| *byte != 0))
            .collect();
        contents.sort();
        contents
    }

    fn deciphered(&self) -> usize {
        self.0.deciphered.load(Ordering::Relaxed)
    }
}

impl Device for Watched {
    type Recording = Vec<Launch>;

    fn architecture(&self) -> &'static str {
        self.0.device.architecture()
    }

    fn allocate(&self, bytes: usize) -> Result<Memory, DeviceError> {
        let memory = self.0.device.allocate(bytes)?;
        self.0.given.lock().unwrap().push(memory);
        Ok(memory)
    }

    fn upload(&self, to: Memory, bytes: &[u8]) -> Result<(), DeviceError> {
        self.0.device.upload(to, bytes)
    }

    fn download(&self, from: Memory, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.0.device.download(from, bytes)
    }

    fn clear(&self, memory: Memory) -> Result<(), DeviceError> {
        self.0.device.clear(memory)
    }

    fn launch(&self, launch: &Launch) -> Result<(), DeviceError> {
        if launch.entry == "aes256_ctr" {
            self.0.deciphered.fetch_add(1, Ordering::Relaxed);
        }
        self.0.device.launch(launch)?;
        let mut wrong = self.0.wrong.lock().unwrap();
        let hit = wrong.filter(|(entry, _)| launch.entry.starts_with(entry));
        if let Some((_, argument)) = hit {
            *wrong = None;
            let Argument::Memory(memory) = launch.arguments[argument] else {
                panic!("no memory");
            };
            let mut byte = [0];
            self.download(memory, &mut byte)?;
            self.upload(memory, &[byte[0] ^ 1])?;
        }
        Ok(())
    }

    fn record(&self, launches: &[Launch]) -> Result<Vec<Launch>, DeviceError> {
        Ok(launches.to_vec())
    }

    fn replay(&self, recording: &Vec<Launch>) -> Result<(), DeviceError> {
        recording.iter().try_for_each(|launch| self.launch(launch))
    }
}

/// A sealed model and a device that passed its self-test.
struct Scene {
    files: Files,
    gguf: Gguf,
    model: Arc<Model<PlacedMatrix>>,
    backend: GpuBackend<Watched>,
    device: Watched,
}

impl Scene {
    fn of(file: &[u8]) -> Self {
        let place = Place::new();
        place.write("tiny.gguf", file);
        place.seal();
        let files = files_of(&place.sealed());
        let (gguf, model) = described(&files);
        let device = Watched::default();
        let backend = GpuBackend::new(device.clone()).unwrap();
        device.0.deciphered.store(0, Ordering::Relaxed);
        Self {
            files,
            gguf,
            model: Arc::new(model),
            backend,
            device,
        }
    }

    /// A decoder whose weights are those of `files`, which are or are not the model's.
    fn start(&self, files: &Files) -> Result<GpuDecoder<Watched>, LoadError> {
        with_source(files, |source| {
            let deciphering = self.backend.deciphering(source);
            deciphering.start(&self.model, CAPACITY)
        })
    }

    /// How the start with other files is refused, and how often the cipher was launched before.
    fn refused(&self, change: impl FnOnce(&mut Vec<u8>)) -> (&'static str, usize) {
        let mut files = self.files.clone();
        change(files.get_mut("tiny.gguf.sealed").unwrap());
        let before = self.device.deciphered();
        let error = self.start(&files).err().unwrap();
        (error.code(), self.device.deciphered() - before)
    }

    /// The first segment that has something of a matrix.
    fn first_segment(&self) -> usize {
        let names = self.gguf.tensor_names();
        let places = names.map(|name| self.gguf.place(name).unwrap());
        let matrices = places.filter(|place| place.rows > 1);
        matrices.map(|place| place.range.start).min().unwrap() / SEGMENT as usize
    }
}

fn with_source<T>(files: &Files, usage: impl FnOnce(&mut FileSource<'_>) -> T) -> T {
    let model = SealedModel::from_store(Box::new(store(files)), &Owner::new(1).root());
    let unlocked = model.unwrap().unlock(kept(7)).unwrap();
    let file = unlocked.file("tiny.gguf").unwrap();
    usage(&mut FileSource::new(&file).unwrap())
}

/// What is known of the model without its matrices.
fn described(files: &Files) -> (Gguf, Model<PlacedMatrix>) {
    with_source(files, |source| {
        let gguf = Gguf::describe(source, [0; 32]).unwrap();
        let model = Model::describe(&gguf, source).unwrap();
        (gguf, model)
    })
}

/// Matrices of several formats stacked, and in turn.
fn mixed() -> Vec<u8> {
    let mut file = gguf_file::llama(2);
    for (name, columns, rows) in [
        ("blk.0.attn_v.weight", 128, 64),
        ("blk.1.attn_k.weight", 128, 64),
        ("blk.0.ffn_up.weight", 128, 192),
        ("blk.1.ffn_gate.weight", 128, 192),
    ] {
        file.tensor(name, TENSOR_Q8_0, &[columns, rows]).fill(77);
    }
    file.tensor("output.weight", TENSOR_Q4_1, &[128, 96])
        .fill(5);
    file.bytes()
}

#[test]
fn the_device_has_what_the_cpu_path_uploads_and_nothing_else() {
    let tiny = tiny::cases().into_iter().map(|json| {
        let name = json["name"].as_str().unwrap().to_owned();
        (name, tiny::file(&json).bytes())
    });
    let last_of_family = tiny.filter(|(name, _)| name.ends_with("-0"));
    for (name, bytes) in last_of_family.chain([("mixed".to_owned(), mixed())]) {
        let uploaded = Watched::default();
        let model = families::model(&bytes);
        let expected = GpuDecoder::new(&Arc::new(uploaded.clone()), &model, CAPACITY).unwrap();
        let scene = Scene::of(&bytes);
        assert!(scene.backend.deciphers(&scene.gguf), "{name}");
        assert_eq!(scene.device.contents().len(), 0, "the self-test is wiped");
        let deciphered = scene.start(&scene.files).unwrap();
        // Neither the key nor rows of the file are left.
        assert!(scene.device.contents() == uploaded.contents(), "{name}");
        assert!(scene.device.deciphered() > 0, "{name}");
        drop((deciphered, expected));
        assert_eq!(scene.device.contents().len(), 0, "{name}");
    }
}

#[test]
fn a_deciphered_model_gives_a_cpus_logits() {
    let bytes = mixed();
    let scene = Scene::of(&bytes);
    let mut decoder = scene.start(&scene.files).unwrap();
    let model = families::model(&bytes);
    let tokens: Vec<u32> = (0..9).map(|i| i * 5 % 96).collect();
    let mut cache = KvCache::new(&model, 16);
    let mut reference = Decoder::new(model, 1);
    let mut table = KvTable::default();
    let logits = families::step(&mut decoder, &mut table, &tokens).unwrap();
    assert!(logits == families::bits(reference.forward(&tokens, &mut cache).unwrap()));
    decoder.pages().release(table);
}

#[test]
fn a_segment_that_is_not_genuine_is_refused_before_it_is_deciphered() {
    let scene = Scene::of(&mixed());
    let first = 80 + scene.first_segment() * STRIDE;
    for (at, what) in [
        (0, "length word"),
        (4, "nonce"),
        (STRIDE - 17, "ciphertext"),
        (STRIDE - 1, "tag"),
    ] {
        let refused = scene.refused(|file| file[first + at] ^= 1);
        assert_eq!(refused, ("sealed.segment", 0), "{what}");
    }
    let refused = scene.refused(|file| {
        let (segment, next) = file[first..].split_at_mut(STRIDE);
        segment.swap_with_slice(&mut next[..STRIDE]);
    });
    assert_eq!(refused, ("sealed.order", 0));
    // A later one: those before it are deciphered, and wiped with all others.
    let (code, deciphered) = scene.refused(|file| *file.last_mut().unwrap() ^= 1);
    assert_eq!(code, "sealed.segment");
    assert!(deciphered > 0);
    assert_eq!(scene.device.contents().len(), 0, "nothing stays");
    assert!(scene.start(&scene.files).is_ok(), "the control");
}

#[test]
fn a_file_of_another_length_is_not_opened() {
    let mut files = Scene::of(&mixed()).files;
    files.get_mut("tiny.gguf.sealed").unwrap().pop();
    let model = SealedModel::from_store(Box::new(store(&files)), &Owner::new(1).root());
    assert_eq!(model.err().unwrap().code(), "sealed.length");
}

#[test]
fn a_device_that_makes_something_else_of_the_weights_is_refused() {
    let scene = Scene::of(&mixed());
    for wrong in [
        ("aes256_ctr", 0),
        ("aes256_expand_key", 1),
        ("exact_pack_", 1),
    ] {
        *scene.device.0.wrong.lock().unwrap() = Some(wrong);
        let error = scene.start(&scene.files).err().unwrap();
        assert_eq!(error.code(), "gpu.decipher.weights", "{wrong:?}");
        assert_eq!(scene.device.contents().len(), 0, "nothing stays");
    }
}

#[test]
fn weights_of_the_fast_arithmetic_are_not_deciphered() {
    let scene = Scene::of(&mixed());
    let fast = GpuBackend::with(Watched::default(), Arithmetic::Fast).unwrap();
    assert!(!fast.deciphers(&scene.gguf));
    let refused = with_source(&scene.files, |source| {
        fast.deciphering(source).start(&scene.model, CAPACITY).err()
    });
    assert_eq!(refused.unwrap().code(), "gpu.decipher.arithmetic");
}

/// Shorter than its tensors: segments of another, smaller model, all of them genuine.
#[test]
fn segments_that_end_early_are_refused() {
    let scene = Scene::of(&mixed());
    let place = Place::new();
    place.write("tiny.gguf", &mixed()[..3 * SEGMENT as usize]);
    place.seal();
    let refused = scene.start(&files_of(&place.sealed())).err().unwrap();
    assert_eq!(refused.code(), "gpu.decipher.ended");
    assert_eq!(scene.device.contents().len(), 0, "nothing stays");
}

#[test]
fn what_the_cpu_path_refuses_is_refused() {
    let mut bytes = mixed();
    let gguf = Gguf::from_bytes(bytes.clone()).unwrap();
    let place = gguf.place("blk.0.attn_v.weight").unwrap();
    // The scale of a block in the middle, infinite.
    let at = place.range.start + place.range.len() / 34 / 2 * 34;
    bytes[at..at + 2].copy_from_slice(&[0x00, 0x7c]);
    let mut gguf = Gguf::from_bytes(bytes.clone()).unwrap();
    let on_cpu = Model::take(&mut gguf).err().unwrap();
    let scene = Scene::of(&bytes);
    let on_device = scene.start(&scene.files).err().unwrap();
    assert_eq!(on_device, LoadError::Model(on_cpu));
}
