//! How fast weights are decrypted in the device's memory.

use gpu::{Argument, Device, Launch, Memory};

use crate::{Failure, Report, Scale};

/// Of each segment, as models are sealed.
const SEGMENT_BYTES: usize = 1 << 20;
/// Of `struct Segment` of `kernels/cuda/segment.cuh`.
const ENTRY_BYTES: usize = 40;
/// Of the bit planes of an expanded key.
const PLANE_BYTES: usize = 480;

/// A kernel, and how much of a segment one of its blocks takes.
struct Cipher {
    name: &'static str,
    block_bytes: usize,
}

/// A buffer in segments, and the key that each kernel takes.
struct Buffer {
    text: Memory,
    segments: Memory,
    count: usize,
    segment_bytes: usize,
}

pub(crate) fn measure<D: Device>(
    device: &D,
    scale: &Scale,
    report: &mut Report,
) -> Result<(), Failure> {
    let buffer = Buffer::new(device, scale.cipher_bytes)?;
    let key = device.allocate(32)?;
    device.upload(key, &[0x5a; 32])?;
    let planes = device.allocate(PLANE_BYTES)?;
    device.launch(&expand_key(key, planes))?;
    for (cipher, key) in [
        (Cipher::new("aes256_ctr", 8192), planes),
        (Cipher::new("chacha20", 16_384), key),
    ] {
        let launch = buffer.launch(&cipher, key);
        check(device, &cipher, (&buffer, &launch))?;
        let seconds = scale.rounds.launches(device, &[launch], buffer.text)?;
        let rate = buffer.text.bytes() as f64 / seconds;
        let name = format!("decrypt.{}", cipher.name);
        report.rate(&name, rate / 1e9, "GB/s of plaintext");
    }
    Ok(())
}

impl Cipher {
    const fn new(name: &'static str, block_bytes: usize) -> Self {
        Self { name, block_bytes }
    }
}

impl Buffer {
    fn new<D: Device>(device: &D, bytes: usize) -> Result<Self, Failure> {
        let segment_bytes = SEGMENT_BYTES.min(bytes);
        let count = bytes / segment_bytes;
        let table: Vec<u8> = (0..count)
            .flat_map(|index| entry(index, segment_bytes))
            .collect();
        let segments = device.allocate(table.len())?;
        device.upload(segments, &table)?;
        Ok(Self {
            text: device.allocate(count * segment_bytes)?,
            segments,
            count,
            segment_bytes,
        })
    }

    fn launch(&self, cipher: &Cipher, key: Memory) -> Launch {
        let memory = [self.text, self.text, self.segments, key];
        let blocks = self.segment_bytes.div_ceil(cipher.block_bytes);
        Launch {
            entry: cipher.name.to_owned(),
            grid: [blocks as u32, self.count as u32, 1],
            block: [256, 1, 1],
            shared_bytes: 0,
            arguments: memory.map(Argument::Memory).into(),
        }
    }
}

/// A segment whose nonce is its number.
fn entry(index: usize, bytes: usize) -> [u8; ENTRY_BYTES] {
    let offset = (index * bytes) as u64;
    let mut entry = [0; ENTRY_BYTES];
    entry[..8].copy_from_slice(&offset.to_le_bytes());
    entry[8..16].copy_from_slice(&offset.to_le_bytes());
    entry[16..20].copy_from_slice(&(bytes as u32).to_le_bytes());
    entry[20..24].copy_from_slice(&2_u32.to_le_bytes());
    entry[24..32].copy_from_slice(&(index as u64).to_le_bytes());
    entry
}

fn expand_key(key: Memory, planes: Memory) -> Launch {
    Launch {
        entry: "aes256_expand_key".to_owned(),
        grid: [1; 3],
        block: [1; 3],
        shared_bytes: 0,
        arguments: [key, planes].map(Argument::Memory).into(),
    }
}

/// Once is not the text and twice is, at both ends of the buffer.
fn check<D: Device>(
    device: &D,
    cipher: &Cipher,
    (buffer, launch): (&Buffer, &Launch),
) -> Result<(), Failure> {
    let ends = || -> Result<[u8; 64], Failure> {
        let mut ends = [0; 64];
        let (first, last) = ends.split_at_mut(32);
        device.download(buffer.text, first)?;
        let place = buffer.text.bytes() - last.len();
        device.download(buffer.text.part(place, last.len()), last)?;
        Ok(ends)
    };
    let before = ends()?;
    device.launch(launch)?;
    let once = ends()?;
    device.launch(launch)?;
    match once != before && ends()? == before {
        true => Ok(()),
        false => Err(Failure::Cipher(cipher.name)),
    }
}
