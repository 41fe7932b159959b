"""Vectors of what an identity signs: key lists (docs/protocol.md section 5) and serving receipts (section 7)."""
import struct

import hashing
import hpke
from cases_sealed import KEY_ID, RECIPIENTS
from narthex import KEYS_TYPE, RECEIPT_TYPE
from signed import IDENTITY, PUBLIC, SEED, STRANGER, changed, cose, encode, flipped, forms, h_identity, mistyped

AT = 1_800_000_000
MANIFEST = bytes([2]) * 32
EPOCH = 0x100 + KEY_ID


def config(kem, aead, key_id=KEY_ID, suites=None):
    """A key configuration (RFC 9458 section 3.1) behind its length."""
    public = kem.public(RECIPIENTS[kem.name])
    suites = struct.pack(">HH", hpke.HKDF_SHA256, aead) if suites is None else suites
    body = struct.pack(">BH", key_id, kem.id) + public + struct.pack(">H", len(suites)) + suites
    return struct.pack(">H", len(body)) + body


X_WING, X25519 = config(hpke.XWing, 2), config(hpke.X25519, 1)
FOREIGN = bytes.fromhex("0005") + bytes([KEY_ID]) + bytes.fromhex("fffe0102")
KEY_LIST = {
    "v": 1,
    "identity": h_identity(),
    "manifest": MANIFEST,
    "node": "node-1",
    "epoch": EPOCH,
    "nbf": AT - 60,
    "exp": AT + 1140,
    "policy-version": 4,
    "policy-digest": bytes([4]) * 32,
    "configs": X25519,
}


def key_lists():
    def case(title, expect, signed, **told):
        return {"title": title, "expect": expect, "signed": signed, **told}

    def of(payload, key=IDENTITY):
        return cose(KEYS_TYPE, payload, key)

    def listing(**changes):
        return of(encode(changed(KEY_LIST, **changes)))

    signed = listing()
    yield case("X25519 alone", "accept", signed, payload=encode(KEY_LIST), preferred=hpke.X25519.id)
    yield case("X-Wing, then X25519", "accept", listing(configs=X_WING + X25519), preferred=hpke.XWing.id)
    # R5.2
    yield case("a KEM that nobody speaks goes first", "accept", listing(configs=FOREIGN + X25519), preferred=hpke.X25519.id)
    foreign_suites = config(hpke.XWing, 2, suites=struct.pack(">HHHH", 1, 0xFFFE, 1, 2))
    yield case("a suite that nobody speaks goes first", "accept", listing(configs=foreign_suites), preferred=hpke.XWing.id)
    yield case("in its first second", "accept", signed, at=KEY_LIST["nbf"], preferred=hpke.X25519.id)
    yield case("in its last second", "accept", signed, at=KEY_LIST["exp"] - 1, preferred=hpke.X25519.id)
    # R5.3
    yield case("a second before it begins", "keys.not_yet_valid", signed, at=KEY_LIST["nbf"] - 1)
    yield case("when it ends", "keys.expired", signed, at=KEY_LIST["exp"])
    yield case("of another identity, signed by it", "keys.not_attested", listing(identity=h_identity(bytes(32))))
    yield case("of another manifest", "keys.not_attested", signed, manifest=bytes(32))
    yield case("signed by a stranger", "keys.signature", of(encode(KEY_LIST), STRANGER))
    yield case("judged by a stranger's key", "keys.signature", signed, identity=STRANGER.public_key().public_bytes_raw())
    yield case("a bit of the payload flipped", "keys.signature", flipped(signed, signed.index(X25519[7:39]) + 3))
    yield case("a bit of the signature flipped", "keys.signature", flipped(signed, -1))
    yield case("no suite in common", "keys.no_common_suite", listing(configs=FOREIGN))
    yield case("no configuration", "keys.no_common_suite", listing(configs=b""))
    malformed = {
        "it ends before it begins": listing(exp=KEY_LIST["nbf"]),
        "a node without a name": listing(node=""),
        "a node in capitals": listing(node="Node-1"),
        "a node of 64 characters": listing(node="n" * 64),
        "a key id that is not the low byte of the epoch": listing(configs=config(hpke.X25519, 1, key_id=KEY_ID + 1)),
        "a configuration cut short": listing(configs=X25519[:-1]),
        "a configuration without a suite": listing(configs=config(hpke.X25519, 1, suites=b"")),
        "a byte behind the last suite": listing(configs=config(hpke.X25519, 1, suites=struct.pack(">HHB", 1, 1, 0))),
        "over 64 KiB": listing(configs=X25519 * 1600),
    }
    # R2.1, R2.2, R5.1
    malformed.update(forms(KEYS_TYPE, KEY_LIST, of))
    malformed.update((title, of(payload)) for title, payload in mistyped(KEY_LIST))
    for title, data in malformed.items():
        yield case(title, "keys.malformed", data)


OPENING = bytes([7]) * 32
EXCHANGE = {
    "method": "POST",
    "path": "/v1/chat/completions",
    "request-body": b'{"model":"m","messages":[]}',
    "status": 200,
    "response-body": b"data: one\n\ndata: [DONE]\n\n",
    "tokens": [1, 2, 0x10203],
}


