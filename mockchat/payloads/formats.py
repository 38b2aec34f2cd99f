"""Make text in the formats that JSON Schema names.

Every sampler draws only through `Draw`, so that it shrinks and repeats like everything else. Dates
lie between 1970 and 2069, hosts and mail addresses in the domains reserved for examples.
"""

from base64 import b64encode
from collections.abc import Callable

from mockchat.payloads.draw import Draw

BASE64 = "byte"
"""The format of bytes as text, by its OpenAPI name; JSON Schema says `contentEncoding`."""

_TOP = ("com", "net", "org")
_WORDS = ("alpha", "beta", "gamma", "delta", "north", "south", "river", "stone", "x1", "a")
_HEX = "0123456789abcdef"
_DAYS = 28
_FIRST_YEAR = 1970
_YEARS = 100


def sample(name: str, draw: Draw) -> str:
    """Return text in the format `name`; a format unknown here gets plain text.

    The specification has unknown formats ignored, so no text is wrong for them.
    """
    sampler = _SAMPLERS.get(name)
    return sampler(draw) if sampler else draw.text(1, 40, "plain")


def _pick(draw: Draw, words: tuple[str, ...]) -> str:
    return words[draw.index(len(words))]


def _hex(draw: Draw, count: int) -> str:
    return "".join([_HEX[draw.index(16)] for _ in range(count)])


def _date(draw: Draw) -> str:
    year = _FIRST_YEAR + draw.index(_YEARS)
    return f"{year}-{1 + draw.index(12):02}-{1 + draw.index(_DAYS):02}"


def _clock(draw: Draw) -> str:
    text = f"{draw.index(24):02}:{draw.index(60):02}:{draw.index(60):02}"
    return f"{text}.{draw.index(1000):03}" if draw.chance(0.2) else text


def _time(draw: Draw) -> str:
    if draw.chance(0.3):
        sign = "-" if draw.chance(0.5) else "+"
        return f"{_clock(draw)}{sign}{draw.index(13):02}:{draw.index(2) * 30:02}"
    return f"{_clock(draw)}Z"


def _date_time(draw: Draw) -> str:
    return f"{_date(draw)}T{_time(draw)}"


def _duration(draw: Draw) -> str:
    shapes = ("P{}D", "PT{}S", "PT{}M", "P{}W", "P{}Y", "P{}Y2M3DT4H5M6S", "PT{}H30M")
    return _pick(draw, shapes).format(1 + draw.index(60))


def _hostname(draw: Draw) -> str:
    label = f"{_pick(draw, _WORDS)}." if draw.chance(0.5) else ""
    return f"{label}example.{_pick(draw, _TOP)}"


def _email(draw: Draw) -> str:
    tag = f".{draw.index(100)}" if draw.chance(0.3) else ""
    return f"{_pick(draw, _WORDS)}{tag}@{_hostname(draw)}"


def _ipv4(draw: Draw) -> str:
    return ".".join([str(draw.index(256)) for _ in range(4)])


def _ipv6(draw: Draw) -> str:
    if draw.chance(0.3):
        return f"2001:db8::{1 + draw.index(0xFFFE):x}"
    return ":".join(["2001", "db8", *(f"{draw.index(0x10000):x}" for _ in range(6))])


def _path(draw: Draw) -> str:
    return "".join([f"/{_pick(draw, _WORDS)}" for _ in range(draw.size(0, 3, 1))])


def _query(draw: Draw) -> str:
    return f"?{_pick(draw, _WORDS)}={draw.index(100)}" if draw.chance(0.3) else ""


def _uri(draw: Draw) -> str:
    return f"https://{_hostname(draw)}{_path(draw)}{_query(draw)}"


def _uri_reference(draw: Draw) -> str:
    return f"{_path(draw) or '/'}{_query(draw)}" if draw.chance(0.5) else _uri(draw)


def _uri_template(draw: Draw) -> str:
    return f"{_uri(draw)}/{{{_pick(draw, _WORDS)}}}"


def _uuid(draw: Draw) -> str:
    variant = "89ab"[draw.index(4)]
    groups = (_hex(draw, 8), _hex(draw, 4), f"4{_hex(draw, 3)}", f"{variant}{_hex(draw, 3)}")
    return "-".join([*groups, _hex(draw, 12)])


def _json_pointer(draw: Draw) -> str:
    return "".join(
        [f"/{_pick(draw, (*_WORDS, '0', '~0', '~1'))}" for _ in range(draw.size(0, 4, 2))]
    )


def _relative_json_pointer(draw: Draw) -> str:
    return f"{draw.index(10)}{'#' if draw.chance(0.3) else _json_pointer(draw)}"


def _regex(draw: Draw) -> str:
    return _pick(draw, ("^a+$", "^[0-9]{2,4}$", "^(yes|no)$", "b*", "^[A-Za-z_]+$"))


def _byte(draw: Draw) -> str:
    octets = bytes([draw.index(256) for _ in range(draw.size(1, 48, 6))])
    return b64encode(octets).decode("ascii")


def _binary(draw: Draw) -> str:
    return draw.text(0, 40, "name")


_SAMPLERS: dict[str, Callable[[Draw], str]] = {
    "date-time": _date_time,
    "date": _date,
    "time": _time,
    "duration": _duration,
    "email": _email,
    "idn-email": _email,
    "hostname": _hostname,
    "idn-hostname": _hostname,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "uri": _uri,
    "uri-reference": _uri_reference,
    "iri": _uri,
    "iri-reference": _uri_reference,
    "uri-template": _uri_template,
    "url": _uri,
    "uuid": _uuid,
    "json-pointer": _json_pointer,
    "relative-json-pointer": _relative_json_pointer,
    "regex": _regex,
    BASE64: _byte,
    "binary": _binary,
}

FORMATS: tuple[str, ...] = tuple(_SAMPLERS)
"""The formats that have a sampler of their own."""
