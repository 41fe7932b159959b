"""Vectors of the sealed inner headers, the tenant's among them (docs/protocol.md section 6), and of padding (section 10)."""
import base64

import hashing
from signed import IDENTITY, PUBLIC, SEED, flipped

METHOD, PATH = "POST", "/v1/chat/completions"
HEADERS = {
    "narthex-binding": "03" * 32,
    "narthex-policy-version": "4",
    "narthex-policy-digest": "04" * 32,
    "narthex-client-policy": "05" * 32,
    "narthex-request-id": "09" * 16,
    "narthex-issued-at": "1800000000",
    "narthex-node": "node-1",
    "narthex-model": "m",
}
FIELDS = list(HEADERS.items())


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def statement(request_id=bytes([9]) * 16, binding=bytes([3]) * 32, method=METHOD, path=PATH, body=b"{}"):
    """What a tenant signs: not hashed (section 1)."""
    return hashing.encode("narthex/1/tenant", request_id, binding, method.encode(), path.encode(), hashing.sha256(body))


CREDENTIAL = PUBLIC + IDENTITY.sign(statement())
OPTIONAL = {"narthex-residency": "DE", "narthex-tenant": url64(CREDENTIAL), "narthex-cache-secret": "08" * 32}


def sealed_headers():
    def case(title, expect, fields, method=METHOD, path=PATH, **told):
        return {"title": title, "expect": expect, "method": method, "path": path, "fields": fields, **told}

    def refused(title, header, fields, **told):
        return case(title, "request.sealed_header", fields, header=header, **told)

    def but(name, value):
        return [(line, value if line == name else text) for line, text in {**HEADERS, **OPTIONAL}.items()]

    without_model = [line for line in FIELDS if line[0] != "narthex-model"]
    yield case("what must be there", "accept", FIELDS)
    yield case("all of them", "accept", FIELDS + list(OPTIONAL.items()))
    yield case("in another order, and others beside them", "accept", [("accept", "*/*"), *reversed(FIELDS), ("x-narthex", "1")])
    yield case("the one list of models has no model", "accept", without_model, method="GET", path="/v1/models")
    yield refused("a model where there is none", "narthex-model", FIELDS, method="GET", path="/v1/models")
    # R6.5
    yield refused("one that is not known", "narthex-*", [*FIELDS, ("narthex-x", "1")])
    for name, value in FIELDS:
        yield refused(f"without {name}", name, [line for line in FIELDS if line[0] != name])
    for name, value in {**HEADERS, **OPTIONAL}.items():
        yield refused(f"{name} twice", name, [*but("", ""), (name, value)])
        yield refused(f"{name} is empty", name, but(name, ""))
    malformed = {
        "narthex-binding": ["03" * 31, "03" * 33, "0g" * 32, "AB" * 32],
        "narthex-policy-version": ["04", "+4", "-4", "4 ", "18446744073709551616"],
        "narthex-request-id": ["09" * 15, "0A" * 16],
        "narthex-issued-at": ["1800000000.0", "01800000000"],
        "narthex-node": ["Node-1", "n" * 64, "node_1"],
        "narthex-residency": ["de", "DEU", "D"],
        "narthex-tenant": [url64(CREDENTIAL[:-1]), url64(CREDENTIAL + b"\0"), url64(CREDENTIAL) + "=", CREDENTIAL.hex()],
        "narthex-cache-secret": ["08" * 31, "08" * 33, "0A" * 32],
    }
    for name, values in malformed.items():
        for value in values:
            yield refused(f"{name} is {value[:24]}", name, but(name, value))


TENANT_HEAD = {"seed": SEED}


def tenants():
    """A credential beside a request: the signature is for one statement."""
    def case(title, expect, credential=CREDENTIAL, **changed):
        given = {"request-id": bytes([9]) * 16, "binding": bytes([3]) * 32, "method": METHOD, "path": PATH, "body": b"{}"}
        given.update((name.replace("_", "-"), value) for name, value in changed.items())
        return {"title": title, "expect": expect, **given, "statement": statement(*given.values()), "narthex-tenant": url64(credential)}

    # R6.7
    yield case("signed", "accept")
    refused = "sealed_header.mismatch"
    yield case("another request id", refused, request_id=bytes(16))
    yield case("another binding", refused, binding=bytes(32))
    yield case("another method", refused, method="GET")
    yield case("another path", refused, path="/v1/completions")
    yield case("another body", refused, body=b"{ }")
    yield case("a bit of the key flipped", refused, credential=flipped(CREDENTIAL, 0))
    yield case("a bit of the signature flipped", refused, credential=flipped(CREDENTIAL, -1))


def buckets():
    """Bytes that a request of binary HTTP is padded to."""
    # R10.1
    for length in (0, 1, 1023, 1024, 1025, 1536, 1537, 2048, 2049, 3072, 3073, 4096, 4097, 16384, 16385, 65537, 1_000_000):
        for profile, bucket in (("off", length), ("default", half_step(length)), ("strict", power_of_four(length))):
            yield {"title": f"{profile}: {length}", "profile": profile, "length": length, "padded": bucket}


def half_step(length):
    bucket = 1024
    while bucket < length:
        bucket = bucket * 3 // 2 if bucket & (bucket - 1) == 0 else bucket * 4 // 3
    return bucket


def power_of_four(length):
    bucket = 1024
    while bucket < length:
        bucket *= 4
    return bucket
