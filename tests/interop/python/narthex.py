"""The gateway's routes, the evidence bundle and what it binds, signed objects, sealed headers (docs/protocol.md sections 1 to 8)."""
import base64
import json
import secrets
import ssl
import time
import urllib.error
import urllib.request

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import bhttp
import hashing
import ohttp

KEYS_TYPE = "application/vnd.narthex.keys+cbor"
RECEIPT_TYPE = "application/vnd.narthex.receipt+cbor"
REPORT_DATA_OF_SNP = slice(0x50, 0x90)


class Refused(Exception):
    """What was received does not hold."""


def require(holds, what):
    if not holds:
        raise Refused(what)


def cbor(data):
    """Reads deterministic CBOR."""
    value = cbor2.loads(data, allow_indefinite=False, allow_duplicate_keys=False)
    require(cbor2.dumps(value, canonical=True) == data, "cbor: not deterministic")
    return value


def open_signed(content_type, data, identity):
    """The payload of a COSE_Sign1 of one media type by a raw Ed25519 key."""
    protected, unprotected, payload, signature = cbor(data)
    require(protected == cbor2.dumps({1: -8, 3: content_type}, canonical=True) and unprotected == {}, "cose: header")
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    Ed25519PublicKey.from_public_bytes(identity).verify(signature, signed)
    return cbor(payload)


class Evidence:
    """What a bundle binds under `nonce`; its vendor's signatures are not this client's matter."""

    def __init__(self, data, nonce):
        bundle = {name: record for name, (_, record) in cbor(data).items()}
        freshness, self.identity, self.manifest = bundle["freshness"], bundle["identity"], bundle["manifest"]
        require(hashing.tree_head(nonce, cbor(bundle["nonce-path"])) == freshness, "bundle: nonce")
        devices = cbor(bundle["devices"]) if "devices" in bundle else []
        report_data = hashing.report_data(freshness, self.identity, self.manifest, devices)
        require(bundle["cpu"][REPORT_DATA_OF_SNP] == report_data, "bundle: report data")
        self.binding = hashing.labelled("narthex/1/binding-id", report_data)
        self.keys = bundle["keys"]


def read_keys(data, identity, manifest, now):
    """A key list's fields, if this identity signed it for this manifest and it is valid now."""
    keys = open_signed(KEYS_TYPE, data, identity)
    require(keys["identity"] == hashing.labelled("narthex/1/identity", identity), "keys: identity")
    require(keys["manifest"] == hashing.labelled("narthex/1/manifest", manifest), "keys: manifest")
    require(keys["nbf"] <= now < keys["exp"], "keys: window")
    return keys


class Request:
    """A request as it goes into the seal."""

    def __init__(self, method, path, fields, body):
        self.method, self.path, self.body = method, path, body
        self.data = bhttp.encode_request((method, "https", "narthex", path), fields.items(), body)


class Node:
    """One node of a gateway, with the evidence and the keys that it has shown."""

    def __init__(self, url, api_key, certificate):
        self._url, self._authorization = url, f"Bearer {api_key}"
        self._tls = ssl.create_default_context(cafile=certificate)
        with self.get("/narthex/v1/offers") as answer:
            self._offer = json.load(answer)["offers"][0]
        nonce = secrets.token_bytes(32)
        with self.post(self._offer["challenge"], "application/octet-stream", nonce) as answer:
            self.evidence = Evidence(answer.read(), nonce)
        self.keys = read_keys(self.evidence.keys, self.evidence.identity, self.evidence.manifest, time.time())

    def get(self, path):
        return self._open(urllib.request.Request(self._url + path))

    def post(self, path, content_type, body):
        headers = {"Content-Type": content_type}
        return self._open(urllib.request.Request(self._url + path, data=body, headers=headers))

    def _open(self, request):
        request.add_header("Authorization", self._authorization)
        try:
            return urllib.request.urlopen(request, context=self._tls, timeout=120)
        except urllib.error.HTTPError as refusal:
            return refusal

    def relay(self, content_type, envelope):
        return self.post(self._offer["relay"], content_type, envelope)

    def configs(self):
        return ohttp.parse_keys(self.keys["configs"])

    def request(self, method, path, model=None, document=None, **changed):
        """A request for this node; `changed` headers replace those that it demands."""
        fields = {
            "narthex-binding": self.evidence.binding.hex(),
            "narthex-policy-version": str(self.keys["policy-version"]),
            "narthex-policy-digest": self.keys["policy-digest"].hex(),
            "narthex-client-policy": bytes(32).hex(),
            "narthex-request-id": secrets.token_hex(16),
            "narthex-issued-at": str(int(time.time())),
            "narthex-node": self.keys["node"],
        }
        if model is not None:
            fields["narthex-model"] = model
        if document is not None:
            fields["content-type"] = "application/json"
        fields.update({f"narthex-{name}": value for name, value in changed.items()})
        return Request(method, path, fields, b"" if document is None else json.dumps(document).encode())

    def check_receipt(self, request, opening, response):
        """The receipt in an opened answer is signed, and about this request and this answer."""
        require([name for name, _ in response.trailers] == ["narthex-receipt"], "receipt: absent")
        text = response.trailers[0][1]
        signed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        receipt = open_signed(RECEIPT_TYPE, signed, self.evidence.identity)
        asked = [request.method.encode(), request.path.encode(), hashing.sha256(request.body)]
        answered = [hashing.u64(response.control), hashing.sha256(response.body)]
        require(receipt["request"] == hashing.keyed(opening, "narthex/1/request", *asked), "receipt: request")
        require(receipt["response"] == hashing.keyed(opening, "narthex/1/response", *answered), "receipt: response")
        require(receipt["binding"] == self.evidence.binding, "receipt: binding")
        require(receipt["status"] == response.control, "receipt: status")
