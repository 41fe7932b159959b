"""Confidential inference from Python: verify the confidential VM yourself, seal to it, open its answers, keep its receipts.

    from openai import OpenAI
    import httpx2, narthex

    transport = narthex.Transport(
        gateway="https://gateway.example", api_key="..", policy="policy.json",
        policy_keys=["alice.pub.pem", "bob.pub.pem"], state_dir="~/.local/state/narthex",
    )
    client = OpenAI(http_client=httpx2.Client(transport=transport), base_url="https://narthex/v1", api_key="unused")
"""

from ._client import Exchange, Policy
from ._errors import NarthexConnectionError, NarthexError
from ._receipts import Receipt
from ._transport import AsyncTransport, Transport

__all__ = [
    "AsyncTransport",
    "Exchange",
    "NarthexConnectionError",
    "NarthexError",
    "Policy",
    "Receipt",
    "Transport",
]
