"""Vectors of the sealed channel (docs/protocol.md section 6): envelopes, answers, and the binary HTTP inside."""
import json
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import hpke
from bhttp import encode_request, varint
from cases_headers import FIELDS, METHOD, PATH
from ohttp import CHUNKED, ONE_SHOT
from signed import flipped

TESTDATA = pathlib.Path(__file__).parents[3] / "protocol" / "testdata"
KEY_ID = 7
RECIPIENTS = {"X25519": bytes(range(32, 64)), "X-Wing": bytes(range(64, 96))}
EPHEMERAL = bytes(range(96, 128))
AEADS = {"X25519": 1, "X-Wing": 2}
BODY = b'{"model":"m","messages":[]}'
LOW_ORDER = bytes(32)


def x_wing_sent():
    """Ephemeral seed and encapsulation to the X-Wing recipient. `cryptography` draws ML-KEM's randomness itself, so they are a given: made once
    by @noble/post-quantum, which makes them again when the Node peer runs the vectors."""
    recipients = json.loads((TESTDATA / "request.json").read_text())["recipients"]
    given = next(recipient for recipient in recipients if recipient["kem"] == hpke.XWing.id)
    return bytes.fromhex(given["ephemeral"]), bytes.fromhex(given["enc"])


def encapsulated(kem):
    """Ephemeral key and encapsulation, always the same."""
    if kem is hpke.XWing:
        return x_wing_sent()
    return EPHEMERAL, kem.encapsulate(kem.public(RECIPIENTS[kem.name]), EPHEMERAL)[0]


def recipients():
    for kem in (hpke.XWing, hpke.X25519):
        ephemeral, enc = encapsulated(kem)
        private = RECIPIENTS[kem.name]
        yield {"kem": kem.id, "private": private, "public": kem.public(private), "ephemeral": ephemeral, "enc": enc}


REQUEST_HEAD = {"key-id": KEY_ID, "epoch": 0x100 + KEY_ID, "max-request-bytes": 4096, "recipients": list(recipients())}


class Envelope:
    """One envelope under construction, chunk by chunk."""

    def __init__(self, kem, form=CHUNKED, key_id=KEY_ID):
        self.form, self.kem, aead = form, kem, AEADS[kem.name]
        self.header = struct.pack(">BHHH", key_id, kem.id, hpke.HKDF_SHA256, aead)
        _, self.enc = encapsulated(kem)
        self.context = hpke.recipient(kem, aead, RECIPIENTS[kem.name], self.enc, form.info + self.header)
        self.head = self.header + self.enc

    def chunk(self, text):
        sealed = self.context.seal(text)
        return varint(len(sealed)) + sealed

    def last(self, text=b"", aad=b"final"):
        return varint(0) + self.context.seal(text, aad)

    def whole(self, chunks):
        """The envelope with these plaintext chunks."""
        if self.form is ONE_SHOT:
            return self.head + self.context.seal(b"".join(chunks))
        *before, last = chunks
        return self.head + b"".join([self.chunk(text) for text in before]) + self.last(last)


def message(fields=FIELDS, body=BODY, control=(METHOD, "https", "narthex", PATH)):
    return encode_request(control, fields, body)


def indeterminate(fields=FIELDS, parts=(BODY,)):
    """A request in the indeterminate-length form."""
    def sized(text):
        data = text if isinstance(text, bytes) else text.encode()
        return varint(len(data)) + data

    control = b"".join(map(sized, (METHOD, "https", "narthex", PATH)))
    lines = b"".join(sized(text) for line in fields for text in line)
    return varint(2) + control + lines + b"\0" + b"".join(map(sized, parts)) + b"\0\0"


