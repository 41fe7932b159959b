"""The transports: every request goes sealed to a node that the user's own policy admits, or nowhere."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import httpx2

from . import _narthex
from ._client import HTTP_ERRORS, Came, Client, Exchange, Failure, Head, Policy, Read, mistake, tls
from ._errors import RequestMistake
from ._receipts import Receipt


class _Shared:
    """Settings and results of both transports.

    :param gateway: ``https://HOST[:PORT]``.
    :param api_key: the gateway's, not OpenAI's; ``None`` where it asks for none.
    :param policy: the signed policy (``narthex policy sign``): a path, or the envelope's bytes.
    :param policy_root: the root document that says whose documents count, instead of keys: a path, or its bytes.
    :param policy_keys: the public keys that may sign policies: paths of PEM files, or their bytes.
    :param threshold: how many of them must have signed; all by default.
    :param state_dir: where the highest policy versions seen are remembered; ``None``: for as long as this value lives.
    :param ca: PEM file of the gateway's private CA; by default the system's.
    :param residency: country that answers must come from (ISO 3166-1 alpha-2).
    :param cache_secret: 32 bytes; who names the same may share cached state, nobody by default.
    :param on_notice: called with ``"admitted"`` and a dictionary, or with ``"passed_over"`` and words.
    """

    def __init__(
        self,
        *,
        gateway: str,
        policy: str | os.PathLike[str] | bytes,
        policy_root: str | os.PathLike[str] | bytes | None = None,
        policy_keys: Sequence[str | os.PathLike[str] | bytes] = (),
        state_dir: str | os.PathLike[str] | None,
        api_key: str | None = None,
        threshold: int | None = None,
        ca: str | os.PathLike[str] | None = None,
        residency: str | None = None,
        cache_secret: bytes | None = None,
        on_notice: Callable[[str, Any], None] | None = None,
    ) -> None:
        self._client = Client(
            gateway=gateway,
            api_key=api_key,
            policy=policy,
            policy_root=policy_root,
            policy_keys=policy_keys,
            threshold=threshold,
            state_dir=state_dir,
            residency=residency,
            cache_secret=cache_secret,
            on_notice=on_notice,
        )
        self._open_http(ca)

    def _open_http(self, ca: str | os.PathLike[str] | None) -> None:
        raise NotImplementedError

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._client.policy

    @property
    def receipts(self) -> deque[Receipt]:
        """The verified receipts of complete exchanges, newest last; the last 1024 are kept."""
        return self._client.receipts


class Transport(_Shared, httpx2.BaseTransport):
    """For ``httpx2.Client(transport=..)``."""

    def _open_http(self, ca: str | os.PathLike[str] | None) -> None:
        self._http = httpx2.HTTPTransport(verify=tls(ca), http2=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response, exchange = self._converse(request)
        except RequestMistake as error:
            return mistake(error, request)
        opened = _Opened(self._client, exchange, response)
        try:
            status, headers, is_stream = opened.head()
            body = opened if is_stream else opened.whole()
        except BaseException:
            opened.close()
            raise
        return httpx2.Response(status, headers=headers, stream=body, extensions={"narthex": opened.exchange})

    def _converse(self, request: httpx2.Request) -> tuple[httpx2.Response, _narthex.Exchange]:
        conversation = self._client.converse(request, request.read())
        response: httpx2.Response | None = None
        came: Came = None
        while True:
            try:
                step = conversation.send(came)
            except StopIteration as done:
                assert response is not None
                return response, done.value
            except BaseException:
                _close(response)
                raise
            try:
                if isinstance(step, Read):
                    assert response is not None
                    came = _read(response, step.max_bytes)
                else:
                    _close(response)
                    response = self._http.handle_request(step.request)
                    came = Head(response.status_code, response.headers.get("content-type"))
            except HTTP_ERRORS as error:
                came = Failure.of(error)

    def close(self) -> None:
        self._http.close()


class AsyncTransport(_Shared, httpx2.AsyncBaseTransport):
    """For ``httpx2.AsyncClient(transport=..)``."""

    def _open_http(self, ca: str | os.PathLike[str] | None) -> None:
        self._http = httpx2.AsyncHTTPTransport(verify=tls(ca), http2=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response, exchange = await self._converse(request)
        except RequestMistake as error:
            return mistake(error, request)
        opened = _AsyncOpened(self._client, exchange, response)
        try:
            status, headers, is_stream = await opened.head()
            body = opened if is_stream else await opened.whole()
        except BaseException:
            await opened.aclose()
            raise
        return httpx2.Response(status, headers=headers, stream=body, extensions={"narthex": opened.exchange})

    async def _converse(self, request: httpx2.Request) -> tuple[httpx2.Response, _narthex.Exchange]:
        conversation = self._client.converse(request, await request.aread())
        response: httpx2.Response | None = None
        came: Came = None
        while True:
            try:
                step = conversation.send(came)
            except StopIteration as done:
                assert response is not None
                return response, done.value
            except BaseException:
                await _aclose(response)
                raise
            try:
                if isinstance(step, Read):
                    assert response is not None
                    came = await _aread(response, step.max_bytes)
                else:
                    await _aclose(response)
                    response = await self._http.handle_async_request(step.request)
                    came = Head(response.status_code, response.headers.get("content-type"))
            except HTTP_ERRORS as error:
                came = Failure.of(error)

    async def aclose(self) -> None:
        await self._http.aclose()


class _Answer:
    """A sealed answer as it is opened; iterating it raises unless the authenticated end is reached."""

    def __init__(self, client: Client, sealed: _narthex.Exchange, response: httpx2.Response) -> None:
        self.exchange = Exchange(sealed.id, sealed.node)
        self._client = client
        self._sealed = sealed
        self._response = response
        self._head: tuple[int, list[tuple[str, str]], bool] | None = None
        self._parts: deque[bytes] = deque()

    def _take(self, events: list[tuple[Any, ...]]) -> None:
        for kind, *values in events:
            if kind == "head":
                status, headers, is_stream = values
                self._head = status, headers, is_stream
            elif kind == "body":
                self._parts.append(values[0])
            else:
                self._client.keep(self.exchange, values[0])

    def _interrupted(self, error: Exception) -> Exception:
        return self._sealed.interrupted(Failure.of(error).why)


class _Opened(_Answer, httpx2.SyncByteStream):
    def head(self) -> tuple[int, list[tuple[str, str]], bool]:
        self._outer = iter(self._response.stream)  # type: ignore[arg-type]
        while self._head is None:
            self._advance()
        return self._head

    def whole(self) -> httpx2.ByteStream:
        body = b"".join(self)
        self.close()
        return httpx2.ByteStream(body)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            while self._parts:
                yield self._parts.popleft()
            if self.exchange.receipt is not None:
                return
            self._advance()

    def _advance(self) -> None:
        try:
            part = next(self._outer, None)
        except HTTP_ERRORS as error:
            raise self._interrupted(error) from error
        self._take(self._sealed.finish() if part is None else self._sealed.push(part))

    def close(self) -> None:
        self._response.close()


class _AsyncOpened(_Answer, httpx2.AsyncByteStream):
    async def head(self) -> tuple[int, list[tuple[str, str]], bool]:
        self._outer = aiter(self._response.stream)  # type: ignore[arg-type]
        while self._head is None:
            await self._advance()
        return self._head

    async def whole(self) -> httpx2.ByteStream:
        body = b"".join([part async for part in self])
        await self.aclose()
        return httpx2.ByteStream(body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._parts:
                yield self._parts.popleft()
            if self.exchange.receipt is not None:
                return
            await self._advance()

    async def _advance(self) -> None:
        try:
            part = await anext(self._outer, None)
        except HTTP_ERRORS as error:
            raise self._interrupted(error) from error
        self._take(self._sealed.finish() if part is None else self._sealed.push(part))

    async def aclose(self) -> None:
        await self._response.aclose()


def _read(response: httpx2.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for part in response.stream:  # type: ignore[union-attr]
        body += part
        if len(body) > max_bytes:
            break
    return bytes(body)


async def _aread(response: httpx2.Response, max_bytes: int) -> bytes:
    body = bytearray()
    async for part in response.stream:  # type: ignore[union-attr]
        body += part
        if len(body) > max_bytes:
            break
    return bytes(body)


def _close(response: httpx2.Response | None) -> None:
    if response is not None:
        response.close()


async def _aclose(response: httpx2.Response | None) -> None:
    if response is not None:
        await response.aclose()
