//! Envelopes and answers.

use super::*;
use crate::{
    Form, KeyEpoch, OpenError, Opening, PaddingProfile, Plaintext, Receiver, ReceiverError, Terms,
    bhttp::{Decoder, Event, Fields},
    chunk::{ChunkOpener, response_aead, response_nonce_len},
    crypto::Aead,
    hpke::{KemSecret, aead_from_id, x_wing_secret_of_seed},
    secret::Heap,
};
use zeroize::Zeroizing;

#[test]
fn envelopes() {
    let suite = Suite::parse(include_str!("../../testdata/request.json"));
    suite.run(|case| {
        let receiver = receiver(case);
        if case.has("sent") {
            open(&receiver, case).unwrap();
        }
        let opened = open(&receiver, case).map_err(|error| error.code())?;
        assert_eq!(*opened.body, case.bytes("body"));
        Ok(())
    });
}

fn receiver(case: &Case<'_>) -> Receiver {
    let recipients = case.value("recipients").as_array().unwrap();
    let secrets = [0, 1].map(|at| secret(&recipients[at]));
    let receiver = Receiver::new(Terms {
        max_request_bytes: case.number("max-request-bytes") as usize,
        padding: PaddingProfile::Off,
    });
    receiver.install(KeyEpoch::of(case.number("epoch"), secrets));
    receiver
}

fn secret(recipient: &Value) -> KemSecret {
    let private = bytes(&recipient["private"]);
    let secret = match recipient["kem"].as_u64().unwrap() {
        0x647a => x_wing_secret_of_seed(&private),
        _ => KemSecret::x25519(&Zeroizing::new(private.try_into().unwrap()), &Heap).unwrap(),
    };
    assert_eq!(secret.public(), bytes(&recipient["public"]));
    secret
}

fn open(receiver: &Receiver, case: &Case<'_>) -> Result<Plaintext, ReceiverError> {
    let mut opener = receiver.open_in(form(case));
    opener.push(&case.bytes("envelope"))?;
    let (plaintext, responder) = opener.finish()?;
    // The secret that opens the receipt's digests: told of by one of them.
    let opening = Opening::from_bytes(case.array("opening"));
    let expected = opening.request_digest(&plaintext.method, &plaintext.path, &plaintext.body);
    assert_eq!(responder.digests(&[]).request, expected);
    Ok(plaintext)
}

fn form(case: &Case<'_>) -> Form {
    match case.text("form") {
        "chunked" => Form::Chunked,
        "one-shot" => Form::OneShot,
        other => panic!("no form {other}"),
    }
}

#[test]
fn answers() {
    let suite = Suite::parse(include_str!("../../testdata/response.json"));
    suite.run(|case| {
        let answer = read(case).map_err(|error| error.code())?;
        assert_eq!(u64::from(answer.status), case.number("status"));
        assert_eq!(answer.body, case.bytes("body"));
        assert_eq!(answer.trailers, case.fields("trailers"));
        Ok(())
    });
}

#[derive(Default)]
struct Answer {
    status: u16,
    body: Vec<u8>,
    trailers: Fields,
}

impl Answer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Response { status, .. } => self.status = status,
            Event::Content(part) => self.body.extend_from_slice(part),
            Event::Trailers(fields) => self.trailers = fields,
            Event::Request { .. } => panic!("a request in an answer"),
        }
    }
}

fn read(case: &Case<'_>) -> Result<Answer, OpenError> {
    let aead: Aead = aead_from_id(case.number("aead") as u16).unwrap();
    let answer = case.bytes("answer");
    let (nonce, mut sealed) = answer.split_at(response_nonce_len(aead));
    let keys = response_aead(aead, &case.bytes("secret"), &case.bytes("enc"), nonce).unwrap();
    let mut chunks = ChunkOpener::in_form(form(case), keys);
    let (mut decoder, mut read) = (Decoder::response(), Answer::default());
    while let Some(mut text) = chunks.next(&mut sealed)? {
        while let Some(event) = decoder.next(&mut text)? {
            read.take(event);
        }
    }
    let mut last = chunks.finish()?;
    while let Some(event) = decoder.next(&mut last)? {
        read.take(event);
    }
    if let Some(event) = decoder.finish()? {
        read.take(event);
    }
    Ok(read)
}
