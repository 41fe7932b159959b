"""The highest policy versions seen, in a file of the state directory: an older policy is refused from then on."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from . import _narthex
from ._receipts import write_private


class Memory:
    """One file for each policy root; one process writes at a time. Without a directory, nothing outlives the process."""

    def __init__(self, directory: str | os.PathLike[str] | None, root: str) -> None:
        folder = None if directory is None else Path(directory).expanduser()
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = None if folder is None else folder / f"session-{root}.json"

    def open(self, settings: _narthex.Settings) -> _narthex.Session:
        """A session that knows what was seen; what it sees itself is on disk before this returns."""
        with self._locked():
            session = _narthex.open_session(settings, self._read())
            self._write(session.take_memory())
        return session

    def keep(self, session: _narthex.Session) -> None:
        """Puts on disk what the session has learned, together with what other processes have."""
        if session.take_memory() is None:
            return
        with self._locked():
            before = self._read()
            if before is not None:
                session.recall(before)
            self._write(session.memory())

    def _read(self) -> bytes | None:
        if self._file is None:
            return None
        try:
            return self._file.read_bytes()
        except FileNotFoundError:
            return None

    def _write(self, text: str | None) -> None:
        if self._file is not None and text is not None:
            write_private(self._file, text.encode())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        lock = os.open(self._file.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
