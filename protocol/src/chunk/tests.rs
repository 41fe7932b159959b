use super::*;
use crate::{
    crypto::{Secret32, X25519Secret, exactly},
    envelope::{HEADER_LEN, Header, RESPONSE_LABEL},
    hpke::{KemSecret, setup_receiver},
    secret::Heap,
};
use proptest::prelude::*;

fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    hex::decode(digits).unwrap()
}

const AEAD: Aead = Aead::Aes256Gcm;

fn sealer() -> ChunkSealer {
    ChunkSealer::response(AEAD, &[1; 32], b"enc", &[2; 32]).unwrap()
}

fn opener() -> ChunkOpener {
    ChunkOpener::response(AEAD, &[1; 32], b"enc", &[2; 32]).unwrap()
}

/// A stream of `chunks`, the last of them final.
fn sealed(chunks: &[&[u8]]) -> Vec<u8> {
    let (last, first) = chunks.split_last().unwrap();
    let mut out = Vec::new();
    let mut sealer = sealer();
    for chunk in first {
        sealer.seal(&[chunk], &mut out).unwrap();
    }
    sealer.seal_final(&[last], &mut out).unwrap();
    out
}

/// The chunks of a stream that comes in `pieces`.
fn open<'a>(
    opener: &mut ChunkOpener,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Vec<u8>>, ChunkError> {
    let mut chunks = Vec::new();
    for mut piece in pieces {
        while let Some(text) = opener.next(&mut piece)? {
            chunks.push(text.to_vec());
        }
    }
    chunks.push(opener.finish()?.to_vec());
    Ok(chunks)
}

/// draft-ietf-ohai-chunked-ohttp-08 appendix A.
mod draft {
    pub(super) const SK_R: &str =
        "1c190d72acdbe4dbc69e680503bb781a932c70a12c8f3754434c67d8640d8698";
    pub(super) const SK_E: &str =
        "b26d565f3f875ed480d1abced3d665159650c99174fd0b124ac4bda0c64ae324";
    pub(super) const CONFIG: &str =
        "010020668eb21aace159803974a4c67f08b4152d29bed10735fd08f98ccdd6fe
        09570800080001000100010003";
    pub(super) const REQUEST: &str = "00034745540568747470730b6578616d706c652e636f6d012f";
    pub(super) const INFO: &str = "6d6573736167652f6268747470206368756e6b65642072657175657374000100
        2000010001";
    pub(super) const SEALED_REQUEST: &str = "01002000010001
        8811eb457e100811c40a0aa71340a1b81d804bb986f736f2f566a7199761a032
        1c2ad24942d4d692563012f2980c8fef437a336b9b2fc938ef77a5834f
        1d2e33d8fd25577afe31bd1c79d094f76b6250ae6549b473ecd950501311
        001c6c1395d0ef7c1022297966307b8a7f";
    pub(super) const SECRET: &str = "1d4484834ae36102a6ac42a5523454d9";
    pub(super) const RESPONSE: &str = "0140c8";
    pub(super) const SEALED_RESPONSE: &str = "bcce7f4cb921309ba5d62edf1769ef09
        1179bf1cc87fa0e2c02de4546945aa3d1e48
        12b348b5bd4c594c16b6170b07b475845d1f32
        00ed9d8a796617a5b27265f4d73247f639";
}

fn draft_context() -> (crate::hpke::Context, Vec<u8>, Vec<u8>) {
    let message = unhex(draft::SEALED_REQUEST);
    let (header, rest) = message.split_at(HEADER_LEN);
    let header = Header::parse(exactly(header).unwrap()).unwrap();
    assert_eq!(header.info(), unhex(draft::INFO));
    let (enc, chunks) = rest.split_at(32);
    let secret: Secret32 = Zeroizing::new(exactly(&unhex(draft::SK_R)).unwrap());
    let secret = KemSecret::x25519(&secret, &Heap).unwrap();
    let context = setup_receiver(header.suite, &secret, enc, &header.info()).unwrap();
    (context, enc.to_vec(), chunks.to_vec())
}

#[test]
fn draft_appendix_a_request_opens() {
    let (context, _, sealed) = draft_context();
    let chunks = open(&mut ChunkOpener::new(context.aead), [sealed.as_slice()]).unwrap();
    let lengths: Vec<usize> = chunks.iter().map(Vec::len).collect();
    assert_eq!(lengths, [12, 13, 0]);
    assert_eq!(chunks.concat(), unhex(draft::REQUEST));
}

