"""What hostile clients send, as a table: bytes, and the answer that each engine gives.

`kind` is the row of the table in `docs/operations.md` that stands for it.
"""

from dataclasses import dataclass

CHAT = b"/v1/chat/completions"
AFTER = b"GET /v1/models HTTP/1.1\r\nhost: smuggled\r\n\r\n"
"""A whole request behind each of them: it must never be read as one."""
HEAD_SIZE = 4_096
HEAD_FIELDS = 20
BODY_SIZE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One thing a client may send, and the status of the answer."""

    kind: str
    name: str
    data: bytes
    status: int


def _post(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST " + CHAT + b" HTTP/1.1\r\nhost: x\r\n" + fields + b"\r\n\r\n" + body


def _attacks(kind: str, status: int, rows: dict[str, bytes]) -> list[Attack]:
    return [Attack(kind=kind, name=name, data=data, status=status) for name, data in rows.items()]


_CHUNKED = b"transfer-encoding: chunked"

REFUSED = [
    *_attacks(
        "length and chunks together",
        400,
        {
            "CL.TE": _post(b"content-length: 4\r\n" + _CHUNKED, b"1\r\nZ\r\nQ"),
            "TE.CL": _post(_CHUNKED + b"\r\ncontent-length: 6", b"0\r\n\r\nX"),
            "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\n" + _CHUNKED + b"\r\n\r\n0\r\n\r\n",
            "two codings": _post(_CHUNKED + b"\r\ntransfer-encoding: identity", b"0\r\n\r\n"),
            "chunked twice": _post(_CHUNKED + b"\r\n" + _CHUNKED, b"0\r\n\r\n"),
        },
    ),
    *_attacks(
        "a length that is not one number",
        400,
        {
            "two lengths": _post(b"content-length: 3\r\ncontent-length: 4", b"abcd"),
            "the same twice": _post(b"content-length: 3\r\ncontent-length: 3", b"abc"),
            "a list": _post(b"content-length: 3, 3", b"abc"),
            "a sign": _post(b"content-length: +3", b"abc"),
            "negative": _post(b"content-length: -3", b"abc"),
            "hexadecimal": _post(b"content-length: 0x3", b"abc"),
            "underscore": _post(b"content-length: 1_0", b"abcdefghij"),
            "digits of another script": _post("content-length: ٣".encode(), b"abc"),
            "fraction": _post(b"content-length: 3.0", b"abc"),
            "nothing": _post(b"content-length:", b"abc"),
            "too many digits": _post(b"content-length: " + b"9" * 30, b"abc"),
        },
    ),
    *_attacks(
        "another coding than chunked",
        501,
        {
            "gzip": _post(b"transfer-encoding: gzip", b"abc"),
            "identity": _post(b"transfer-encoding: identity", b"abc"),
            "a list": _post(b"transfer-encoding: gzip, chunked", b"0\r\n\r\n"),
            "nearly": _post(b"transfer-encoding: xchunked", b"0\r\n\r\n"),
            "quoted": _post(b'transfer-encoding: "chunked"', b"0\r\n\r\n"),
            "a parameter": _post(b"transfer-encoding: chunked;q=1", b"0\r\n\r\n"),
        },
    ),
    *_attacks(
        "a field that is none",
        400,
        {
            "folded": _post(b"x-a: b\r\n c"),
            "folded coding": _post(b"transfer-encoding:\r\n chunked", b"0\r\n\r\n"),
            "space before the colon": _post(b"content-length : 3", b"abc"),
            "space before the name": _post(b" content-length: 3", b"abc"),
            "no colon": _post(b"content-length"),
            "no name": _post(b": x"),
            "NUL in a value": _post(b"x-a: b\x00c"),
            "NUL in a name": _post(b"x\x00a: b"),
            "bare CR in a value": _post(b"x-a: b\rcontent-length: 3", b"abc"),
            "vertical tab": _post(b"transfer-encoding: \x0bchunked", b"0\r\n\r\n"),
            "DEL": _post(b"x-a: \x7f"),
            "a name in UTF-8": _post("content-länge: 3".encode(), b"abc"),
        },
    ),
    *_attacks(
        "a request line that is none",
        400,
        {
            "no version": b"GET /v1/models\r\n\r\n",
            "two spaces": b"GET  /v1/models HTTP/1.1\r\n\r\n",
            "a tab": b"GET\t/v1/models HTTP/1.1\r\n\r\n",
            "space in the target": b"GET /v1/ models HTTP/1.1\r\n\r\n",
            "NUL in the target": b"GET /v1/\x00models HTTP/1.1\r\n\r\n",
            "bare CR": b"GET /v1/models\rHTTP/1.1\r\n\r\n",
            "bytes above ASCII": b"GET /v1/\xff HTTP/1.1\r\n\r\n",
            "small letters": b"GET /v1/models http/1.1\r\n\r\n",
            "more behind it": b"GET /v1/models HTTP/1.1 x\r\n\r\n",
            "a method with a colon": b"GET: /v1/models HTTP/1.1\r\n\r\n",
            "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
            "a target that is no URL": b"GET http://[::1/v1/models HTTP/1.1\r\n\r\n",
        },
    ),
    *_attacks(
        "another version of HTTP",
        505,
        {
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "HTTP/3": b"GET /v1/models HTTP/3.0\r\n\r\n",
        },
    ),
    *_attacks(
        "chunks that are none",
        400,
        {
            "no size": _post(_CHUNKED, b"\r\nabc\r\n0\r\n\r\n"),
            "a sign": _post(_CHUNKED, b"+3\r\nabc\r\n0\r\n\r\n"),
            "negative": _post(_CHUNKED, b"-3\r\nabc\r\n0\r\n\r\n"),
            "0x": _post(_CHUNKED, b"0x3\r\nabc\r\n0\r\n\r\n"),
            "no number": _post(_CHUNKED, b"3g\r\nabc\r\n0\r\n\r\n"),
            "a size beyond 64 bits": _post(_CHUNKED, b"1" + b"0" * 16 + b"\r\nabc"),
            "data longer than its size": _post(_CHUNKED, b"1\r\nabc\r\n0\r\n\r\n"),
            "bare LF behind the size": _post(_CHUNKED, b"3\nabc\r\n0\r\n\r\n"),
            "bare LF behind the data": _post(_CHUNKED, b"3\r\nabc\n0\r\n\r\n"),
            "NUL in an extension": _post(_CHUNKED, b"3;a=\x00\r\nabc\r\n0\r\n\r\n"),
            "bare CR in an extension": _post(_CHUNKED, b"3;a=\rb\r\nabc\r\n0\r\n\r\n"),
            "a trailer that is no field": _post(_CHUNKED, b"0\r\nno field\r\n\r\n"),
        },
    ),
    *_attacks(
        "a head over its limits",
        431,
        {
            "one long field": _post(b"x-a: " + b"b" * HEAD_SIZE),
            "fields without end": b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * HEAD_SIZE,
            "too many fields": b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * (HEAD_FIELDS + 1) + b"\r\n",
            "trailers without end": _post(_CHUNKED, b"0\r\n" + b"a: b\r\n" * HEAD_SIZE),
        },
    ),
    *_attacks(
        "a target over the limit",
        414,
        {"long": b"GET /" + b"x" * HEAD_SIZE + b" HTTP/1.1\r\n\r\n"},
    ),
    *_attacks(
        "a body over the limit",
        413,
        {
            "announced": _post(b"content-length: %d" % (BODY_SIZE + 1)),
            "announced, to be asked for": _post(b"content-length: 999999\r\nexpect: 100-continue"),
            "terabytes": _post(b"content-length: 999999999999"),
            "in one chunk": _post(_CHUNKED, b"fffffff\r\n"),
            "in small chunks": _post(_CHUNKED, b"1\r\nx\r\n" * (BODY_SIZE + 1)),
        },
    ),
]
"""Refused by the adapter: one answer, and the connection closes."""


def _get(target: bytes, fields: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nhost: x\r\n" + fields + b"\r\n"


def _body(body: bytes, fields: bytes = b"") -> bytes:
    return _post(
        b"content-type: application/json\r\n" + fields + b"content-length: %d" % len(body), body
    )


ANSWERED = [
    *_attacks(
        "a path that leads elsewhere",
        404,
        {
            "up": _get(b"/v1/../../etc/passwd"),
            "up, encoded": _get(b"/%2e%2e/%2e%2e/etc/passwd"),
            "up, encoded twice": _get(b"/v1/%252e%252e/etc/passwd"),
            "backslashes": _get(rb"/v1/..\..\windows\win.ini"),
            "of a model": _get(b"/v1/models/..%2f..%2f..%2fetc%2fpasswd"),
            "of a stored completion": _get(b"/v1/chat/completions/..%2F..%2Fetc"),
            "NUL": _get(b"/v1/models/%00"),
            "no UTF-8": _get(b"/v1/models/%ff%fe"),
            "line ends": _get(b"/v1/models/x%0d%0aset-cookie:%20a=b"),
            "an empty part": _get(b"/v1//models"),
            "another host": _get(b"//evil.example/v1/chat/completions/x/y"),
            "an absolute one": _get(b"http://evil.example/etc/passwd"),
            "an asterisk": _get(b"*"),
            "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
        },
    ),
    *_attacks(
        "a body that is compressed",
        415,
        {
            "gzip": _body(b"\x1f\x8b\x08\x00" + b"\x00" * 60, b"content-encoding: gzip\r\n"),
            "an unknown coding": _body(b"{}", b"content-encoding: zstd, gzip\r\n"),
        },
    ),
    *_attacks(
        "JSON that is heavy",
        400,
        {
            "deep": _body(b"[" * 900),
            "deep and closed": _body(b"[" * 450 + b"]" * 450),
            "a long number": _body(b"1" * 900),
            "a large exponent": _body(b'{"model": "x", "messages": [], "seed": 1e999999999}'),
            "half a surrogate": _body(b'{"model": "\\ud800", "messages": []}'),
            "NUL bytes": _body(b"\x00" * 100),
            "a byte order mark of UTF-16": _body('{"model": "x"}'.encode("utf-16")),
            "not UTF-8": _body(b'{"model": "\xff\xfe"}'),
            "not a number": _body(b'{"model": NaN}'),
        },
    ),
    *_attacks(
        "a switch to another protocol",
        200,
        {
            "h2c": _get(
                b"/v1/models",
                b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n",
            ),
            "WebSocket": _get(
                b"/v1/models",
                b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
                b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            ),
        },
    ),
    *_attacks(
        "a method that is none",
        405,
        {
            "TRACE": b"TRACE /v1/models HTTP/1.1\r\nhost: x\r\n\r\n",
            "unknown": b"BREW /v1/models HTTP/1.1\r\nhost: x\r\n\r\n",
            "small letters": b"get /v1/models HTTP/1.1\r\nhost: x\r\n\r\n",
        },
    ),
]
"""Answered by the app; the connection stays."""
