"""Binary HTTP (RFC 9292): writes requests in the known-length form, reads messages in both forms."""
import struct
from typing import NamedTuple


class Malformed(Exception):
    """The bytes are no message."""


class Message(NamedTuple):
    """A message; `control` is the final status, or method, scheme, authority and path."""

    control: object
    fields: list
    body: bytes
    trailers: list


def varint(value):
    """An integer of RFC 9000 section 16 in its shortest form."""
    if value < 0x40:
        return struct.pack(">B", value)
    if value < 0x4000:
        return struct.pack(">H", value | 0x4000)
    return struct.pack(">I", value | 0x8000_0000)


def _sized(data):
    return varint(len(data)) + data


def encode_request(control, fields, body):
    """A request; `fields` are pairs of text, the names in lower case."""
    lines = b"".join(_sized(text.encode()) for line in fields for text in line)
    head = b"".join(_sized(text.encode()) for text in control)
    return varint(0) + head + _sized(lines) + _sized(body) + varint(0)


def decode(data):
    """Reads a message."""
    reader = _Reader(data)
    framing = reader.integer()
    if framing > 3:
        raise Malformed("framing")
    known = framing < 2
    control = reader.status(known) if framing % 2 else [reader.string().decode() for _ in range(4)]
    fields = reader.section(known)
    body = reader.content() if known else reader.parts()
    trailers = reader.section(known)
    if reader.data.strip(b"\0"):
        raise Malformed("padding")
    return Message(control, fields, body, trailers)


class _Reader:
    """Reads from the front; what a message leaves out at its end is empty (section 3.8)."""

    def __init__(self, data):
        self.data = data

    def take(self, length):
        if length > len(self.data):
            raise Malformed("truncated")
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def integer(self):
        first = self.take(1)
        width = 1 << (first[0] >> 6)
        return int.from_bytes(first + self.take(width - 1), "big") & ((1 << (8 * width - 2)) - 1)

    def string(self):
        return self.take(self.integer())

    def status(self, known):
        """The final status; informational responses before it are dropped."""
        status = self.integer()
        while status < 200:
            self.section(known)
            status = self.integer()
        return status

    def section(self, known):
        if not self.data:
            return []
        return _Reader(self.string()).lines() if known else self.terminated()

    def lines(self):
        lines = []
        while self.data:
            lines.append(self.line(self.string()))
        return lines

    def terminated(self):
        lines = []
        while name := self.string():
            lines.append(self.line(name))
        return lines

    def line(self, name):
        return name.decode(), self.string().decode()

    def content(self):
        return self.string() if self.data else b""

    def parts(self):
        parts = []
        while self.data and (length := self.integer()):
            parts.append(self.take(length))
        return b"".join(parts)
