//! A sealed file of any bytes under a genuine manifest: nothing but the genuine one is opened, with tags alone, and never anything else given out.
#![no_main]

use attestation::IdentityKey;
use narthex_fuzz::{IDENTITY, seeds};
use policy::TrustRoot;
use protocol::secret::{Heap, SecretMemory};
use sealed_model::{
    Checks, MANIFEST_NAME, MemoryStore, ModelKey, SealSettings, SealedModel, SegmentSize, Work,
    seal,
};
use std::{fs, sync::LazyLock};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

/// Two whole segments and one byte.
const PLAINTEXT: [u8; 8193] = [0x5a; 8193];
const KEY: [u8; 32] = [7; 32];
const NAME: &str = "weights";

/// A genuine sealing: its manifest's envelope, and the sealed file.
static GENUINE: LazyLock<[Vec<u8>; 2]> = LazyLock::new(genuine);

fn check(data: &[u8]) {
    let [manifest, genuine] = &*GENUINE;
    open(manifest, data, data == genuine.as_slice());
    // What a fuzzer hardly finds: the genuine file with these bytes laid over it.
    if let Some((at, patch)) = data.split_first_chunk::<2>() {
        let mut stored = genuine.clone();
        let at = usize::from(u16::from_be_bytes(*at)) % stored.len();
        for (to, from) in stored.iter_mut().skip(at).zip(patch) {
            *to = *from;
        }
        open(manifest, &stored, stored == *genuine);
    }
}

/// Everything that an opener does; it must succeed where `is_genuine` says so and nowhere else.
fn open(manifest: &[u8], stored: &[u8], is_genuine: bool) {
    let mut store = MemoryStore::default();
    store.insert(MANIFEST_NAME, manifest);
    store.insert(format!("{NAME}.sealed"), stored);
    let model = SealedModel::from_store(Box::new(store), &owner());
    let opened = model.and_then(|model| {
        let unlocked = model.unlock(Heap.keep(&KEY))?;
        let mut out = [0; PLAINTEXT.len()];
        let file = unlocked.file(NAME)?;
        let read = file.read_at(0, &mut out, Checks::Tags);
        assert!(read.is_ok() || out == [0; PLAINTEXT.len()]);
        read.map(|()| out)
    });
    assert_eq!(opened.is_ok(), is_genuine);
    assert!(opened.is_err() || opened == Ok(PLAINTEXT));
}

fn owner() -> TrustRoot {
    let IdentityKey(key) = IDENTITY.public();
    TrustRoot::new(vec![key], 1).expect("one key")
}

fn plant() {
    seeds::plant([
        GENUINE[1].clone(),
        [&[0, 80][..], &GENUINE[1][80..]].concat(),
    ]);
}

fn genuine() -> [Vec<u8>; 2] {
    let folder = std::env::temp_dir().join(format!("narthex-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(NAME), PLAINTEXT).expect("a file");
    let key = ModelKey::copy_of(&KEY).expect("32 bytes");
    let settings = SealSettings {
        key: &key,
        segment: SegmentSize::new(4096).expect("a power of two"),
        work: Work::silent(),
    };
    let sealed = folder.join("sealed");
    let draft = seal(&folder.join(NAME), &sealed, settings).expect("sealed");
    let mut envelope = draft.envelope().expect("an envelope");
    let IdentityKey(public) = IDENTITY.public();
    envelope.add_signature(public, IDENTITY.sign(&envelope.pae()));
    draft.finish(&envelope, &owner()).expect("finished");
    let read = |name: &str| fs::read(sealed.join(name)).expect("written");
    let files = [read(MANIFEST_NAME), read("weights.sealed")];
    fs::remove_dir_all(folder).expect("ours");
    files
}
