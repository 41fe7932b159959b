"""Verified serving receipts, and their files for an auditor."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from . import _narthex


class Receipt:
    """The signed statement of one complete exchange. The transport has verified it; :meth:`save` keeps what an auditor needs.

    ``narthex receipt verify --receipt ID.receipt --bundle ID.bundle [--opening ID.opening ..]`` verifies it again, offline.
    """

    def __init__(self, receipt: _narthex.Receipt) -> None:
        self._receipt = receipt

    @property
    def request_id(self) -> str:
        """32 hexadecimal digits, as in the header ``narthex-request-id``."""
        return self._receipt.request_id

    @property
    def node(self) -> str:
        """The node that answered."""
        return self._receipt.node

    @property
    def claims(self) -> dict[str, Any]:
        """What the receipt says; ``cose`` has the signed bytes in base64url."""
        claims: dict[str, Any] = json.loads(self._receipt.to_json())
        return claims

    @property
    def admission(self) -> dict[str, Any]:
        """The admission under which the request was sealed: node, TEE, model, policies, and each check of the evidence."""
        admission: dict[str, Any] = json.loads(self._receipt.admission_json())
        return admission

    @property
    def signed(self) -> bytes:
        """COSE_Sign1 by the attested identity."""
        return self._receipt.signed

    @property
    def bundle(self) -> bytes:
        """The evidence bundle of the node, CBOR."""
        return self._receipt.bundle

    def save(self, directory: str | os.PathLike[str]) -> Path:
        """Writes ``ID.receipt``, ``ID.opening`` (a secret: it opens the receipt's digests) and ``ID.bundle``.

        Gives the receipt's path. Only the user can read the files.
        """
        folder = Path(directory)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{self.request_id}.receipt"
        write_private(path, self.signed)
        write_private(folder / f"{self.request_id}.opening", self._receipt.opening.encode())
        write_private(folder / f"{self.request_id}.bundle", self.bundle)
        return path

    def __repr__(self) -> str:
        return f"Receipt(request_id={self.request_id!r}, node={self.node!r})"


def write_private(path: Path, content: bytes) -> None:
    """Writes a file of our own making beside its place, then moves it there: a reader sees all of it or nothing."""
    beside = path.with_name(path.name + ".part")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
