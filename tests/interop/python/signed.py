"""What an identity signs, written here: COSE_Sign1 over deterministic CBOR, for the vectors in protocol/testdata."""
import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import hashing
from narthex import KEYS_TYPE, RECEIPT_TYPE

SEED = bytes(range(32))
IDENTITY = Ed25519PrivateKey.from_private_bytes(SEED)
PUBLIC = IDENTITY.public_key().public_bytes_raw()
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(reversed(range(32))))


def encode(value):
    return cbor2.dumps(value, canonical=True)


def cose(content_type, payload, key=IDENTITY, protected=None, unprotected=None):
    """COSE_Sign1, untagged."""
    protected = encode({1: -8, 3: content_type}) if protected is None else protected
    signature = key.sign(encode(["Signature1", protected, b"", payload]))
    return encode([protected, unprotected or {}, payload, signature])


def changed(fields, **changes):
    """The fields with some replaced; None leaves one out, and names have _ for -."""
    fields = {**fields, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {name: value for name, value in fields.items() if value is not None}


def flipped(data, at, bit=1):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def forms(content_type, fields, rewrap):
    """What is wrong with any signed map, whatever its fields: title and bytes; `rewrap` signs other bytes as the payload."""
    payload = encode(fields)
    signed = cose(content_type, payload)
    other = RECEIPT_TYPE if content_type == KEYS_TYPE else KEYS_TYPE
    first, rest = payload[:1], payload[1:]
    yield "nothing", b""
    yield "a byte behind it", signed + b"\0"
    yield "cut short", signed[:-1]
    yield "the tag of COSE_Sign1 before it", b"\xd2" + signed
    yield "an array of indefinite length", b"\x9f" + signed[1:] + b"\xff"
    yield "another content type", cose(other, payload)
    yield "another algorithm", cose(content_type, payload, protected=encode({1: -7, 3: content_type}))
    yield "no content type", cose(content_type, payload, protected=encode({1: -8}))
    yield "a field in the unprotected header", cose(content_type, payload, unprotected={4: b"k"})
    yield "a map of indefinite length", rewrap(b"\xbf" + payload[2:] + b"\xff" if first == b"\xb8" else b"\xbf" + rest + b"\xff")
    yield "a byte behind the map", rewrap(payload + b"\0")
    yield "keys in another order", rewrap(cbor2.dumps(dict(reversed(sorted(fields.items(), key=lambda item: encode(item[0]))))))
    yield "an integer longer than needed", rewrap(payload.replace(encode("v") + b"\x01", encode("v") + b"\x18\x01"))
    yield "another version", rewrap(encode({**fields, "v": 2}))
    yield "a field too many", rewrap(encode({**fields, "x": 1}))


def mistyped(fields, optional=()):
    """Each field left out, unless it is optional, and each as a boolean."""
    for name in fields:
        if name not in optional:
            yield f"without {name}", encode({key: value for key, value in fields.items() if key != name})
        yield f"{name} is a boolean", encode({**fields, name: True})


def h_identity(key=PUBLIC):
    return hashing.labelled("narthex/1/identity", key)