#[test]
fn draft_appendix_a_request_seals_to_the_same_bytes() {
    let config = unhex(draft::CONFIG);
    let list = [&(config.len() as u16).to_be_bytes(), config.as_slice()].concat();
    let configs = crate::ohttp_keys::parse(&list).unwrap();
    let [config] = configs.as_slice() else {
        panic!("one configuration");
    };
    let ephemeral = X25519Secret::from_bytes(&unhex(draft::SK_E)).unwrap();
    let header = Header {
        key_id: config.key_id,
        suite: config.suite,
    };
    let (enc, context) = crate::hpke::setup_sender_with(&header, &config.public_key, &ephemeral);
    let mut out = [header.encode().as_slice(), &enc].concat();
    let mut sealer = ChunkSealer::new(context.aead);
    let request = unhex(draft::REQUEST);
    sealer.seal(&[&request[..12]], &mut out).unwrap();
    sealer.seal(&[&request[12..]], &mut out).unwrap();
    sealer.seal_final(&[], &mut out).unwrap();
    assert_eq!(out, unhex(draft::SEALED_REQUEST));
}

#[test]
fn draft_appendix_a_response() {
    let (context, enc, _) = draft_context();
    let aead = Aead::Aes128Gcm;
    let mut secret = vec![0; response_nonce_len(aead)];
    context.exporter.export(RESPONSE_LABEL, &mut secret);
    assert_eq!(hex::encode(&secret), draft::SECRET);

    let message = unhex(draft::SEALED_RESPONSE);
    let (nonce, sealed) = message.split_at(response_nonce_len(aead));
    let mut opener = ChunkOpener::response(aead, &secret, &enc, nonce).unwrap();
    let chunks = open(&mut opener, [sealed]).unwrap();
    assert_eq!(chunks.concat(), unhex(draft::RESPONSE));

    let mut sealer = ChunkSealer::response(aead, &secret, &enc, nonce).unwrap();
    let mut out = Vec::new();
    sealer.seal(&[&[0x01]], &mut out).unwrap();
    sealer.seal(&[&[0x40], &[0xc8]], &mut out).unwrap();
    sealer.seal_final(&[], &mut out).unwrap();
    assert_eq!(out, sealed);
}

/// RFC 9458 appendix A: one message each way; the same HPKE and the same derivation under other labels.
#[test]
fn rfc_9458_appendix_a() {
    let secret = "3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a";
    let message = unhex(
        "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad1
         9dec96c208b4726374e469135906992e1268c594d2a10c695d858c40a026e796
         5e7d86b83dd440b2c0185204b4d63525",
    );
    let (header, rest) = message.split_at(HEADER_LEN);
    let info = [b"message/bhttp request\0".as_slice(), header].concat();
    let suite = Header::parse(exactly(header).unwrap()).unwrap().suite;
    let (enc, sealed) = rest.split_at(32);
    let secret =
        KemSecret::x25519(&Zeroizing::new(exactly(&unhex(secret)).unwrap()), &Heap).unwrap();
    let mut context = setup_receiver(suite, &secret, enc, &info).unwrap();
    let mut sealed = sealed.to_vec();
    let request = context.aead.open(b"", &mut sealed).unwrap();
    assert_eq!(hex::encode(request), draft::REQUEST);

    let mut exported = [0; 16];
    let label = b"message/bhttp response";
    context.exporter.export(label, &mut exported);
    assert_eq!(hex::encode(exported), "62d87a6ba569ee81014c2641f52bea36");
    let response = unhex(
        "c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f
         857fbd",
    );
    let (nonce, sealed) = response.split_at(16);
    let mut aead = response_aead(suite.aead, &exported, enc, nonce).unwrap();
    let mut sealed = sealed.to_vec();
    let response = aead.open(b"", &mut sealed).unwrap();
    assert_eq!(hex::encode(response), draft::RESPONSE);
}

fn one_shot_aead() -> SequencedAead {
    response_aead(AEAD, &[1; 32], b"enc", &[2; 32]).unwrap()
}

#[test]
fn a_one_shot_message_is_one_ciphertext_at_the_end() {
    let mut sealer = ChunkSealer::in_form(Form::OneShot, one_shot_aead());
    let mut out = Vec::new();
    sealer.seal(&[b"a", b"b"], &mut out).unwrap();
    sealer.seal(&[b"c"], &mut out).unwrap();
    assert!(out.is_empty());
    sealer.seal_final(&[b"d"], &mut out).unwrap();
    assert_eq!(out.len(), 4 + TAG);
    let opener = || ChunkOpener::in_form(Form::OneShot, one_shot_aead());
    let (front, back) = out.split_at(7);
    let opened = open(&mut opener(), [front, back]).unwrap();
    assert_eq!(opened, [b"abcd"]);
    assert_eq!(open(&mut opener(), [front]), Err(ChunkError::Truncated));
    let cut = &out[..out.len() - 1];
    assert_eq!(open(&mut opener(), [cut]), Err(ChunkError::Authentication));
}

