"""Formats: every sample is what its name promises, by an independent reader."""

import base64
import datetime as dt
import ipaddress
import re
import uuid
from urllib.parse import urlsplit

import pytest

from mockchat.payloads.formats import FORMATS, sample
from mockchat.payloads.seeded import SeededDraw


def is_host(text):
    """Read a host name as RFC 1123 does."""
    return re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]+)+", text)


def is_mail(text):
    """Read the common form of an address."""
    name, _, host = text.partition("@")
    return name and is_host(host)


def is_uri(text):
    """Read an absolute URI."""
    parts = urlsplit(text)
    return parts.scheme == "https" and is_host(parts.netloc)


def is_pointer(text):
    """Read a JSON Pointer."""
    return re.fullmatch(r"(/([^/~]|~[01])*)*", text) is not None


READERS = {
    "date-time": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "duration": re.compile(
        r"P(?=.)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?)"
    ).fullmatch,
    "email": is_mail,
    "idn-email": is_mail,
    "hostname": is_host,
    "idn-hostname": is_host,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "uri": is_uri,
    "uri-reference": lambda text: text.startswith("/") or is_uri(text),
    "iri": is_uri,
    "iri-reference": lambda text: text.startswith("/") or is_uri(text),
    "uri-template": lambda text: is_uri(text.partition("{")[0]) and text.endswith("}"),
    "url": is_uri,
    "uuid": lambda text: uuid.UUID(text).version == 4 and str(uuid.UUID(text)) == text,
    "json-pointer": is_pointer,
    "relative-json-pointer": lambda text: re.fullmatch(r"\d+(#|(/.*)?)", text),
    "regex": re.compile,
    "byte": lambda text: base64.b64encode(base64.b64decode(text, validate=True)) == text.encode(),
    "binary": lambda text: text.isascii(),
}


@pytest.mark.parametrize("name", FORMATS)
def test_samples_read_as_their_format(name):
    """A strict client parses what a tool's parameters declare."""
    samples = {sample(name, SeededDraw(seed)) for seed in range(150)}
    assert all(READERS[name](text) not in (None, False, "") for text in samples)
    assert len(samples) > 3


def test_unknown_formats_are_free_text():
    """JSON Schema has unknown formats ignored."""
    assert sample("colour", SeededDraw(1))
