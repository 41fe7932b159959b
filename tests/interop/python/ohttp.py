"""Oblivious HTTP, one-shot (RFC 9458) and chunked (draft-ietf-ohai-chunked-ohttp-08), the client's side."""
import struct
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import hpke
from bhttp import varint

MAX_SENT_CHUNK = 16384
TAG = 16


class Truncated(Exception):
    """The answer ended before its authenticated end."""


class Form(NamedTuple):
    """What names a form: media types, HPKE's info, and the context of the response's secret."""

    name: str
    request: str
    response: str
    info: bytes
    exported: bytes


CHUNKED = Form(
    "chunked",
    "message/ohttp-chunked-req",
    "message/ohttp-chunked-res",
    b"message/bhttp chunked request\0",
    b"message/bhttp chunked response",
)
ONE_SHOT = Form("one-shot", "message/ohttp-req", "message/ohttp-res", b"message/bhttp request\0", b"message/bhttp response")
FORMS = {form.name: form for form in (CHUNKED, ONE_SHOT)}


class Config(NamedTuple):
    """A key configuration with its first suite; `header` is the 7 bytes that begin an envelope."""

    kem: type
    aead: int
    public: bytes
    header: bytes


class Answer(NamedTuple):
    """What opens an answer, and the secret that opens its receipt's digests."""

    form: Form
    aead: int
    secret: bytes
    enc: bytes
    opening: bytes


def parse_keys(data):
    """The configurations of `application/ohttp-keys` (RFC 9458 section 3.2) that are spoken here."""
    configs = []
    while data:
        length = struct.unpack(">H", data[:2])[0]
        config, data = data[2 : 2 + length], data[2 + length :]
        kem = hpke.KEMS.get(struct.unpack(">H", config[1:3])[0])
        if kem:
            suite = config[3 + kem.public_len + 2 :][:4]
            header = config[:3] + suite
            configs.append(Config(kem, header_suite(header)[1], config[3 : 3 + kem.public_len], header))
    return configs


def header_suite(header):
    """KEM and AEAD of an envelope's header."""
    kem, kdf, aead = struct.unpack(">HHH", header[1:7])
    if kem not in hpke.KEMS or kdf != hpke.HKDF_SHA256 or aead not in hpke.AEAD_KEYS:
        raise ValueError("suite")
    return hpke.KEMS[kem], aead


def nonce_length(aead):
    """max(Nn, Nk)."""
    return max(hpke.NONCE, hpke.AEAD_KEYS[aead])


def seal(form, config, message):
    """Seals `message`: the envelope, and what opens the answer."""
    enc, context = hpke.sender(config.kem, config.aead, config.public, form.info + config.header)
    sealed = _seal_chunks(context, message) if form is CHUNKED else context.seal(message)
    secret = context.export(form.exported, nonce_length(config.aead))
    answer = Answer(form, config.aead, secret, enc, context.export(b"narthex/1/receipt", 32))
    return config.header + enc + sealed, answer


def _seal_chunks(context, message):
    out = b""
    while len(message) > MAX_SENT_CHUNK:
        sealed, message = context.seal(message[:MAX_SENT_CHUNK]), message[MAX_SENT_CHUNK:]
        out += varint(len(sealed)) + sealed
    return out + varint(0) + context.seal(message, b"final")


def open_envelope(form, private, envelope):
    """Opens an envelope with the private key that its header is for: the message's plaintext chunks."""
    header = envelope[:7]
    kem, aead = header_suite(header)
    enc, sealed = envelope[7 : 7 + kem.enc_len], envelope[7 + kem.enc_len :]
    context = hpke.recipient(kem, aead, private, enc, form.info + header)
    if form is ONE_SHOT:
        return [context.open(sealed)]
    return [context.open(chunk, b"final" if final else b"") for chunk, final in frames(sealed)]


def open_answer(answer, data):
    """Opens an answer that has arrived whole: its plaintext chunks, the last of them authenticated as the last."""
    opener = AnswerOpener(answer)
    return [*opener.push(data), opener.finish()]


class AnswerOpener:
    """Opens an answer as it arrives; nothing is complete before `finish`."""

    def __init__(self, answer):
        self._answer, self._buffer, self._key, self._nonces = answer, b"", None, None

    def push(self, data):
        """Takes the next bytes; the plaintexts of the chunks that they complete."""
        self._buffer += data
        if (self._key is None and not self._derive()) or self._answer.form is ONE_SHOT:
            return []
        texts = []
        while frame := _first_frame(self._buffer):
            sealed, self._buffer = frame
            texts.append(self._open(sealed, b""))
        return texts

    def finish(self):
        """The answer has ended: the last plaintext."""
        if self._key is None:
            raise Truncated
        if self._answer.form is ONE_SHOT:
            return self._open(self._buffer, b"")
        if self._buffer[:1] != b"\0":
            raise Truncated
        return self._open(self._buffer[1:], b"final")

    def _derive(self):
        """Key and nonce of RFC 9458 section 4.4, once the response nonce is here."""
        answer, length = self._answer, nonce_length(self._answer.aead)
        if len(self._buffer) < length:
            return False
        nonce, self._buffer = self._buffer[:length], self._buffer[length:]
        prk = hpke.extract(answer.enc + nonce, answer.secret)
        self._key = AESGCM(hpke.expand(prk, b"key", hpke.AEAD_KEYS[answer.aead]))
        self._nonces = hpke.nonces(hpke.expand(prk, b"nonce", hpke.NONCE))
        return True

    def _open(self, sealed, aad):
        if len(sealed) < TAG:
            raise Truncated
        return self._key.decrypt(next(self._nonces), sealed, aad)


def frames(data):
    """The sealed chunks of a complete stream, each with whether it is the last."""
    chunks = []
    while frame := _first_frame(data):
        sealed, data = frame
        chunks.append((sealed, False))
    if data[:1] != b"\0":
        raise Truncated
    return [*chunks, (data[1:], True)]


def _first_frame(data):
    """The first chunk if it is complete and not the last, and what follows it."""
    width = 1 << (data[0] >> 6) if data else 1
    if len(data) < width or data[0] == 0:
        return None
    length = int.from_bytes(data[:width], "big") & ((1 << (8 * width - 2)) - 1)
    end = width + length
    return (data[width:end], data[end:]) if len(data) >= end else None
