"""The official openai package on narthex's transports, against the whole stack, whose evidence is simulated.

The extension module is the one of invented vendors (tests/sdk-invented), in the place of the one that ships; all else is what ships.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
import unittest

import _narthex_invented
from stack import Stack

sys.modules["narthex._narthex"] = _narthex_invented

import httpx2  # noqa: E402
import narthex  # noqa: E402
import openai  # noqa: E402

logging.getLogger("narthex").setLevel(logging.ERROR)
stack = Stack()
_narthex_invented.trust(str(stack.directory))
MODEL = stack.places["model"]
SNP, TDX = stack.places["nodes"]
QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]
ASK = {"model": MODEL, "messages": QUESTION, "max_tokens": 24, "temperature": 0}


# What a cut gives: at the border of a chunk, and within one.
CUT = ("channel.truncated", "channel.interrupted", "response.authentication")
clients: list[openai.OpenAI] = []


def openai_client(transport: narthex.Transport) -> openai.OpenAI:
    http = httpx2.Client(transport=transport)
    clients.append(openai.OpenAI(http_client=http, base_url="https://narthex/v1", api_key="unused", max_retries=0))
    return clients[-1]


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.notices: list = []
        cls.transport = narthex.Transport(**stack.settings(), on_notice=lambda kind, told: cls.notices.append((kind, told)))
        cls.client = openai_client(cls.transport)

    def test_models(self) -> None:
        self.assertEqual([model.id for model in self.client.models.list()], [MODEL])
        self.assertEqual(self.client.models.retrieve(MODEL).id, MODEL)

    def test_a_whole_answer_with_its_receipt(self) -> None:
        raw = self.client.chat.completions.with_raw_response.create(**ASK)
        answer = raw.parse()
        self.assertIn("Paris", answer.choices[0].message.content)
        exchange = raw.http_response.extensions["narthex"]
        self.assertEqual(exchange.request_id, raw.headers["narthex-request-id"])
        self.assertEqual(exchange.node, raw.headers["narthex-node"])
        claims = exchange.receipt.claims
        self.assertEqual(claims["usage"]["completion_tokens"], answer.usage.completion_tokens)
        self.assertEqual(claims["policy"]["client_digest"], self.transport.policy.digest)
        self.assertIs(self.transport.receipts[-1], exchange.receipt)

    def test_a_stream_equals_the_whole(self) -> None:
        whole = self.client.chat.completions.create(**ASK)
        before = len(self.transport.receipts)
        stream = self.client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
        chunks = []
        for chunk in stream:
            self.assertEqual(len(self.transport.receipts), before, "no receipt before the authenticated end")
            chunks.append(chunk)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertEqual(text, whole.choices[0].message.content)
        # Who speaks, what was said, why it ended, what it used: all that is said within one beat is one event, so there may be no more.
        self.assertGreaterEqual(len(chunks), 4)
        self.assertEqual(chunks[-1].usage, whole.usage)
        self.assertEqual(len(self.transport.receipts), before + 1)
        self.assertEqual(stream.response.extensions["narthex"].receipt, self.transport.receipts[-1])

    def test_an_early_close_leaves_the_transport_well(self) -> None:
        stream = self.client.chat.completions.create(**{**ASK, "max_tokens": 200}, stream=True)
        next(iter(stream))
        stream.close()
        self.assertTrue(self.client.chat.completions.create(**ASK).choices)

    def test_several_at_once(self) -> None:
        answers: list[str] = []
        ask = lambda: answers.append(self.client.chat.completions.create(**ASK).choices[0].message.content)  # noqa: E731
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 4)
        self.assertEqual(len(set(answers)), 1)

    def test_asynchronously(self) -> None:
        async def ask() -> tuple[str, str, int]:
            transport = narthex.AsyncTransport(**stack.settings())
            http = httpx2.AsyncClient(transport=transport)
            client = openai.AsyncOpenAI(http_client=http, base_url="https://narthex/v1", api_key="unused", max_retries=0)
            whole = await client.chat.completions.create(**ASK)
            stream = await client.chat.completions.create(**ASK, stream=True)
            streamed = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
            await client.close()
            return whole.choices[0].message.content, "".join(streamed), len(transport.receipts)

        whole, streamed, receipts = asyncio.run(ask())
        self.assertIn("Paris", whole)
        self.assertEqual(streamed, whole)
        self.assertEqual(receipts, 2)

    def test_mistakes_are_told_as_openai_tells_them(self) -> None:
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(**{**ASK, "model": "gpt-nothing"})
        self.assertEqual(caught.exception.code, "model_not_found")
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.images.generate(model=MODEL, prompt="a door")
        self.assertEqual(caught.exception.code, "unknown_url")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.chat.completions.create(**ASK, n=9)
        self.assertEqual(caught.exception.code, "invalid_value")
        self.assertTrue(self.transport.receipts[-1].claims["status"] == 400, "an error has a receipt too")

    def test_the_receipt_verifies_offline(self) -> None:
        body = json.dumps(ASK).encode()
        http = httpx2.Client(transport=self.transport)
        response = http.post("https://narthex/v1/chat/completions", content=body, headers={"content-type": "application/json"})
        receipt = response.extensions["narthex"].receipt
        folder = stack.scratch / "receipts"
        path = receipt.save(folder)
        (folder / "request").write_bytes(body)
        (folder / "response").write_bytes(response.content)
        files = {"receipt": path, "opening": path.with_suffix(".opening"), "request": folder / "request", "response": folder / "response"}
        files["bundle"] = next(folder.glob("*.bundle"))
        self.assertEqual(os.stat(files["opening"]).st_mode & 0o777, 0o600)
        arguments = [part for name, file in files.items() for part in (f"--{name}", str(file))]
        verified = stack.client("receipt", "verify", *arguments)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        files["response"].write_bytes(response.content.replace(b"Paris", b"London"))
        refused = stack.client("receipt", "verify", *arguments)
        self.assertNotEqual(refused.returncode, 0, refused.stdout)

    def test_what_was_checked_is_told(self) -> None:
        self.client.models.list()
        kinds = {kind for kind, _ in self.notices}
        self.assertEqual(kinds, {"admitted"})
        checks = {check["id"] for check in self.notices[0][1]["checks"]}
        self.assertLessEqual({"snp.signature", "binding.report_data", "freshness.nonce"}, checks)
        self.assertEqual(self.notices[0][1]["anchors"], "custom")


class Refusals(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(stack.order, "fault", "none")

    def code(self, error: openai.APIConnectionError) -> str:
        self.assertIsInstance(error.__cause__, narthex.NarthexConnectionError)
        return error.__cause__.code

    def test_a_cut_answer_is_never_whole(self) -> None:
        client = openai_client(narthex.Transport(**stack.settings()))
        for fault in ("drop-half", "drop-last 1", "drop-last 40"):
            stack.order("fault", fault)
            with self.subTest(fault), self.assertRaises(openai.APIConnectionError) as caught:
                client.chat.completions.create(**ASK)
            self.assertIn(self.code(caught.exception), CUT)
            seen = []
            with self.subTest(fault, stream=True), self.assertRaises(openai.APIConnectionError) as caught:
                for chunk in client.chat.completions.create(**ASK, stream=True):
                    seen.append(chunk)
            self.assertIn(self.code(caught.exception), CUT)
            self.assertTrue(seen, "what came before was authentic and was shown")

    def test_a_flipped_bit_is_refused(self) -> None:
        client = openai_client(narthex.Transport(**stack.settings()))
        for offset in (0, 40, 60):
            stack.order("fault", "flip", offset)
            with self.subTest(offset), self.assertRaises(openai.APIConnectionError):
                list(client.chat.completions.create(**ASK, stream=True))

    def test_the_users_policy_decides(self) -> None:
        denied = openai_client(narthex.Transport(**stack.settings("other", state=None)))
        with self.assertRaises(narthex.NarthexError) as caught:
            denied.models.list()
        self.assertEqual(caught.exception.code, "policy.denied")
        self.assertIn("policy.model", str(caught.exception))
        transport = narthex.Transport(**stack.settings("tdx", state=None))
        self.assertIn("Paris", openai_client(transport).chat.completions.create(**ASK).choices[0].message.content)
        self.assertEqual(transport.receipts[-1].node, TDX)

    def test_an_older_policy_is_refused_after_a_restart(self) -> None:
        narthex.Transport(**stack.settings("tdx", state="rollback"))
        with self.assertRaises(narthex.NarthexError) as caught:
            narthex.Transport(**stack.settings("policy", state="rollback"))
        self.assertEqual(caught.exception.code, "policy.rollback")
        (memory,) = (stack.scratch / "rollback").glob("session-*.json")
        memory.write_text("{}")
        with self.assertRaises(narthex.NarthexError) as caught:
            narthex.Transport(**stack.settings("tdx", state="rollback"))
        self.assertEqual(caught.exception.code, "memory.corrupt")

    def test_what_nodes_obey_is_remembered(self) -> None:
        openai_client(narthex.Transport(**stack.settings(state="nodes"))).models.list()
        (path,) = (stack.scratch / "nodes").glob("session-*.json")
        memory = json.loads(path.read_text())
        (node,) = memory["nodes"].values()
        node["version"] += 1
        path.write_text(json.dumps(memory))
        with self.assertRaises(narthex.NarthexError) as caught:
            openai_client(narthex.Transport(**stack.settings(state="nodes"))).models.list()
        self.assertEqual(caught.exception.code, "policy.rollback")

    def test_a_policy_needs_its_signatures(self) -> None:
        settings = stack.settings(state=None)
        for keys, threshold in ((settings["policy_keys"][:1] * 2, None), ([], None), (settings["policy_keys"], 3)):
            with self.subTest(keys), self.assertRaises(narthex.NarthexError):
                narthex.Transport(**{**settings, "policy_keys": keys}, threshold=threshold)
        envelope = json.loads(settings["policy"].read_text())
        envelope["signatures"].pop()
        with self.assertRaises(narthex.NarthexError):
            narthex.Transport(**{**settings, "policy": json.dumps(envelope).encode()})
        narthex.Transport(**{**settings, "policy": json.dumps(envelope).encode()}, threshold=1)

    def test_the_gateway_must_show_its_certificate_and_take_the_key(self) -> None:
        stranger = openai_client(narthex.Transport(**{**stack.settings(state=None), "ca": None}))
        with self.assertRaises(openai.APIConnectionError) as caught:
            stranger.models.list()
        self.assertEqual(self.code(caught.exception), "gateway.unreachable")
        keyless = openai_client(narthex.Transport(**{**stack.settings(state=None), "api_key": "wrong"}))
        with self.assertRaises(narthex.NarthexError) as caught:
            keyless.models.list()
        self.assertEqual(caught.exception.code, "gateway.unauthorized")

    def test_the_gateways_address_is_an_origin(self) -> None:
        for gateway in ("http://gateway.example", "http://127.0.0.1.evil.example", "https://a/b", "https://u:p@a", "ftp://a", "a"):
            with self.subTest(gateway), self.assertRaises(narthex.NarthexError) as caught:
                narthex.Transport(**{**stack.settings(state=None), "gateway": gateway})
            self.assertIn(caught.exception.code, ("gateway.url", "gateway.plaintext"))
            self.assertNotIn(":p@", str(caught.exception))


class ZNodesEnd(unittest.TestCase):
    """Last, since nothing answers afterwards."""

    def test_without_a_node_there_is_an_error(self) -> None:
        transport = narthex.Transport(**stack.settings(state=None))
        client = openai_client(transport)
        client.models.list()
        stack.order("stop")
        with self.assertRaises((openai.APIConnectionError, narthex.NarthexError)) as caught:
            client.chat.completions.create(**ASK)
        error = caught.exception.__cause__ or caught.exception
        self.assertTrue(error.code.startswith("gateway."), error.code)


if __name__ == "__main__":
    try:
        unittest.main(argv=[sys.argv[0], "-v"], exit=False).result.wasSuccessful() or sys.exit(1)
    finally:
        for client in clients:
            client.close()
        stack.end()
