"""Makes the vectors of protocol/testdata and holds the committed files against them; what is signed and sealed is by `cryptography`.

usage: testdata.py            exit 0 if the files are what is made here
       testdata.py --write    writes them
"""
import json
import sys

from cases_bhttp import messages
from cases_hashing import hashes
from cases_headers import TENANT_HEAD, buckets, sealed_headers, tenants
from cases_sealed import REQUEST_HEAD, TESTDATA, requests, responses
from cases_signed import KEY_LIST_HEAD, RECEIPT_HEAD, key_lists, receipts

FILES = {
    "hashing": ({}, hashes),
    "key-list": (KEY_LIST_HEAD, key_lists),
    "bhttp": ({}, messages),
    "sealed-headers": ({}, sealed_headers),
    "tenant": (TENANT_HEAD, tenants),
    "request": (REQUEST_HEAD, requests),
    "response": ({}, responses),
    "receipt": (RECEIPT_HEAD, receipts),
    "padding": ({}, buckets),
}


def plain(value):
    """Bytes as lower-case hexadecimal, everywhere."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def text(head, cases):
    """One case to a line, so that a change shows as one."""
    lines = [f" {json.dumps(name)}: {json.dumps(plain(value))}," for name, value in head.items()]
    rows = ",\n".join("  " + json.dumps(plain(case)) for case in cases())
    return "\n".join(["{", *lines, ' "cases": [', rows, " ]", "}", ""])


def main():
    wrong = []
    for name, (head, cases) in FILES.items():
        path, made = TESTDATA / f"{name}.json", text(head, cases)
        if "--write" in sys.argv:
            path.write_text(made)
        elif path.read_text() != made:
            wrong.append(path.name)
    print(f"differ: {', '.join(wrong)}" if wrong else f"{len(FILES)} files are as they are made")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
