//! Chunk framing: whole or cut, the opener says the same; only what was sealed opens.
#![no_main]

use narthex_fuzz::seeds;
use protocol::{
    Aead,
    chunk::{ChunkError, ChunkOpener, ChunkSealer, MAX_SENT_CHUNK},
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let whole = open([data]);
    assert!(whole.is_err());
    assert_eq!(whole, open(data.chunks(1)));

    let (chunks, last) = data.split_at(data.len() / 2);
    let mut sealer = ChunkSealer::response(Aead::Aes128Gcm, &[1; 16], b"enc", &[2; 16]).unwrap();
    let mut stream = Vec::new();
    for chunk in chunks.chunks(7) {
        sealer.seal(&[chunk], &mut stream).unwrap();
    }
    if last.len() <= MAX_SENT_CHUNK {
        sealer.seal_final(&[last], &mut stream).unwrap();
        assert_eq!(open(stream.chunks(5)).as_deref(), Ok(data));
    }
}

fn plant() {
    seeds::plant([b"\x12 a chunk of its size, then the last".to_vec()]);
}

fn open<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, ChunkError> {
    let mut opener = ChunkOpener::response(Aead::Aes128Gcm, &[1; 16], b"enc", &[2; 16]).unwrap();
    let mut text = Vec::new();
    for mut piece in pieces {
        while let Some(chunk) = opener.next(&mut piece)? {
            text.extend_from_slice(chunk);
        }
    }
    text.extend_from_slice(opener.finish()?);
    Ok(text)
}
