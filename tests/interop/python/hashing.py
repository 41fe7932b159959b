"""Hashes of docs/protocol.md, section 1, on the standard library."""
import hashlib
import hmac
import struct


def encode(label, *fields):
    """`len(label) || label || len(f1) || f1 ..`, every length a big-endian u64."""
    parts = [label.encode(), *fields]
    return b"".join(u64(len(part)) + part for part in parts)


def u64(value):
    return struct.pack(">Q", value)


def sha256(data):
    return hashlib.sha256(data).digest()


def labelled(label, *fields):
    """SHA-256 of a label and its fields."""
    return sha256(encode(label, *fields))


def keyed(secret, label, *fields):
    """HMAC-SHA256 of a label and its fields."""
    return hmac.digest(secret, encode(label, *fields), "sha256")


def report_data(freshness, identity, manifest, devices):
    """REPORT_DATA, 64 bytes; `devices` are `[report, [certificate ..]]` in the bundle's order."""
    named = [labelled("narthex/1/device", report, *certificates) for report, certificates in devices]
    fields = [freshness, labelled("narthex/1/identity", identity), labelled("narthex/1/manifest", manifest), *named]
    return hashlib.sha512(encode("narthex/1/report-data", *fields)).digest()


def tree_head(nonce, path):
    """The head of the tree in which `nonce` is the leaf at `index` of `size` (RFC 9162 section 2.1.3.2), or None."""
    index, size, siblings = path
    at, last, head = index, size - 1, sha256(b"\0" + nonce)
    if index >= size:
        return None
    for sibling in siblings:
        if last == 0:
            return None
        if at & 1 or at == last:
            head = sha256(b"\1" + sibling + head)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            head = sha256(b"\1" + head + sibling)
        at, last = at >> 1, last >> 1
    return head if last == 0 else None
