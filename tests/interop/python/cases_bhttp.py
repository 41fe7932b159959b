"""Vectors of binary HTTP (RFC 9292; limits of docs/protocol.md section 6)."""
from bhttp import varint


def sized(text):
    data = text.encode() if isinstance(text, str) else text
    return varint(len(data)) + data


def control(method="GET", scheme="https", authority="example.com", path="/"):
    return b"".join(map(sized, (method, scheme, authority, path)))


def lines(*fields):
    return b"".join(sized(text) for field in fields for text in field)


def messages():
    def case(kind, title, expect, data, **told):
        return {"title": title, "kind": kind, "expect": expect, "message": data, **told}

    def request(title, expect, data, **told):
        return case("request", title, expect, data, **told)

    def response(title, expect, data, **told):
        return case("response", title, expect, data, **told)

    get = {"control": ["GET", "https", "example.com", "/"], "fields": [], "body": b"", "trailers": []}
    field, trailer = ("accept", "text/plain"), ("x-end", "yes")
    whole = {**get, "fields": [field], "body": b"body", "trailers": [trailer]}
    known = varint(0) + control() + sized(lines(field)) + sized(b"body") + sized(lines(trailer))
    open_ended = varint(2) + control() + lines(field) + b"\0" + sized(b"bo") + sized(b"dy") + b"\0" + lines(trailer) + b"\0"
    # R6.3
    yield request("known-length", "accept", known, **whole)
    yield request("indeterminate-length, two parts", "accept", open_ended, **whole)
    yield request("padded", "accept", known + bytes(40), **whole)
    yield request("known-length, cut behind the control data", "accept", varint(0) + control(), **get)
    yield request("indeterminate-length, cut behind the control data", "accept", varint(2) + control(), **get)
    yield request("cut behind the header section", "accept", varint(0) + control() + sized(lines(field)), **{**get, "fields": [field]})
    yield request("cut behind the content", "accept", varint(0) + control() + b"\0" + sized(b"body"), **{**get, "body": b"body"})
    yield request("lengths in longer forms than needed", "accept", b"\x40\x00" + control() + b"\x80\0\0\0" + b"\x40\x04body\0", **{**get, "body": b"body"})
    yield request("an empty authority", "accept", varint(0) + control(authority=""), **{**get, "control": ["GET", "https", "", "/"]})
    yield request("the same field twice", "accept", varint(0) + control() + sized(lines(field, field)), **{**get, "fields": [field, field]})
    ok = {"control": 200, "fields": [], "body": b"", "trailers": []}
    yield response("a status alone", "accept", varint(1) + varint(200), **ok)
    early = varint(1) + varint(103) + sized(lines(("link", "</a>"))) + varint(100) + b"\0" + varint(200)
    yield response("two informational responses first", "accept", early, **ok)
    yield response("indeterminate-length", "accept", varint(3) + varint(404) + b"\0" + sized(b"no") + b"\0\0", **{**ok, "control": 404, "body": b"no"})
    yield from faults(request, response)


def faults(request, response):
    def head(**changed):
        return varint(0) + control(**changed)

    def fields(*given):
        return head() + sized(lines(*given))

    yield request("framing 4", "bhttp.framing", varint(4) + control())
    yield request("a response", "bhttp.framing", varint(1) + varint(200))
    yield response("a request", "bhttp.framing", head())
    yield request("a method that is no token", "bhttp.control", head(method="GE T"))
    yield request("no method", "bhttp.control", head(method=""))
    yield request("no scheme", "bhttp.control", head(scheme=""))
    yield request("no path", "bhttp.control", head(path=""))
    yield request("a space in the path", "bhttp.control", head(path="/a b"))
    yield request("a path that is no UTF-8", "bhttp.control", head(path=b"/\xff"))
    yield request("a path of 4,097 bytes", "bhttp.too_large", head(path="/" + 4096 * "a"))
    for status in (99, 101, 600):
        yield response(f"status {status}", "bhttp.status", varint(1) + varint(status))
    nine = b"".join(varint(103) + b"\0" for _ in range(9))
    yield response("nine informational responses", "bhttp.too_large", varint(1) + nine + varint(200))
    yield request("a name in capitals", "bhttp.field", fields(("Accept", "a")))
    yield request("an empty name", "bhttp.field", fields(("", "a")))
    yield request("a pseudo-field", "bhttp.field", fields((":path", "/")))
    yield request("a line feed in a value", "bhttp.field", fields(("accept", "a\nb")))
    yield request("a space before a value", "bhttp.field", fields(("accept", " a")))
    yield request("a name without a value", "bhttp.field", head() + sized(sized("accept")))
    yield request("a value that ends beyond its section", "bhttp.field", head() + varint(8) + sized("accept") + sized("long"))
    yield request("65 fields", "bhttp.too_large", fields(*[("a", "b")] * 65))
    yield request("a section of 16,385 bytes", "bhttp.too_large", head() + varint(16385))
    yield request("a value above 16 KiB", "bhttp.too_large", varint(2) + control() + sized("a") + varint(16385))
    yield request("nothing", "bhttp.truncated", b"")
    yield request("cut in the control data", "bhttp.truncated", head()[:-1])
    yield request("cut in the header section", "bhttp.truncated", fields(("accept", "a"))[:-1])
    yield request("cut in the content", "bhttp.truncated", head() + b"\0" + varint(5) + b"body")
    yield request("content without its end", "bhttp.truncated", varint(2) + control() + b"\0" + sized(b"body"))
    yield response("cut behind an informational response", "bhttp.truncated", varint(1) + varint(103) + b"\0")
    yield request("a byte other than zero behind the end", "bhttp.padding", head() + b"\0\0\0" + b"\0\x01")
