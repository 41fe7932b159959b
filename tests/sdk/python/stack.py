"""The stack of the end-to-end tests: a process that says where everything is, and does harm when it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any


class Stack:
    """``SDK_STACK`` is the program, ``NARTHEX_MODEL`` the model, ``SDK_PROGRAMS`` the folder of narthex-demo and narthex."""

    def __init__(self) -> None:
        self.programs = Path(os.environ["SDK_PROGRAMS"])
        command = [os.environ["SDK_STACK"], os.environ["NARTHEX_MODEL"], str(self.programs)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.places: dict[str, Any] = json.loads(self._line())
        self.directory = Path(self.places["directory"])
        self._scratch = tempfile.TemporaryDirectory(prefix="narthex-sdk-")
        self.scratch = Path(self._scratch.name)

    def order(self, *words: object) -> None:
        assert self._process.stdin is not None
        print(*words, file=self._process.stdin, flush=True)
        said = self._line()
        assert said == "ok\n", said

    def settings(self, policy: str = "policy", state: str | None = "state") -> dict[str, Any]:
        """Arguments of a transport."""
        return {
            "gateway": self.places["gateway"],
            "ca": self.places["ca"],
            "api_key": self.places["api_key"],
            "policy": self.directory / f"{policy}.json",
            "policy_keys": self.places["policy_keys"],
            "state_dir": None if state is None else self.scratch / state,
        }

    def client(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`narthex` that knows the invented vendors."""
        command = [self.places["demo"], "client", str(self.directory), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._scratch.cleanup()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the stack has ended"
        return line
