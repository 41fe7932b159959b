"""What the two transports share: the gateway, the session, and the conversation before an answer, without any I/O."""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import ssl
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from . import _narthex
from ._errors import NarthexError, RequestMistake
from ._memory import Memory
from ._receipts import Receipt

logger = logging.getLogger("narthex")

#: Receipts kept in memory.
MAX_RECEIPTS = 1024
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Policy:
    """The policy in force."""

    name: str
    version: int
    #: SHA-256 of its document, hexadecimal.
    digest: str
    #: Seconds since 1970.
    expires: int


@dataclass
class Exchange:
    """One exchange, as ``response.extensions["narthex"]``."""

    request_id: str
    node: str
    #: ``None`` until the authenticated end of the answer.
    receipt: Receipt | None = None


@dataclass(frozen=True)
class Send:
    """Asks for an HTTP request; the answer is a :class:`Head` or a :class:`Failure`."""

    request: httpx2.Request


@dataclass(frozen=True)
class Read:
    """Asks for the body of the answer, at most one byte more than this; the answer is ``bytes`` or a :class:`Failure`."""

    max_bytes: int


@dataclass(frozen=True)
class Head:
    status: int
    content_type: str | None


@dataclass(frozen=True)
class Failure:
    """``connect``, ``broken`` or ``timed_out``."""

    kind: str
    why: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
            return cls("connect", str(error))
        if isinstance(error, httpx2.TimeoutException):
            return cls("timed_out", str(error))
        return cls("broken", str(error) or type(error).__name__)


#: A policy: its envelope (a file or bytes); or all that a team publishes: a folder, or the files' contents by their names.
Published = str | os.PathLike[str] | bytes | Mapping[str, bytes]
#: What a team publishes; only the policy must be there.
PUBLISHED = ("roots.jsonl", "policy.json", "inventory.json", "orders.jsonl", "timestamp.json")
#: What came of a :class:`Send` or a :class:`Read`; ``None`` begins the conversation.
Came = Head | Failure | bytes | None
Conversation = Generator[Send | Read, Came, _narthex.Exchange]
#: What HTTP calls may raise; an ``SSLError`` is one that the HTTP library leaves unmapped.
HTTP_ERRORS = (httpx2.TransportError, ssl.SSLError)


class Client:
    """One gateway under one policy."""

    def __init__(
        self,
        *,
        gateway: str,
        api_key: str | None,
        policy: Published,
        policy_root: str | os.PathLike[str] | bytes | None,
        policy_keys: Sequence[str | os.PathLike[str] | bytes],
        threshold: int | None,
        state_dir: str | os.PathLike[str] | None,
        residency: str | None,
        cache_secret: bytes | None,
        on_notice: Callable[[str, Any], None] | None,
    ) -> None:
        self._origin = origin(gateway)
        self._authorization = authorization(api_key)
        self._clock = Clock()
        root = None if policy_root is None else content(policy_root)
        signers = (root, [content(key) for key in policy_keys], threshold)
        settings = _narthex.Settings(published(policy), signers, residency, cache_secret, self._clock.now())
        self._memory = Memory(state_dir, settings.root_name())
        self._session = self._memory.open(settings)
        self._on_notice = on_notice
        #: The last receipts, newest last.
        self.receipts: deque[Receipt] = deque(maxlen=MAX_RECEIPTS)

    @property
    def policy(self) -> Policy:
        return Policy(*self._session.policy())

    def converse(self, request: httpx2.Request, body: bytes) -> Conversation:
        """All calls until a node begins to answer: they are yielded, and what came of them is sent in."""
        path = request.url.raw_path.decode("ascii")
        flow = self._session.start(request.method, path, request.headers.get("content-type"), body)
        call = flow.begin(self._clock.now())
        while True:
            self._tell(flow)
            came = yield Send(self._http(call))
            if isinstance(came, Head):
                max_bytes = flow.head(came.status, came.content_type)
                if max_bytes is None:
                    return flow.exchange()
                came = yield Read(max_bytes)
            try:
                if isinstance(came, bytes):
                    call = flow.body(came, self._clock.now())
                elif isinstance(came, Failure):
                    call = flow.failed(came.kind, came.why, self._clock.now())
            except NarthexError:
                self._tell(flow)
                raise

    def keep(self, exchange: Exchange, receipt: _narthex.Receipt) -> None:
        exchange.receipt = Receipt(receipt)
        self.receipts.append(exchange.receipt)

    def _http(self, call: _narthex.Call) -> httpx2.Request:
        method, path, accept, content_type, body, timeout_s = call
        headers = {"accept": accept, "accept-encoding": "identity", **self._authorization}
        if content_type is not None:
            headers["content-type"] = content_type
        timeout = httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S).as_dict()
        return httpx2.Request(
            method,
            self._origin + path,
            headers=headers,
            content=body if content_type is not None else None,
            extensions={"timeout": timeout},
        )

    def _tell(self, flow: _narthex.Flow) -> None:
        """What was learned goes to disk before the next call goes out; what happened is logged."""
        self._memory.keep(self._session)
        for kind, text in flow.take_notices():
            told: Any = text
            if kind == "admitted":
                told = json.loads(text)
                logger.info("node %s is admitted until %s", told["node"], told["not_after"])
            else:
                logger.warning("%s", text)
            if self._on_notice is not None:
                self._on_notice(kind, told)


class Clock:
    """Wall-clock seconds that never run slower than the time that passes: an admission must not outlive a clock set back."""

    def __init__(self) -> None:
        self._wall = time.time()
        self._started = time.monotonic()

    def now(self) -> int:
        return int(max(time.time(), self._wall + time.monotonic() - self._started))


def mistake(error: RequestMistake, request: httpx2.Request) -> httpx2.Response:
    """The answer that OpenAI's API would give."""
    headers = {"content-type": "application/json", "x-should-retry": "false"}
    return httpx2.Response(error.status, headers=headers, content=error.body.encode(), request=request)


def origin(gateway: str) -> str:
    """``https://HOST[:PORT]``, or ``http://`` to loopback only; no path, query or user."""
    parts = urlsplit(gateway)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.path not in ("", "/"):
        raise NarthexError("the gateway is https://HOST[:PORT], without a path", code="gateway.url")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise NarthexError("the gateway is https://HOST[:PORT], without query or user", code="gateway.url")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise NarthexError("plain http:// is only for loopback", code="gateway.plaintext")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def authorization(api_key: str | None) -> dict[str, str]:
    if api_key is None:
        return {}
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise NarthexError("the API key is empty or has characters that a header cannot carry", code="gateway.api_key")
    return {"authorization": f"Bearer {key}"}


def published(policy: Published) -> dict[str, bytes]:
    """The files of a publication by their names."""
    if isinstance(policy, Mapping):
        unknown = set(policy) - set(PUBLISHED)
        if unknown:
            raise ValueError(f"no file of a publication: {', '.join(sorted(unknown))}")
        return dict(policy)
    if isinstance(policy, bytes) or not Path(policy).is_dir():
        return {"policy.json": content(policy)}
    folder = Path(policy)
    return {name: (folder / name).read_bytes() for name in PUBLISHED if (folder / name).exists()}


def content(source: str | os.PathLike[str] | bytes) -> bytes:
    """A file's, or the bytes themselves."""
    return source if isinstance(source, bytes) else Path(source).expanduser().read_bytes()


def tls(ca: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """The system's roots, or those in the file ``ca`` and no others. TLS 1.3."""
    context = ssl.create_default_context(cafile=None if ca is None else os.fspath(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
