//! The ciphers that decrypt weights on the device give what RFC 8439, FIPS 197, SP 800-38A and the specification of GCM print.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cuda_cpu;

use cuda_cpu::{Arguments, Memory, Shape, in_both_orders, library};

/// `cipher::Segment`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Segment {
    source: u64,
    target: u64,
    bytes: u32,
    counter: u32,
    nonce: [u8; 12],
    reserved: u32,
}

impl Segment {
    fn whole(bytes: usize, counter: u32, nonce: [u8; 12]) -> Self {
        let bytes = bytes as u32;
        Self {
            source: 0,
            target: 0,
            bytes,
            counter,
            nonce,
            reserved: 0,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Cipher {
    Aes256Ctr,
    ChaCha20,
}

use Cipher::{Aes256Ctr, ChaCha20};

impl Cipher {
    /// What the kernel takes as its key.
    fn key(self, key: &[u8; 32]) -> Memory<u8> {
        let key = Memory::of(key);
        let Aes256Ctr = self else {
            return key;
        };
        let planes = Memory::unwritten(480);
        let arguments = Arguments::new().memory(&key).memory(&planes);
        let launched = library().launch("aes256_expand_key", Shape::plane(1, 1, 1), arguments);
        launched.unwrap();
        planes
    }

    fn shape(self, longest: u32, segments: usize) -> Shape {
        let bytes = if let Aes256Ctr = self { 8192 } else { 16384 };
        Shape::plane(longest.div_ceil(bytes), segments as u32, 256)
    }

    fn run(self, key: &[u8; 32], segments: &[Segment], source: &Memory<u8>, target: &Memory<u8>) {
        let key = self.key(key);
        let longest = segments.iter().map(|segment| segment.bytes).max().unwrap();
        let shape = self.shape(longest, segments.len());
        let segments = Memory::of(segments);
        let arguments = Arguments::new().memory(source).memory(target);
        let arguments = arguments.memory(&segments).memory(&key);
        let entry = match self {
            Aes256Ctr => "aes256_ctr",
            ChaCha20 => "chacha20",
        };
        library().launch(entry, shape, arguments).unwrap();
    }

    fn in_place(self, key: &[u8; 32], segments: &[Segment], text: &[u8]) -> Vec<u8> {
        in_both_orders(|| {
            let memory = Memory::of(text);
            self.run(key, segments, &memory, &memory);
            memory.read()
        })
    }
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    vec_of(hex).try_into().unwrap()
}

fn vec_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn key_of(first: u8) -> [u8; 32] {
    std::array::from_fn(|i| first + i as u8)
}

fn text_of(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 131 % 251) as u8).collect()
}

#[test]
fn chacha20_of_rfc_8439() {
    // Section 2.3.2: the keystream of one block.
    let segment = Segment::whole(64, 1, bytes("000000090000004a00000000"));
    let keystream = ChaCha20.in_place(&key_of(0), &[segment], &[0; 64]);
    let expected = "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e
        d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e";
    assert_eq!(keystream, vec_of(expected));
    // Section 2.4.2: 114 bytes.
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let segment = Segment::whole(text.len(), 1, bytes("000000000000004a00000000"));
    let expected = "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b
        f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8
        07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736
        5af90bbf74a35be6b40b8eedf2785e42874d";
    let got = ChaCha20.in_place(&key_of(0), &[segment], text);
    assert_eq!(got, vec_of(expected));
}

#[test]
fn aes_256_of_fips_197() {
    // Appendix C.3: the counter block is the plaintext, so that the keystream is its ciphertext.
    let nonce = bytes("00112233445566778899aabb");
    let segment = Segment::whole(16, 0xccdd_eeff, nonce);
    let block = Aes256Ctr.in_place(&key_of(0), &[segment], &[0; 16]);
    assert_eq!(block, vec_of("8ea2b7ca516745bfeafc49904b496089"));
}

#[test]
fn aes_256_ctr_of_sp_800_38a() {
    // Section F.5.5.
    let key = bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let text = vec_of(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
        30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    );
    let segment = Segment::whole(64, 0xfcfd_feff, bytes("f0f1f2f3f4f5f6f7f8f9fafb"));
    let expected = "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5
        2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6";
    assert_eq!(
        Aes256Ctr.in_place(&key, &[segment], &text),
        vec_of(expected)
    );
}

#[test]
fn aes_256_gcm_decrypts() {
    // Test case 16 of "The Galois/Counter Mode of Operation": the ciphertext begins with counter 2.
    let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let ciphertext = vec_of(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
        8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
    );
    let plaintext = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
        1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    let segment = Segment::whole(60, 2, bytes("cafebabefacedbaddecaf888"));
    let got = Aes256Ctr.in_place(&key, &[segment], &ciphertext);
    assert_eq!(got, vec_of(plaintext));
}

#[test]
fn every_block_has_its_counter() {
    for (cipher, block) in [(Aes256Ctr, 16), (ChaCha20, 64)] {
        let (key, nonce) = (key_of(7), [9; 12]);
        let text = text_of(40_000 + 13);
        // The counter wraps within the segment.
        let first = 0xffff_ff00;
        let segment = Segment::whole(text.len(), first, nonce);
        let whole = cipher.in_place(&key, &[segment], &text);
        for index in [0, 1, 2, 255, 256, 257, text.len() / block] {
            let part = &text[index * block..text.len().min((index + 1) * block)];
            let counter = first.wrapping_add(index as u32);
            let segment = Segment::whole(part.len(), counter, nonce);
            let alone = cipher.in_place(&key, &[segment], part);
            assert_eq!(
                alone,
                whole[index * block..][..part.len()],
                "{cipher:?} {index}"
            );
        }
    }
}

#[test]
fn segments_go_where_they_belong() {
    for cipher in [Aes256Ctr, ChaCha20] {
        let key = key_of(3);
        let lengths = [20_000_usize, 1, 0, 4_096, 33];
        let nonce = |index: usize| std::array::from_fn(|i| (index * 12 + i) as u8);
        let texts = lengths.map(text_of);
        let mut segments = Vec::new();
        let (mut source, mut target_len) = (Vec::new(), 0);
        for (index, text) in texts.iter().enumerate() {
            segments.push(Segment {
                source: source.len() as u64,
                target: target_len,
                ..Segment::whole(text.len(), 2, nonce(index))
            });
            // Tags lie between the segments; plaintexts do not touch each other either.
            source.extend(text);
            source.resize((source.len() + 16).next_multiple_of(16), 0xaa);
            target_len += text.len().next_multiple_of(16) as u64 + 32;
        }
        let target = in_both_orders(|| {
            let (source, target) = (
                Memory::of(&source),
                Memory::of(&vec![0x55; target_len as usize]),
            );
            cipher.run(&key, &segments, &source, &target);
            target.read()
        });
        let mut expected = vec![0x55; target_len as usize];
        for (index, (segment, text)) in segments.iter().zip(&texts).enumerate() {
            if text.is_empty() {
                continue;
            }
            let alone = Segment::whole(text.len(), 2, nonce(index));
            let plaintext = cipher.in_place(&key, &[alone], text);
            expected[segment.target as usize..][..text.len()].copy_from_slice(&plaintext);
        }
        assert!(target == expected, "{cipher:?}");
    }
}
