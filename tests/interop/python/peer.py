"""A client made of PyPI `cryptography` and `cbor2` against a Narthex gateway: one line per check, exit 0 if all of them held.

usage: peer.py GATEWAY MODEL chunked|one-shot CERTIFICATE    with NARTHEX_API_KEY
"""
import json
import os
import sys
import time
import traceback

import hpke
from bhttp import decode, varint
from narthex import Node, read_keys
from ohttp import CHUNKED, FORMS, ONE_SHOT, AnswerOpener, frames, open_answer, seal

URL, MODEL, FORM, CERTIFICATE = sys.argv[1:5]
QUESTION = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}],
    "max_tokens": 24,
    "temperature": 0,
}
FAILED = []


def check(name, run):
    try:
        run()
        print(f"ok   {name}", flush=True)
    except Exception:
        FAILED.append(name)
        print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)


def refused(run):
    """`run` must raise."""
    try:
        run()
    except Exception:
        return
    raise AssertionError("was accepted")


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


def flipped(data, at, bit=1):
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


class Channel:
    """One form under one configuration."""

    def __init__(self, node, form, config):
        self.node, self.form, self.config = node, form, config

    def check(self, name, run):
        check(f"{self.config.kem.name} {self.form.name}: {name}", run)

    def chat(self, extra=None, **changed):
        return self.node.request("POST", "/v1/chat/completions", MODEL, {**QUESTION, **(extra or {})}, **changed)

    def seal(self, request):
        return seal(self.form, self.config, request.data)

    def send(self, request):
        """What opens the answer, and the answer's bytes as they came."""
        envelope, answer = self.seal(request)
        with self.node.relay(self.form.request, envelope) as reply:
            equal((reply.status, reply.headers["content-type"]), (200, self.form.response))
            return answer, list(iter(lambda: reply.read1(65536), b""))

    def ask(self, request):
        """A whole exchange: the inner response, with its receipt checked, and the number of its chunks."""
        answer, pieces = self.send(request)
        opener = AnswerOpener(answer)
        texts = [text for piece in pieces for text in opener.push(piece)] + [opener.finish()]
        response = decode(b"".join(texts))
        # R7.2, R7.5
        self.node.check_receipt(request, answer.opening, response)
        return response, len(texts)

    def refused(self, envelope, code, content_type=None):
        with self.node.relay(content_type or self.form.request, envelope) as reply:
            equal(json.load(reply)["code"], code)
            equal(reply.status // 100, 4)


def streamed(body):
    """The text of a chat that was streamed as server-sent events."""
    events = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
    equal(events.pop(), "[DONE]")
    choices = [choice for event in events for choice in json.loads(event)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def exchanges(channel):
    whole = []

    def models():
        response, _ = channel.ask(channel.node.request("GET", "/v1/models"))
        equal(response.control, 200)
        equal([entry["id"] for entry in json.loads(response.body)["data"]], [MODEL])

    def chat():
        response, _ = channel.ask(channel.chat())
        whole.append(json.loads(response.body)["choices"][0]["message"]["content"])
        equal("Paris" in whole[0], True)

    def stream():
        response, chunks = channel.ask(channel.chat({"stream": True}))
        equal(streamed(response.body), whole[0])
        # The head leaves before anything is made; all the rest may come within one beat.
        equal(channel.form is ONE_SHOT or chunks >= 2, True)

    def another_node():
        response, _ = channel.ask(channel.chat(node="another"))
        equal(response.control, 421)
        equal(json.loads(response.body)["error"]["code"], "sealed_header_mismatch")

    # R1.1, R6.3, R6.10: what is hashed and sent in the known-length form here is right there; every answer has its receipt.
    channel.check("GET /v1/models", models)
    channel.check("chat, whole, with its receipt", chat)
    channel.check("chat, streamed, the same text", stream)
    # R6.5, R6.6
    channel.check("another node in the seal is an inner 421", another_node)


def answers(channel):
    """Every way in which a genuine answer is spoilt is refused."""
    answer, pieces = channel.send(channel.chat({"stream": True, "max_tokens": 6}))
    data = b"".join(pieces)
    open_answer(answer, data)

    def spoilt(spoils):
        for spoil in spoils:
            refused(lambda: open_answer(answer, spoil))

    def tampered():
        places = [*range(0, len(data), max(1, len(data) // 97)), len(data) - 1]
        spoilt(flipped(data, at) for at in places)

    # R6.11
    channel.check("a truncated answer is refused", lambda: spoilt(data[:cut] for cut in cuts(channel.form, answer, data)))
    channel.check("a tampered chunk is refused", tampered)
    channel.check("bytes after the end are refused", lambda: spoilt([data + b"\0"]))
    if channel.form is CHUNKED:
        start, first, second, *rest = pieces_of(answer, data)
        orders = ([second, first, *rest], [first, first, second, *rest], [first, *rest])
        spoils = [b"".join([start, *order]) for order in orders]
        channel.check("chunks out of order, doubled or left out are refused", lambda: spoilt(spoils))


def pieces_of(answer, data):
    """The response nonce, then each chunk with its length."""
    start = len(answer.secret)
    return [data[:start], *(varint(0 if final else len(sealed)) + sealed for sealed, final in frames(data[start:]))]


def cuts(form, answer, data):
    """Where an answer is cut: at and behind the end of every chunk, and everywhere in its last bytes."""
    places, end = {0, 1, *range(len(data) - 40, len(data))}, 0
    for piece in pieces_of(answer, data) if form is CHUNKED else []:
        end += len(piece)
        places |= {end, end + 1}
    return sorted(place for place in places if 0 <= place < len(data))


def envelopes(channel):
    def fresh():
        return channel.seal(channel.chat())[0]

    def replayed():
        envelope = fresh()
        with channel.node.relay(channel.form.request, envelope) as reply:
            equal(reply.status, 200)
            reply.read()
        channel.refused(envelope, "runtime.envelope")

    def tampered():
        envelope = fresh()
        channel.refused(flipped(envelope, len(envelope) - 1), "runtime.envelope")

    # R6.8, R9.2
    channel.check("a replayed envelope is refused", replayed)
    channel.check("a tampered envelope is refused", tampered)
    channel.check("a truncated envelope is refused", lambda: channel.refused(fresh()[:-1], "runtime.envelope"))
    channel.check("an unknown key id is RFC 9458's key problem", lambda: channel.refused(flipped(fresh(), 0, 0x80), "runtime.key"))
    channel.check("another media type is refused", lambda: channel.refused(fresh(), "gateway.media_type", "application/json"))


def key_list(node):
    evidence = node.evidence

    def only_as_signed():
        now = time.time()
        refused(lambda: read_keys(evidence.keys, flipped(evidence.identity, 0), evidence.manifest, now))
        refused(lambda: read_keys(evidence.keys, evidence.identity, evidence.manifest + b"\0", now))
        refused(lambda: read_keys(evidence.keys, evidence.identity, evidence.manifest, node.keys["exp"]))
        for at in range(0, len(evidence.keys), 7):
            refused(lambda: read_keys(flipped(evidence.keys, at), evidence.identity, evidence.manifest, now))

    # R5.3
    check("the key list counts only as signed by the attested identity", only_as_signed)
    preference = [config.kem.name for config in node.configs()]
    check("the order of preference is X-Wing, X25519", lambda: equal(preference, ["X-Wing", "X25519"]))


def main():
    node = Node(URL, os.environ["NARTHEX_API_KEY"], CERTIFICATE)
    key_list(node)
    for config in node.configs():
        own = f"{config.kem.name}: the key schedule here is that of `cryptography`"
        check(own, lambda: equal(hpke.check(config.kem, config.aead), True))
        channel = Channel(node, FORMS[FORM], config)
        exchanges(channel)
        answers(channel)
        envelopes(channel)
    print(f"{len(FAILED)} checks failed" if FAILED else "all checks held")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