def digests(exchange, opening=OPENING):
    """The three digests that a receipt states (section 7)."""
    request = [exchange["method"].encode(), exchange["path"].encode(), hashing.sha256(exchange["request-body"])]
    response = [hashing.u64(exchange["status"]), hashing.sha256(exchange["response-body"])]
    tokens = struct.pack(f"<{len(exchange['tokens'])}I", *exchange["tokens"])
    return {
        "request": hashing.keyed(opening, "narthex/1/request", *request),
        "response": hashing.keyed(opening, "narthex/1/response", *response),
        "tokens": hashing.keyed(opening, "narthex/1/tokens", tokens),
    }


RECEIPT = {
    "v": 1,
    "request-id": bytes([9]) * 16,
    **digests(EXCHANGE),
    "binding": bytes([3]) * 32,
    "manifest": MANIFEST,
    "policy-version": 4,
    "policy-digest": bytes([4]) * 32,
    "client-policy": bytes([5]) * 32,
    "model": "m",
    "model-digest": bytes([6]) * 32,
    "tokenizer-digest": bytes([10]) * 32,
    "template-digest": bytes([11]) * 32,
    "aibom-digest": bytes([12]) * 32,
    "node": "node-1",
    "epoch": EPOCH,
    "cache-scope": "request",
    "tenant": bytes([13]) * 32,
    "residency": "DE",
    "padding": "default",
    "status": 200,
    "outcome": "complete",
    "prompt-tokens": 7,
    "completion-tokens": 3,
    "received-at": AT,
    "finished-at": AT + 1,
    "temperature-milli": 700,
    "top-p-milli": 950,
    "seed": 2**64 - 1,
    "isa": "scalar",
    "engine": "deterministic",
    "kernels-digest": bytes([8]) * 32,
}
OPTIONAL = ("aibom-digest", "tenant", "residency")
CUBINS = bytes([14]) * 32


def receipts():
    def case(title, expect, signed, **told):
        return {"title": title, "expect": expect, "signed": signed, **told}

    def of(payload, key=IDENTITY):
        return cose(RECEIPT_TYPE, payload, key)

    def receipt(**changes):
        return of(encode(changed(RECEIPT, **changes)))

    signed = receipt()
    yield case("with every field", "accept", signed, payload=encode(RECEIPT), digests=digests(EXCHANGE))
    yield case("without what is optional", "accept", receipt(aibom_digest=None, tenant=None, residency=None))
    for outcome in ("failed", "abandoned"):
        yield case(f"of an answer that {outcome}", "accept", receipt(outcome=outcome))
    for padding in ("off", "strict"):
        yield case(f"with padding {padding}", "accept", receipt(padding=padding))
    for arithmetic in ("exact", "fast"):
        yield case(f"of GPUs in {arithmetic} arithmetic", "accept", receipt(arithmetic=arithmetic, cubins_digest=CUBINS))
    yield case("signed by a stranger", "receipt.signature", of(encode(RECEIPT), STRANGER))
    yield case("a bit of the payload flipped", "receipt.signature", flipped(signed, signed.index(RECEIPT["binding"]) + 5))
    others = {
        "method": "GET",
        "path": "/v1/completions",
        "request-body": b"{}",
        "status": 500,
        "response-body": b"data: one\n\n",
        "tokens": [1, 2],
    }
    for name, value in others.items():
        yield case(f"shown with another {name}", "receipt.mismatch", signed, exchange={**EXCHANGE, name: value})
    yield case("shown with another opening", "receipt.mismatch", signed, opening=bytes(32))
    malformed = {
        "an outcome that is none": receipt(outcome="Complete"),
        "a padding that is none": receipt(padding="on"),
        "a request id of 15 bytes": receipt(request_id=bytes(15)),
        "a digest of 31 bytes": receipt(tokens=bytes(31)),
        "a negative number": receipt(epoch=-1),
        "over 8 KiB": receipt(model="m" * 8192),
        "an arithmetic that is none": receipt(arithmetic="Exact", cubins_digest=CUBINS),
        "an arithmetic without cubins": receipt(arithmetic="exact"),
        "cubins without an arithmetic": receipt(cubins_digest=CUBINS),
        "cubins of 31 bytes": receipt(arithmetic="exact", cubins_digest=CUBINS[1:]),
    }
    # R2.1, R2.2, R7.1
    malformed.update(forms(RECEIPT_TYPE, RECEIPT, of))
    malformed.update((title, of(payload)) for title, payload in mistyped(RECEIPT, OPTIONAL))
    for title, data in malformed.items():
        yield case(title, "receipt.malformed", data)


# What a case judges by unless it says otherwise.
KEY_LIST_HEAD = {"seed": SEED, "fields": KEY_LIST, "identity": PUBLIC, "manifest": MANIFEST, "at": AT}
RECEIPT_HEAD = {"seed": SEED, "fields": RECEIPT, "identity": PUBLIC, "opening": OPENING, "exchange": EXCHANGE}
