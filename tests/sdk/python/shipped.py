"""The package as pip installs it refuses simulated evidence: it knows the vendors' roots and no others."""

from __future__ import annotations

import sys
import unittest

import httpx2
import narthex
import openai
from stack import Stack

stack = Stack()


class Shipped(unittest.TestCase):
    def test_simulated_evidence_is_refused(self) -> None:
        transport = narthex.Transport(**stack.settings())
        client = openai.OpenAI(http_client=httpx2.Client(transport=transport), base_url="https://narthex/v1", api_key="unused")
        with self.assertRaises(narthex.NarthexError) as caught:
            client.chat.completions.create(model=stack.places["model"], messages=[{"role": "user", "content": "never sealed"}])
        self.assertRegex(caught.exception.code, r"^(snp|tdx)\.")
        self.assertFalse(transport.receipts)

    def test_the_module_has_no_way_to_other_roots(self) -> None:
        from narthex import _narthex

        self.assertFalse([name for name in dir(_narthex) if "trust" in name or "root" in name])
        names = {name for name in dir(_narthex) if not name.startswith("__")}
        self.assertEqual(names, {"Exchange", "Flow", "Receipt", "Session", "Settings", "open_session"})


if __name__ == "__main__":
    try:
        unittest.main(argv=[sys.argv[0], "-v"], exit=False).result.wasSuccessful() or sys.exit(1)
    finally:
        stack.end()