#[test]
fn a_one_shot_message_above_the_limit_is_neither_sent_nor_accepted() {
    let mut sealer = ChunkSealer::in_form(Form::OneShot, one_shot_aead());
    let (largest, mut out) = (vec![3; MAX_SENT_CHUNK], Vec::new());
    for _ in 0..MAX_ONE_SHOT / MAX_SENT_CHUNK {
        sealer.seal(&[&largest], &mut out).unwrap();
    }
    assert_eq!(sealer.seal(&[b"x"], &mut out), None);
    sealer.seal_final(&[], &mut out).unwrap();
    assert_eq!(out.len(), MAX_ONE_SHOT + TAG);
    let opener = || ChunkOpener::in_form(Form::OneShot, one_shot_aead());
    let opened = open(&mut opener(), [out.as_slice()]).unwrap();
    assert_eq!(opened[0].len(), MAX_ONE_SHOT);
    out.push(0);
    assert_eq!(
        open(&mut opener(), [out.as_slice()]),
        Err(ChunkError::TooLarge)
    );
}

#[test]
fn a_chunk_of_the_largest_size_passes_and_none_larger_is_sent() {
    let largest = vec![3; MAX_SENT_CHUNK];
    let stream = sealed(&[&largest, &largest]);
    let chunks = open(&mut opener(), [stream.as_slice()]).unwrap();
    assert_eq!(chunks, [largest.clone(), largest.clone()]);
    let mut out = Vec::new();
    assert_eq!(sealer().seal(&[&largest, b"x"], &mut out), None);
    assert_eq!(sealer().seal_final(&[&largest, b"x"], &mut out), None);
    assert!(out.is_empty());
}

/// R6.2.
#[test]
fn an_empty_chunk_that_is_not_the_last_is_neither_sent_nor_accepted() {
    let mut out = Vec::new();
    assert_eq!(sealer().seal(&[], &mut out), None);
    assert_eq!(sealer().seal(&[b"", b""], &mut out), None);
    let mut aead = response_aead(AEAD, &[1; 32], b"enc", &[2; 32]).unwrap();
    let mut tag = [0; TAG];
    aead.seal(b"", b"", &mut tag).unwrap();
    let empty = [&[TAG as u8], tag.as_slice()].concat();
    assert_eq!(
        open(&mut opener(), [empty.as_slice()]),
        Err(ChunkError::Empty)
    );
}

#[test]
fn a_used_up_counter_seals_nothing() {
    let mut sealer = sealer();
    sealer.jump_to(u64::MAX);
    let mut out = Vec::new();
    assert_eq!(sealer.seal(&[b"last"], &mut out), Some(()));
    assert_eq!(sealer.seal(&[b"one too many"], &mut out), None);
    assert!(
        !out.windows(3).any(|window| window == b"one"),
        "no plaintext is left"
    );
}

#[test]
fn a_stream_cut_at_any_byte_is_refused() {
    let stream = sealed(&[b"one", b"two", b"three"]);
    for length in 0..stream.len() {
        let error = open(&mut opener(), [&stream[..length]]).unwrap_err();
        let last = stream.len() - b"three".len() - TAG;
        let expected = match length {
            length if length < last + TAG => ChunkError::Truncated,
            _ => ChunkError::Authentication,
        };
        assert_eq!(error, expected, "cut at {length}");
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let stream = sealed(&[b"one", b"two", b"three"]);
    for bit in 0..stream.len() * 8 {
        let mut changed = stream.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            open(&mut opener(), [changed.as_slice()]).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn chunks_are_bound_to_their_place_and_the_end_to_the_end() {
    let one = sealed(&[b"one", b"end"]);
    let (first, last) = one.split_at(1 + 3 + TAG);
    let streams = [
        [first, first, last].concat(),
        last.to_vec(),
        [first, last, &[0]].concat(),
        [first, last, last].concat(),
        [first, &[(3 + TAG) as u8], &last[1..]].concat(),
        [&[0], &first[1..]].concat(),
    ];
    for stream in streams {
        let result = open(&mut opener(), [stream.as_slice()]);
        assert_eq!(result, Err(ChunkError::Authentication));
    }
}

#[test]
fn oversized_chunks_are_refused_before_they_are_read() {
    for length in [(MAX_RECEIVED_CHUNK + TAG + 1) as u64, varint::MAX] {
        let mut prefix = Vec::new();
        varint::write(length, &mut prefix);
        let result = opener().next(&mut prefix.as_slice()).map(|_| ());
        assert_eq!(result, Err(ChunkError::TooLarge));
    }
    let last = vec![0; 1 + MAX_RECEIVED_CHUNK + TAG + 1];
    let result = opener().next(&mut last.as_slice()).map(|_| ());
    assert_eq!(result, Err(ChunkError::TooLarge));
}

#[test]
fn a_chunk_shorter_than_its_tag_is_refused() {
    for length in 1..TAG as u8 {
        let result = opener().next(&mut [length].as_slice()).map(|_| ());
        assert_eq!(result, Err(ChunkError::Authentication));
    }
}

proptest! {
    #[test]
    fn chunks_survive_any_cut(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let parts: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let stream = sealed(&parts);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        prop_assert_eq!(open(&mut opener(), pieces).unwrap(), chunks);
    }

    #[test]
    fn arbitrary_bytes_never_open(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open(&mut opener(), [bytes.as_slice()]).is_err());
    }
}