def halves(data):
    return [data[: len(data) // 2], data[len(data) // 2 :]]


def requests():
    def case(title, expect, envelope, form=CHUNKED, **told):
        return {"title": title, "expect": expect, "form": form.name, "envelope": envelope, **told}

    def accepted(title, kem, chunks, form=CHUNKED):
        made = Envelope(kem, form)
        secret = made.context.export(form.exported, 32 if AEADS[kem.name] == 2 else 16)
        told = {"chunks": chunks, "body": BODY, "secret": secret, "opening": made.context.export(b"narthex/1/receipt", 32)}
        return case(title, "accept", made.whole(chunks), form, info=form.info + made.header, **told)

    def refused(title, code, *chunks, kem=hpke.X25519):
        return case(title, code, Envelope(kem).whole(chunks))

    for kem in (hpke.XWing, hpke.X25519):
        yield accepted(f"{kem.name}, in one chunk", kem, [message()])
        yield accepted(f"{kem.name}, in two chunks and an empty last one", kem, [*halves(message()), b""])
        yield accepted(f"{kem.name}, one-shot", kem, [message()], ONE_SHOT)
    yield accepted("the indeterminate-length form, its body in two parts", hpke.X25519, [indeterminate(parts=halves(BODY))])
    yield accepted("padded with zeros to 1 KiB", hpke.X25519, [message().ljust(1024, b"\0")])
    yield accepted("padding in chunks of its own", hpke.X25519, [message(), bytes(100), bytes(100)])
    yield from spoilt_headers(case)
    yield from spoilt_chunks(case)
    yield refused("no request but a response inside", "request.bhttp", b"\x01\x40\xc8\0\0\0")
    yield refused("a request cut short inside", "request.bhttp", message()[:40])
    yield refused("nothing inside", "request.bhttp", b"")
    yield refused("bytes other than zero behind the request", "request.after_end", message() + b"\0\x01")
    yield refused("a body over the limit", "request.too_large", *halves(message(body=bytes(4097))), b"")
    yield refused("another scheme", "request.sealed_header", message(control=(METHOD, "http", "narthex", PATH)))
    yield refused("another authority", "request.sealed_header", message(control=(METHOD, "https", "example.com", PATH)))
    # R6.5
    yield refused("no sealed headers", "request.sealed_header", message(fields=[]))
    yield refused("two content types", "request.sealed_header", message(fields=[*FIELDS, ("content-type", "a/b"), ("content-type", "a/b")]))
    # R6.8
    yield {**accepted("sent twice", hpke.XWing, [message()]), "expect": "request.replayed", "sent": 2}


def spoilt_headers(case):
    x25519 = Envelope(hpke.X25519)
    envelope = x25519.whole([message()])
    yield case("nothing", "request.truncated", b"")
    yield case("a header cut short", "request.truncated", envelope[:6])
    yield case("an encapsulation cut short", "request.truncated", envelope[:38])
    yield case("an unknown key id", "request.unknown_key", flipped(envelope, 0, 0x80))
    yield case("a KEM that is not spoken", "request.header", flipped(envelope, 1, 0x10))
    yield case("a KDF that is not spoken", "request.header", flipped(envelope, 4, 2))
    yield case("an AEAD that the KEM is not offered with", "request.header", flipped(envelope, 6, 3))
    # R6.1
    yield case("an X25519 point of low order", "request.header", x25519.header + LOW_ORDER + envelope[39:])
    x_wing = Envelope(hpke.XWing)
    point = x_wing.header + x_wing.enc[:1088] + LOW_ORDER
    yield case("an X25519 point of low order within X-Wing", "request.header", point + x_wing.whole([message()])[len(x_wing.head) :])
    yield case("another encapsulation", "request.authentication", flipped(envelope, 12))
    yield case("a chunked envelope as one-shot", "request.authentication", envelope, ONE_SHOT)
    one_shot = Envelope(hpke.X25519, ONE_SHOT).whole([message()])
    yield case("a one-shot envelope cut short", "request.authentication", one_shot[:-1], ONE_SHOT)
    yield case("a byte behind a one-shot envelope", "request.authentication", one_shot + b"\0", ONE_SHOT)
    yield case("a one-shot envelope without a tag", "request.truncated", one_shot[: 39 + 15], ONE_SHOT)


def spoilt_chunks(case):
    made = Envelope(hpke.X25519)
    first, second, last = made.chunk(halves(message())[0]), made.chunk(halves(message())[1]), made.last()
    longer = Envelope(hpke.X25519).last(b"text")

    def of(*pieces):
        return made.head + b"".join(pieces)

    yield case("no chunk", "request.truncated", of())
    yield case("no last chunk", "request.truncated", of(first, second))
    yield case("cut in the middle of a chunk", "request.truncated", of(first, second[:-1]))
    yield case("a last chunk shorter than a tag", "request.truncated", of(first, second, last[:15]))
    yield case("a last chunk cut short", "request.authentication", of(first, second, longer[:-1]))
    yield case("a byte behind the last chunk", "request.authentication", of(first, second, last, b"\0"))
    yield case("a bit of a chunk flipped", "request.authentication", of(first, flipped(second, -1), last))
    yield case("a bit of the last chunk flipped", "request.authentication", of(first, second, flipped(last, -1)))
    yield case("chunks in another order", "request.authentication", of(second, first, last))
    yield case("a chunk twice", "request.authentication", of(first, first, second, last))
    yield case("a chunk left out", "request.authentication", of(first, last))
    yield case("a chunk shorter than a tag", "request.authentication", of(varint(15), bytes(15)))
    # R6.2
    yield case("an empty chunk that is not the last", "request.empty_chunk", of(first, Envelope(hpke.X25519).chunk(b"")))
    yield case("a chunk above 65,536 bytes", "request.too_large", of(varint(65536 + 17)))
    other = Envelope(hpke.X25519)
    yield case("the last chunk sealed as any other", "request.authentication", made.head + other.last(message(), aad=b""))


class Answering:
    """One answer under construction (RFC 9458 section 4.4)."""

    def __init__(self, aead, form=CHUNKED):
        length = hpke.AEAD_KEYS[aead]
        self.form, self.aead = form, aead
        self.secret, self.enc, self.nonce = bytes([1]) * length, bytes([2]) * 32, bytes([3]) * length
        prk = hpke.extract(self.enc + self.nonce, self.secret)
        self._key = AESGCM(hpke.expand(prk, b"key", length))
        self._nonces = hpke.nonces(hpke.expand(prk, b"nonce", hpke.NONCE))

    def seal(self, text, aad=b""):
        return self._key.encrypt(next(self._nonces), text, aad)

    def chunk(self, text):
        sealed = self.seal(text)
        return varint(len(sealed)) + sealed

    def last(self, text):
        return varint(0) + self.seal(text, b"final")

    def case(self, title, expect, data, **told):
        given = {"aead": self.aead, "secret": self.secret, "enc": self.enc}
        return {"title": title, "expect": expect, "form": self.form.name, **given, "answer": self.nonce + data, **told}


HEAD = varint(3) + varint(200) + b"\x0ccontent-type\x10application/json\0"
CONTENT, END = b"\x02{}", b"\0" + b"\x0fnarthex-receipt\x04abcd\0"


def responses():
    told = {"status": 200, "body": b"{}", "trailers": [["narthex-receipt", "abcd"]]}
    for aead in (1, 2):
        made = Answering(aead)
        yield made.case(f"AEAD {aead}, three chunks", "accept", made.chunk(HEAD) + made.chunk(CONTENT) + made.last(END), **told)
        made = Answering(aead, ONE_SHOT)
        yield made.case(f"AEAD {aead}, one-shot", "accept", made.seal(HEAD + CONTENT + END), **told)
    made = Answering(1)
    yield made.case("padded with zeros", "accept", made.chunk(HEAD) + made.chunk(CONTENT + END) + made.last(bytes(9)), **told)
    made = Answering(1)
    informational = varint(3) + varint(103) + b"\0" + HEAD[1:]
    yield made.case("an informational response first", "accept", made.chunk(informational) + made.last(CONTENT + END), **told)
    made = Answering(1)
    first, second, last = made.chunk(HEAD), made.chunk(CONTENT), made.last(END)
    refused = {
        "nothing behind the nonce": ("response.truncated", b""),
        "no last chunk": ("response.truncated", first + second),
        "cut in the middle of a chunk": ("response.truncated", first + second[:-1]),
        "a last chunk cut short": ("response.authentication", first + second + last[:-1]),
        "a byte behind the last chunk": ("response.authentication", first + second + last + b"\0"),
        "a bit of a chunk flipped": ("response.authentication", first + flipped(second, -1) + last),
        "chunks in another order": ("response.authentication", second + first + last),
        "a chunk twice": ("response.authentication", first + first + second + last),
        "a chunk left out": ("response.authentication", first + last),
        "a chunk above 65,536 bytes": ("response.chunk_too_large", first + varint(65536 + 17)),
        "an empty chunk that is not the last": ("response.empty_chunk", Answering(1).chunk(b"")),
        "no binary HTTP inside": ("response.bhttp", Answering(1).last(b"\x07")),
        "a request inside": ("response.bhttp", Answering(1).last(message())),
        "a response cut short inside": ("response.bhttp", Answering(1).last(HEAD[:-3])),
        "bytes other than zero behind the response": ("response.after_end", Answering(1).last(HEAD + CONTENT + END + b"\0\x01")),
    }
    for title, (code, data) in refused.items():
        yield made.case(title, code, data)
    yield made.case("another encapsulation", "response.authentication", first + second + last, enc=bytes(32))
