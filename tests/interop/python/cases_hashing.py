"""Vectors of docs/protocol.md section 1."""
import hashlib

import hashing

IDENTITY, MANIFEST, FRESHNESS = bytes([2]) * 32, b"\xa1av\x01", bytes([1]) * 32
DEVICE = [b"\4" * 4, [b"\5" * 5, b"\6" * 6]]


def hashes():
    def case(title, output, **inputs):
        return {"title": title, "of": title.split(",")[0], **inputs, "output": output}

    identity, manifest = hashing.labelled("narthex/1/identity", IDENTITY), hashing.labelled("narthex/1/manifest", MANIFEST)
    bound = {"freshness": FRESHNESS, "identity": IDENTITY, "manifest": MANIFEST}
    # R1.1
    yield case("identity", identity, identity=IDENTITY)
    yield case("manifest", manifest, manifest=MANIFEST)
    yield case("gpu-nonce", hashing.labelled("narthex/1/gpu-nonce", FRESHNESS, identity, manifest), **bound)
    yield case("device", hashing.labelled("narthex/1/device", DEVICE[0], *DEVICE[1]), report=DEVICE[0], certificates=DEVICE[1])
    for title, devices in (("none", []), ("one", [DEVICE]), ("two", [DEVICE, [b"\7", [b"\x08"]]])):
        report_data = hashing.report_data(FRESHNESS, IDENTITY, MANIFEST, devices)
        named = [{"report": report, "certificates": certificates} for report, certificates in devices]
        binding = hashing.labelled("narthex/1/binding-id", report_data)
        yield case(f"report-data, devices: {title}", report_data, **bound, devices=named, binding=binding)
    keys = [bytes([key]) * 32 for key in (9, 3, 7)]
    root = hashing.labelled("narthex/1/policy-root", hashing.u64(2), *sorted(keys))
    yield case("policy-root, in any order", root, threshold=2, keys=keys)
    document = b'{"version":1}'
    yield case("policy-digest", hashlib.sha256(document).digest(), document=document)
    # R1.2
    for size in (1, 2, 3, 4, 5, 7, 8):
        nonces = [bytes([index]) * 32 for index in range(size)]
        yield case(f"freshness, nonces: {size}", head(leaves(nonces)), nonces=nonces, paths=[path(index, leaves(nonces)) for index in range(size)])


def leaves(nonces):
    return [hashing.sha256(b"\0" + nonce) for nonce in nonces]


def split(nodes):
    """The largest power of two below their number (RFC 9162 section 2.1.1)."""
    return 1 << ((len(nodes) - 1).bit_length() - 1)


def head(nodes):
    if len(nodes) == 1:
        return nodes[0]
    at = split(nodes)
    return hashing.sha256(b"\1" + head(nodes[:at]) + head(nodes[at:]))


def path(index, nodes):
    """The siblings of a leaf, bottom first (RFC 9162 section 2.1.3.1)."""
    if len(nodes) == 1:
        return []
    at = split(nodes)
    if index < at:
        return [*path(index, nodes[:at]), head(nodes[at:])]
    return [*path(index - at, nodes[at:]), head(nodes[:at])]
