"""What goes wrong, each with a stable code. Anything that is raised means: there is no answer."""

from __future__ import annotations

import httpx2


class NarthexError(Exception):
    """A refusal: evidence, policy, keys, the sealed answer or its receipt. Retrying changes nothing.

    The openai package passes it on as it is.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        #: Stable, e.g. ``snp.signature``, ``policy.denied``, ``response.authentication``.
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class NarthexConnectionError(NarthexError, httpx2.TransportError):
    """The gateway or the node is not there, or the answer was cut or damaged on its way: the same request may succeed later.

    The openai package tries again before an answer has begun, and raises ``APIConnectionError`` with this as its cause.
    """


class RequestMistake(NarthexError):
    """A mistake of the request, for which the transport answers as OpenAI's API would: unknown route, model or body."""

    def __init__(self, message: str, *, code: str, status: int, body: str) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.body = body


def from_session(code: str, message: str, retryable: bool, status: int | None, body: str) -> NarthexError:
    """Called by the extension module."""
    if status is not None:
        return RequestMistake(message, code=code, status=status, body=body)
    kind = NarthexConnectionError if retryable else NarthexError
    return kind(message, code=code)
